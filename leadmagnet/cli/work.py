"""worker and tick."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import click

from leadmagnet.cli.shell import INSTANT, as_json, command, services, show
from leadmagnet.clock import Now, real_now


@command("worker")
def worker() -> None:
    """Run the worker until SIGTERM, which lets it finish the batch in hand."""
    from leadmagnet.services import build
    from leadmagnet.worker import run

    config = services().config
    run(build(replace(config, time_lapse=config.time_lapse or 1.0)))


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
