"""How long a sign-up waits for a SQLite file while a worker sends from it: idle, a worker apart, and one that shares.

    python -m benchmarks.visitors [PEOPLE]

A visitor's write (the row that a sign-up makes, committed) every ten milliseconds, in a process beside the worker's.
"""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import world
from leadmagnet import services as parts
from leadmagnet import store
from leadmagnet.store.consents import Wording
from leadmagnet.store.signups import SignUp
from leadmagnet.tick import tick


def visits(url: str, over: threading.Event) -> list[float]:
    """Write sign-ups until it is over; return the milliseconds that each took."""
    engine, found = store.connect(url), []
    now = world.Clock().now()
    with store.writing(engine) as session:
        session.add(Wording(id="x", text="Yes", language="en", first_used_at=now.course))
    while not over.is_set():
        begun = time.perf_counter()
        with store.writing(engine) as session:
            session.add(
                SignUp(
                    email="v@example.org",
                    email_canonical="v@example.org",
                    first_name="",
                    timezone="UTC",
                    form="landing",
                    wording_id="x",
                    page="",
                    ip="",
                    user_agent="",
                    asked_at=now.course,
                    asked_real_at=now.real,
                    handled_at=now.course,
                )
            )
        found.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.01)
    engine.dispose()
    return found


def send(url: str, folder: str, address: str, shares: str) -> None:
    """Be the worker."""
    config = world.settings(
        url,
        Path(folder),
        mail_transport=("sendgrid",),
        sendgrid_api_key="SG.bench",
        sendgrid_api_url=address,
        run_worker_in_web=bool(shares),
    )
    services = replace(parts.build(config), clock=world.Clock())
    tick(services, services.clock.now)


def main(people: int) -> None:
    """Measure and print."""
    import multiprocessing

    print("| | emails | median | p99 | longest |\n| --- | --- | --- | --- | --- |")
    for name, shares in (("idle", None), ("a worker that does not share", ""), ("a worker that shares", "1")):
        with world.database("sqlite") as (url, folder), world.provider() as address:
            engine = store.connect(url)
            world.seed(engine, people)
            over, begun = threading.Event(), time.perf_counter()
            times: list[float] = []
            visitor = threading.Thread(target=lambda url=url, over=over, times=times: times.extend(visits(url, over)))
            visitor.start()
            if shares is None:
                time.sleep(5)
            else:
                worker = multiprocessing.get_context("spawn").Process(
                    target=send, args=(url, str(folder), address, shares)
                )
                worker.start()
                worker.join()
            seconds = time.perf_counter() - begun
            over.set()
            visitor.join()
            engine.dispose()
        times.sort()
        rate = "" if shares is None else f"{people / seconds:,.0f}/s"
        cells = f"{times[len(times) // 2]:.1f} ms | {times[int(len(times) * 0.99)]:.1f} ms | {times[-1]:.1f} ms"
        print(f"| {name} | {rate} | {cells} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
