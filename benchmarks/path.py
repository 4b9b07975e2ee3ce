"""Emails a second, end to end: claim, write, hand over, settle, plan the next. One table, all ways in one run.

    python -m benchmarks.path [PEOPLE] [sendgrid] [smtp]

Each of our figures is also a share of the bare loop over the ledger, on the same database with as many workers, and a
multiple of the usual way. Workers, stand-in and database share the machine; each worker is a process.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

from sqlalchemy import Engine, text

from benchmarks import bare, usual, world
from benchmarks.smtp import sink
from leadmagnet import store


def measure(count: int, deed: Callable[[], object]) -> float:
    """Return how many a second."""
    begun = time.perf_counter()
    deed()
    return count / (time.perf_counter() - begun)


def bare_rate(kind: str, rows: int, workers: int, table: str) -> float:
    """Measure the bare loop over one of its tables."""
    with world.database(kind) as (url, _):
        if table == "delivery":
            engine = store.connect(url)
            world.seed(engine, rows)
            engine.dispose()
        else:
            bare.seed(url, rows)
        command = [sys.executable, "-m", "benchmarks.bare", url, table]
        crew = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(workers)
        ]
        for one in crew:
            one.stdout.readline()
        begun = time.perf_counter()
        for one in crew:
            one.stdin.write("go\n")
            one.stdin.flush()
        done = sum(int(one.stdout.readline()) for one in crew)
        seconds = time.perf_counter() - begun
        for one in crew:
            one.wait()
        assert done == rows, (done, rows)
        return rows / seconds


def ours(kind: str, transport: str, address: str, people: int, workers: int) -> tuple[float, int]:
    """Measure the program; return emails a second and the largest worker in megabytes."""
    with world.database(kind) as (url, folder):
        engine = store.connect(url)
        world.seed(engine, people)
        seconds, said = world.drain(url, folder, transport, address, workers)
        world.check(engine, people)
        engine.dispose()
        assert not any(one["flask"] for one in said), "a worker loaded web code"
        return people / seconds, max(one["peak_mb"] for one in said)


def usual_rate(kind: str, count: int, sender: Callable[[], usual.Send]) -> float:
    """Measure the usual way on `count` emails."""
    with world.database(kind) as (url, _):
        engine = store.connect(url)
        world.seed(engine, count)
        rate = measure(count, lambda: usual.drain(engine, sender(), count))
        engine.dispose()
        return rate


def server_version(engine: Engine) -> str:
    """Return the database's own words for its version."""
    with engine.connect() as connection:
        return str(connection.execute(text("SHOW server_version")).scalar())


def line(name: str, rate: float, *more: str) -> None:
    """Print one line of the table."""
    print(f"| {name} | {rate:,.0f}/s | {' | '.join(more)} |", flush=True)


def sendgrid(people: int) -> None:
    """The path through SendGrid's stand-in."""
    print("\n| SendGrid stand-in | emails | of the bare loop | times the usual way | largest worker |")
    print("| --- | --- | --- | --- | --- |")
    for kind, crews in (("postgres", (1, 2)), ("sqlite", (1,))):
        with world.provider() as url:
            slow = usual_rate(kind, 400, lambda url=url: usual.by_sendgrid(url))
            line(f"{kind}, usual way, one request an email", slow, "", "1", "")
            for workers in crews:
                processes = f"{workers} process{'es' * (workers > 1)}"
                least = bare_rate(kind, people, workers, "bare")
                line(f"{kind}, bare loop, five columns, {processes}", least, "", "", "")
                ceiling = bare_rate(kind, people, workers, "delivery")
                line(f"{kind}, bare loop over the ledger, {processes}", ceiling, "1", "", "")
                rate, peak = ours(kind, "sendgrid", url, people, workers)
                name = f"{kind}, {workers} worker{'s' * (workers > 1)}"
                line(name, rate, f"{rate / ceiling:.2f}", f"{rate / slow:.1f}", f"{peak} MB")
    with world.provider(0.05) as url:
        slow = usual_rate("postgres", 60, lambda url=url: usual.by_sendgrid(url))
        line("postgres, usual way, answers after 50 ms", slow, "", "1", "")
        rate, peak = ours("postgres", "sendgrid", url, people, 2)
        line("postgres, 2 workers, answers after 50 ms", rate, "", f"{rate / slow:.0f}", f"{peak} MB")


def smtp(people: int) -> None:
    """The path through SMTP."""
    print("\n| smtp-sink | emails | of smtp-source | times the usual way | largest worker |")
    print("| --- | --- | --- | --- | --- |")
    with sink() as port:
        source = ["/usr/sbin/smtp-source", "-s", "4", "-m", str(people), "-l", "15000", f"127.0.0.1:{port}"]
        ceiling = measure(people, lambda: subprocess.run(source, check=True, capture_output=True))
        line("smtp-source, 4 connections", ceiling, "1", "", "")
        address = f"smtp://127.0.0.1:{port}"
        for kind in ("postgres", "sqlite"):
            slow = usual_rate(kind, 300, lambda: usual.by_smtplib(address))
            line(f"{kind}, EmailMessage and smtplib", slow, f"{slow / ceiling:.2f}", "1", "")
            rate, peak = ours(kind, "smtp", address, people, 1)
            line(f"{kind}, 1 worker", rate, f"{rate / ceiling:.2f}", f"{rate / slow:.1f}", f"{peak} MB")


def main() -> None:
    """Measure what was asked for, or all."""
    wanted = [name for name in ("sendgrid", "smtp") if name in sys.argv[1:]] or ["sendgrid", "smtp"]
    people = next((int(given) for given in sys.argv[1:] if given.isdigit()), 30_000)
    engine = store.connect(world.POSTGRES)
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(
        f"{people:,} emails a line; {os.cpu_count()} cores, load before {load}; Python {platform.python_version()}, "
        f"SQLAlchemy {version('sqlalchemy')}, psycopg {version('psycopg')}, PostgreSQL {server_version(engine)}"
    )
    engine.dispose()
    for name in wanted:
        {"sendgrid": sendgrid, "smtp": smtp}[name](people)


if __name__ == "__main__":
    main()
