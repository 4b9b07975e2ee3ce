"""Does the time of an answer tell whether an address is known? Interleaved sign-ups, compared by Mann-Whitney.

    python -m tests.abuse.timing sqlite|postgres [REQUESTS]

The server runs as `make run` starts it, but without the worker, so that every standing stays what it is. Requests go
one after the other in an order drawn anew each round, each from a network of its own. Compared are unknown addresses
with all known ones, and with each standing. With a difference at p < 0.001 the whole is measured once more, with
fresh addresses; only one that comes up twice, in the same direction, is one: by chance that happens to one comparison
in two million.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine

from config import Config
from leadmagnet import store
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression, email_hash
from tests.abuse.ranks import mann_whitney
from tests.abuse.served import Server, Visitor, postgres, serving

UNKNOWN, SUPPRESSED = "unknown", "suppressed"
KNOWN = (*SubscriberStatus, SUPPRESSED)
LEVEL = 0.001
#: Equally long, so that not even a length could differ.
DIGITS = 5


@dataclass(frozen=True)
class Found:
    """One comparison with unknown addresses: medians in milliseconds, and how likely such a difference is by chance."""

    name: str
    unknown: float
    known: float
    slower: bool
    p: float


def address(standing: str, number: int) -> str:
    """Return an address of one standing; which one shows in no length."""
    return f"{standing[:4]}{number:0{DIGITS}}@example.org"


def settle(server: Server, people: int) -> None:
    """Write known addresses of every standing."""
    engine, now = create_engine(server.database_url), datetime.now(UTC)
    key = Config.from_env(server.environ).suppression_key
    with store.writing(engine) as session:
        for standing in KNOWN:
            for number in range(people):
                email = address(standing, number)
                if standing == SUPPRESSED:
                    session.add(Suppression(email_hash=email_hash(key, email), reason="bounced", at=now))
                else:
                    row = Subscriber(email=email, email_canonical=email, timezone="UTC", status=standing)
                    row.created_at = now
                    session.add(row)
    engine.dispose()


def ask(server: Server, rounds: int, first: int, dice: random.Random) -> tuple[dict[str, list[float]], set[bytes]]:
    """Send `rounds` sign-ups of each standing, mixed; return their times (milliseconds) and all answers seen.

    As many of unknown addresses go out as of all the known ones together.
    """
    visitor = Visitor(server.port, "81.1.1.1")
    fields = visitor.form()
    time.sleep(1.7)
    times: dict[str, list[float]] = {standing: [] for standing in (UNKNOWN, *KNOWN)}
    answers: set[bytes] = set()
    asked = 0
    for number in range(first, first + rounds):
        order = [(standing, number) for standing in KNOWN]
        order += [(UNKNOWN, number * len(KNOWN) + more) for more in range(len(KNOWN))]
        dice.shuffle(order)
        for standing, which in order:
            asked += 1
            visitor.headers["X-Forwarded-For"] = f"81.{asked // 250 % 250}.{asked % 250}.9"
            typed = fields | {"email": address(standing, which), "first_name": "Anna", "consent": "yes"}
            begun = time.perf_counter()
            status, shown, headers = visitor.ask("POST", "/signup", typed)
            times[standing].append((time.perf_counter() - begun) * 1000)
            said = sorted((name, value) for name, value in headers.items() if name not in ("Date", "Set-Cookie"))
            answers.add(repr((status, shown, said)).encode())
    visitor.close()
    return times, answers


def compare(times: dict[str, list[float]]) -> list[Found]:
    """Compare unknown addresses with all known ones, then with each standing."""
    unknown = times[UNKNOWN]
    known = {"all known": [value for standing in KNOWN for value in times[standing]]}
    found = []
    for name, sample in (known | {str(standing): times[standing] for standing in KNOWN}).items():
        u, p = mann_whitney(sample, unknown)
        middle = len(sample) * len(unknown) / 2
        found.append(Found(name, _median(unknown), _median(sample), u > middle, p))
    return found


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def differences(server: Server, requests: int, seed: int = 1) -> tuple[list[Found], list[Found], set[bytes]]:
    """Measure, and once more where a difference seems to be; return the first figures, what is confirmed, answers."""
    rounds = max(1, round(requests / (2 * len(KNOWN))))
    settle(server, 2 * rounds)
    dice = random.Random(seed)
    times, answers = ask(server, rounds, 0, dice)
    first = compare(times)
    if all(one.p >= LEVEL for one in first):
        return first, [], answers
    times, more = ask(server, rounds, rounds, dice)
    again = {(one.name, one.slower) for one in compare(times) if one.p < LEVEL}
    return first, [one for one in first if one.p < LEVEL and (one.name, one.slower) in again], answers | more


@contextmanager
def quiet_server(folder: Path, database_url: str) -> Iterator[Server]:
    """Serve without a worker: nobody handles what comes in, so nobody's standing changes, and nothing disturbs."""
    with serving(folder, database_url, RUN_WORKER_IN_WEB="false") as server:
        yield server


def main(kind: str, requests: int = 2000) -> None:
    """Run, print, and fail where there is a difference."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if kind == "sqlite":
            with quiet_server(place, f"sqlite:///{place / 'timing.db'}") as server:
                first, confirmed, answers = differences(server, requests)
        else:
            with postgres() as url, quiet_server(place, url) as server:
                first, confirmed, answers = differences(server, requests)
    print(f"{kind}: {requests:,} sign-ups; different answers: {len(answers) - 1}")
    print("| unknown against | median unknown | median known | p |\n| --- | --- | --- | --- |")
    for one in first:
        print(f"| {one.name} | {one.unknown:.2f} ms | {one.known:.2f} ms | {one.p:.3f} |")
    sys.exit(f"confirmed differences: {confirmed}" if confirmed or len(answers) > 1 else 0)


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:]))
