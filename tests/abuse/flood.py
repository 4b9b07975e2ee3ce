"""A flood of hostile sign-ups from few networks, with real visitors from elsewhere in between.

    python -m tests.abuse.flood sqlite|postgres [POSTS] [SECONDS]

The server runs as `make run` starts it. The flood comes through a trusted proxy on loopback, so it may claim any
network; each post names another victim. Real visitors load the page, wait as long as typing takes, do the proof of work
where they are asked for one, and send the form. Prints what left, and how long sign-ups took.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import orjson
from altcha import Challenge, Payload, solve_challenge
from sqlalchemy import create_engine, text

from tests.abuse.served import Server, Visitor, postgres, serving

HOSTILE_NETWORKS, CONNECTIONS = 5, 16
FILLING = 1.7
#: Seconds that the worker gets afterwards for what waits.
PATIENCE = 60


#: Times of answers in milliseconds, and their statuses.
Sent = tuple[list[float], list[int]]


@dataclass
class Report:
    """What came of it. Times in milliseconds."""

    answers: Counter[int] = field(default_factory=Counter)
    hostile_times: list[float] = field(default_factory=list)
    real_times: list[float] = field(default_factory=list)
    proofs: int = 0
    hostile_emails: int = 0
    real_emails: int = 0
    visitors: int = 0
    held: int = 0
    seconds: float = 0.0
    load: float = 0.0

    def words(self) -> str:
        """Return the report as lines."""
        return (
            f"{self.answers.total():,} hostile posts in {self.seconds:.0f} s, answered {dict(self.answers)}; "
            f"load average {self.load:.1f}\n"
            f"confirmations: {self.hostile_emails} to victims, {self.real_emails} to {self.visitors} real visitors "
            f"({self.proofs} with a proof of work); {self.held} sign-ups held\n"
            f"sign-up of real visitors: {_quantiles(self.real_times)}\nhostile posts: {_quantiles(self.hostile_times)}"
        )


def quantile(times: list[float], share: float) -> float:
    """Return the time that this share of all stays within."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def _quantiles(times: list[float]) -> str:
    at = [f"p{share * 100:g} {quantile(times, share):.0f} ms" for share in (0.5, 0.9, 0.99)]
    return ", ".join([*at, f"longest {max(times):.0f} ms"])


def flood(port: int, posts: int, seconds: float, networks: int, told: multiprocessing.Queue[Sent]) -> None:
    """Send hostile posts at an even pace; in a process of its own, which takes no time from the visitors' clock."""
    sender = Visitor(port, "203.0.113.1")
    known, cookie = sender.form(), sender.headers["Cookie"]
    sender.close()
    time.sleep(FILLING)
    told.put(asyncio.run(_flood(port, posts, seconds, networks, known, cookie)))


