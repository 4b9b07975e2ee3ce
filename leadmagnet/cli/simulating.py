"""simulate: the real engine on a virtual clock, against a simulated provider and simulated people."""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog
from sqlalchemy import inspect
from sqlalchemy.exc import ArgumentError

from leadmagnet.cli.shell import FAILED, INSTANT, USAGE, Failure, as_json, command, services, show
from leadmagnet.services import Services

if TYPE_CHECKING:
    from leadmagnet.simulation.course import Plan

#: A day in winter, so that a run of some weeks meets the change of the clocks on both halves of the earth.
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@command("simulate")
@click.option("--subscribers", type=click.IntRange(1, 10_000_000), default=200, show_default=True, help="How many.")
@click.option("--days", type=click.IntRange(1, 1000), default=45, show_default=True, help="How long.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same run.")
@click.option("--trouble", type=click.Choice(["none", "usual", "heavy"]), default="usual", show_default=True)
@click.option("--begin", type=INSTANT, default=BEGIN, help="The first instant on the virtual clock.")
@click.option(
    "--group-size",
    type=click.IntRange(1),
    default=50_000,
    show_default=True,
    help="People who share one database and process.",
)
@click.option("--database", "url", help="An empty database to keep the outcome in; without one, a temporary file.")
@as_json
def simulate_command(
    subscribers: int,
    days: int,
    seed: int,
    trouble: str,
    begin: datetime,
    group_size: int,
    url: str | None,
    json_out: bool,
) -> None:
    """Live through some weeks in minutes, and check that no promise was broken."""
    from leadmagnet.simulation.course import Plan
    from leadmagnet.simulation.groups import groups_of, simulate_groups
    from leadmagnet.simulation.report import as_words
    from leadmagnet.simulation.run import simulate
    from leadmagnet.simulation.trouble import KINDS

    plan = Plan(subscribers, days, seed, begin, KINDS[trouble])
    groups = groups_of(plan, group_size)
    if len(groups) > 1 and url:
        raise Failure(
            f"--database keeps one group, up to {group_size} subscribers. Leave it out, or raise --group-size.", USAGE
        )
    started = time.monotonic()
    with ExitStack() as stack:
        several = [_parts(stack, url) for _ in groups]
        _be_quiet(stack)
        if len(several) == 1:
            found = simulate(plan, several[0], _teller(plan))
        else:
            for one in several:
                one.engine.dispose()
            found = simulate_groups(plan, groups, [one.config for one in several], _counter(len(groups)))
    took = time.monotonic() - started
    click.echo(f"{found['emails']} emails in {took:.0f} s, {found['emails'] / took:.0f} a second.", err=True)
    show(found, json_out, as_words(found))
    if sum(found["broken"].values()):
        raise Failure("promises were broken; see the report.", FAILED)


def _teller(plan: Plan) -> Callable[[datetime], None]:
    """Return what shows on a terminal how far the run is."""

    def tell(at: datetime) -> None:
        if sys.stderr.isatty():
            click.echo(f"\rday {(at - plan.begin).days} of {plan.days}", nl=False, err=True)

    return tell


def _counter(groups: int) -> Callable[[int], None]:
    """Return what shows on a terminal how many groups are through."""

    def tell(done: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\rgroup {done} of {groups}", nl=False, err=True)

    return tell


def _be_quiet(stack: ExitStack) -> None:
    """Keep the engine's warnings back while all that it warns of is simulated; they are in the figures."""
    stack.callback(structlog.configure, **structlog.get_config())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _parts(stack: ExitStack, url: str | None) -> Services:
    """Return the program's parts on a database of the simulation's own: never the clinic's. Raises Failure."""
    from leadmagnet import store
    from leadmagnet.cli.database import upgrade_to_head
    from leadmagnet.simulation.run import in_a_hurry

    mine = services()
    if url == mine.config.database_url:
        raise Failure("--database names the clinic's own database. A simulation needs one of its own.", USAGE)
    if url is None:
        url = f"sqlite:///{Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='leadmagnet-'))) / 'run.db'}"
    try:
        engine = store.connect(url)
    except (ArgumentError, ModuleNotFoundError, ValueError, OSError):
        # No message repeats any part of the address, which may hold a password.
        raise Failure("--database is a file's sqlite:///… or postgresql+psycopg://user:…@host/name.", USAGE) from None
    stack.callback(engine.dispose)
    in_a_hurry(engine)
    if inspect(engine).get_table_names():
        raise Failure("the database is not empty. A simulation needs one of its own.", USAGE)
    upgrade_to_head(engine)
    config = replace(mine.config, database_url=url, time_lapse=None)
    return replace(mine, config=config, engine=engine)
