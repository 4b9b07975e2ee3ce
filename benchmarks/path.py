"""Emails a second, end to end: claim, write, hand over, settle, plan the next. One table, all ways in one run.

    python -m benchmarks.path [PEOPLE [ROUNDS]] [sendgrid] [smtp]

The ways take turns; the table shows the median of the rounds and how far they lie apart. Each of our figures is also a
share of the bare loop over the ledger, on the same database with as many workers, and a multiple of the usual way: the
medians of each round's ratio. Workers, stand-in and database share the machine; each worker is a process.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from sqlalchemy import Engine, text

from benchmarks import bare, usual, world
from benchmarks.smtp import sink
from leadmagnet import store

#: Emails a line, and rounds.
DEFAULTS = (40_000, 3)


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


Way = Callable[[], tuple[float, int]]


def only(rate: Callable[..., float], *told: object) -> Way:
    """Return a way that gives a rate and no memory."""
    return lambda: (rate(*told), 0)


class Table:
    """Ways that take turns, and what each brought in every round."""

    def __init__(self, share_of: str) -> None:
        self._share_of = share_of
        self._ways: dict[str, tuple[Way, str, str]] = {}
        self._rates: dict[str, list[float]] = {}
        self._peaks: dict[str, int] = {}

    def add(self, name: str, way: Way, *, ceiling: str = "", usual: str = "") -> str:
        """Add a way, with the names of those that it is a share and a multiple of; return its name."""
        self._ways[name] = way, ceiling, usual
        return name

    def measure(self, rounds: int) -> None:
        """Let the ways take turns, and print the table."""
        for _ in range(rounds):
            for name, (way, _, _) in self._ways.items():
                rate, peak = way()
                self._rates.setdefault(name, []).append(rate)
                self._peaks[name] = max(peak, self._peaks.get(name, 0))
        print(f"\n| | emails, median | spread | {self._share_of} | times the usual way | largest worker |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name, (_, ceiling, slow) in self._ways.items():
            rates, peak = self._rates[name], self._peaks[name]
            cells = f"{statistics.median(rates):,.0f}/s", f"{min(rates):,.0f} - {max(rates):,.0f}"
            share, times = self._beside(name, ceiling, ".2f"), self._beside(name, slow, ".1f")
            print(f"| {name} | {' | '.join(cells)} | {share} | {times} | {f'{peak} MB' if peak else ''} |", flush=True)

    def _beside(self, name: str, other: str, form: str) -> str:
        """Return the median of the rounds' ratios."""
        if not other:
            return ""
        pairs = zip(self._rates[name], self._rates[other], strict=True)
        return f"{statistics.median(mine / theirs for mine, theirs in pairs):{form}}"


def sendgrid(people: int, rounds: int) -> None:
    """The path through SendGrid's stand-in."""
    table = Table("of the bare loop over the ledger")
    with world.provider() as url, world.provider(0.05) as late:
        for kind, crews in (("postgres", (1, 2)), ("sqlite", (1,))):
            send = partial(usual.by_sendgrid, url)
            slow = table.add(f"{kind}, usual way, one request an email", only(usual_rate, kind, 400, send))
            for workers in crews:
                processes = f"{workers} process{'es' * (workers > 1)}"
                name = f"{kind}, bare loop, five columns, {processes}"
                table.add(name, only(bare_rate, kind, people, workers, "bare"))
                name = f"{kind}, bare loop over the ledger, {processes}"
                ceiling = table.add(name, only(bare_rate, kind, people, workers, "delivery"))
                name = f"{kind}, {workers} worker{'s' * (workers > 1)}"
                way = partial(ours, kind, "sendgrid", url, people, workers)
                table.add(name, way, ceiling=ceiling, usual=slow)
        send = partial(usual.by_sendgrid, late)
        slow = table.add("postgres, usual way, answers after 50 ms", only(usual_rate, "postgres", 60, send))
        way = partial(ours, "postgres", "sendgrid", late, people, 2)
        table.add("postgres, 2 workers, answers after 50 ms", way, usual=slow)
        table.measure(rounds)


def by_source(port: int, people: int, *options: str) -> float:
    """Measure Postfix's own sender. With "-d" it keeps its connections, as our client does."""
    source = ["/usr/sbin/smtp-source", *options, "-s", "4", "-m", str(people), "-l", "15000", f"127.0.0.1:{port}"]
    return measure(people, lambda: subprocess.run(source, check=True, capture_output=True))


def smtp(people: int, rounds: int) -> None:
    """The path through SMTP."""
    table = Table("of smtp-source, connections kept")
    with sink() as port:
        address = f"smtp://127.0.0.1:{port}"
        ceiling = table.add("smtp-source, 4 connections, kept", only(by_source, port, people, "-d"))
        table.add("smtp-source, 4 connections, one an email", only(by_source, port, people), ceiling=ceiling)
        for kind in ("postgres", "sqlite"):
            way = only(usual_rate, kind, 300, partial(usual.by_smtplib, address))
            slow = table.add(f"{kind}, EmailMessage and smtplib", way, ceiling=ceiling)
            for workers in (1, 2) if kind == "postgres" else (1,):
                way = partial(ours, kind, "smtp", address, people, workers)
                table.add(f"{kind}, {workers} worker{'s' * (workers > 1)}", way, ceiling=ceiling, usual=slow)
        table.measure(rounds)


def main() -> None:
    """Measure what was asked for, or all."""
    wanted = [name for name in ("sendgrid", "smtp") if name in sys.argv[1:]] or ["sendgrid", "smtp"]
    given = [int(number) for number in sys.argv[1:] if number.isdigit()][:2]
    people, rounds = (*given, *DEFAULTS[len(given) :])
    engine = store.connect(world.POSTGRES)
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(
        f"{people:,} emails a line, {rounds} rounds; {os.cpu_count()} cores, load before {load}; "
        f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, psycopg {version('psycopg')}, "
        f"PostgreSQL {server_version(engine)}"
    )
    engine.dispose()
    for name in wanted:
        {"sendgrid": sendgrid, "smtp": smtp}[name](people, rounds)


if __name__ == "__main__":
    main()