async def _flood(port: int, posts: int, seconds: float, networks: int, known: dict[str, str], cookie: str) -> Sent:
    times: list[float] = []
    statuses: list[int] = []
    begun, numbers = time.perf_counter(), iter(range(posts))

    async def send_all() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            await asyncio.sleep(max(0.0, begun + number * seconds / posts - time.perf_counter()))
            fields = known | {"email": f"victim{number}@mail{number % 97}.example.org", "consent": "yes"}
            body = urlencode(fields).encode()
            head = (
                f"POST /signup HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\nUser-Agent: flood\r\n"
                f"X-Forwarded-For: 66.6.{number % networks}.{number % 250}\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            sent = time.perf_counter()
            try:
                writer.write(head.encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
            except (ConnectionError, asyncio.IncompleteReadError):
                # A server may end an idle connection at any time; the post is sent anew on another.
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(head.encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length")
            )
            await reader.readexactly(length)
            times.append((time.perf_counter() - sent) * 1000)
            statuses.append(int(answer[9:12]))
        writer.close()

    await asyncio.gather(*(send_all() for _ in range(CONNECTIONS)))
    return times, statuses


def solved(challenge: str) -> str:
    """Do the proof of work."""
    given = Challenge.from_dict(orjson.loads(challenge))
    solution = solve_challenge(given)
    assert solution is not None
    return Payload(given, solution).to_base64()


def visit(port: int, number: int, report: Report, elsewhere: ProcessPoolExecutor) -> None:
    """Be a real visitor, from a network of their own."""
    visitor = Visitor(port, f"81.{number // 250}.{number % 250}.7")
    fields = visitor.form() | {"email": f"visitor{number}@example.net", "first_name": "Anna", "consent": "yes"}
    begun = time.perf_counter()
    status, challenge, _ = visitor.ask("GET", "/signup/challenge?form=landing")
    if status == 200:
        fields["altcha"] = elsewhere.submit(solved, challenge).result()
        report.proofs += 1
    time.sleep(max(0.0, FILLING - (time.perf_counter() - begun)))
    # The server ends an idle connection after two seconds; a browser then opens another.
    visitor.close()
    sent = time.perf_counter()
    status, _, headers = visitor.ask("POST", "/signup", fields)
    report.real_times.append((time.perf_counter() - sent) * 1000)
    assert (status, headers["Location"]) == (303, "/signup/check-inbox"), status
    visitor.close()


def besiege(server: Server, posts: int, seconds: float, visitors: int, networks: int = HOSTILE_NETWORKS) -> Report:
    """Flood a server, visit it meanwhile, and count what left."""
    report = Report(visitors=visitors)
    spawn = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[Sent] = spawn.Queue()
    hostile = spawn.Process(target=flood, args=(server.port, posts, seconds, networks, told))
    hostile.start()
    time.sleep(FILLING + 1)
    begun = time.perf_counter()
    real = []
    # A visitor's sum is done on the visitor's machine: here, only in the time that nobody else wants.
    elsewhere = ProcessPoolExecutor(2, spawn, initializer=os.nice, initargs=(19,))
    for number in range(visitors):
        real.append(threading.Thread(target=visit, args=(server.port, number, report, elsewhere)))
        real[-1].start()
        time.sleep(max(0.0, begun + (number + 1) * seconds / visitors - time.perf_counter()))
    report.hostile_times, statuses = told.get(timeout=seconds * 5 + 60)
    report.seconds, report.load = time.perf_counter() - begun, os.getloadavg()[0]
    hostile.join()
    for thread in real:
        thread.join()
    elsewhere.shutdown()
    report.answers.update(statuses)
    _count(server, report)
    return report


def _count(server: Server, report: Report) -> None:
    """Wait until nothing waits any more, and count emails and held sign-ups."""
    engine = create_engine(server.database_url)
    waiting = (
        "SELECT (SELECT count(*) FROM sign_up WHERE handled_at IS NULL) "
        "+ (SELECT count(*) FROM delivery WHERE status IN ('due', 'claimed'))"
    )
    until = time.monotonic() + PATIENCE
    with engine.connect() as connection:
        while connection.execute(text(waiting)).scalar_one():
            assert time.monotonic() < until, "the worker does not get through"
            connection.rollback()
            time.sleep(0.3)
        report.held = connection.execute(text("SELECT count(*) FROM sign_up WHERE outcome = 'held'")).scalar_one()
    engine.dispose()
    for letter in (server.outbox / "new").iterdir():
        head = letter.read_bytes().partition(b"\n\n")[0]
        report.hostile_emails += b"To: victim" in head or b"<victim" in head
        report.real_emails += b"visitor" in head


def main(kind: str, posts: int = 10_000, seconds: float = 60.0) -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if kind == "sqlite":
            with serving(place, f"sqlite:///{place / 'flood.db'}") as server:
                report = besiege(server, posts, seconds, max(5, int(seconds * 2)))
        else:
            with postgres() as url, serving(place, url) as server:
                report = besiege(server, posts, seconds, max(5, int(seconds * 2)))
    print(f"{kind}: {report.words()}")


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:]))
