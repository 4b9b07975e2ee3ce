"""worker and tick."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

import click

from leadmagnet.cli.shell import INSTANT, USAGE, Failure, as_json, command, services, show
from leadmagnet.clock import Now, real_now

ROOT = Path(__file__).resolve().parents[2]


@command("worker")
@click.option("--threads", type=click.IntRange(1, 64), help="Batches sent at the same time; not on SQLite.")
def worker(threads: int | None) -> None:
    """Run the worker until SIGTERM, which lets it finish the batch in hand."""
    if threads and services().engine.dialect.name == "sqlite":
        raise Failure("worker: --threads needs PostgreSQL; a SQLite file has one writer at a time.", USAGE)
    options = ["--threads", str(threads)] if threads else []
    # The same process starts anew without Flask and the pages: it is smaller, and web code cannot disturb it.
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    os.execve(sys.executable, [sys.executable, "-m", "leadmagnet.worker", *options], environ)  # noqa: S606 (no shell)


@command("tick")
@click.option("--now", "instant", type=INSTANT, help="Pretend that it is this instant on the course clock.")
@as_json
def tick_command(instant: datetime | None, json_out: bool) -> None:
    """Do everything that is due, once."""
    from leadmagnet.tick import tick

    parts = services()
    clock = parts.clock.now if instant is None else (lambda: Now(instant, real_now()))
    done = tick(parts, clock)
    skipped = ", ".join(f"{count} {reason}" for reason, count in done["skipped"].items()) or "0"
    words = (
        f"{done['now']}: planned {done['planned']}, claimed {done['claimed']}, sent {done['sent']}, "
        f"failed {done['failed']}, unknown {done['unknown']}, skipped {skipped}"
    )
    show(done, json_out, words)
