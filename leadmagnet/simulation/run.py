"""Run a simulation from beginning to end: live through it, check it, add it up."""

from __future__ import annotations

import gc
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from leadmagnet import store
from leadmagnet.editing.shipped import load_shipped
from leadmagnet.services import Services
from leadmagnet.simulation.course import Plan, Run
from leadmagnet.simulation.figures import Figures
from leadmagnet.simulation.lives import lives, read_course
from leadmagnet.simulation.queues import Depth
from leadmagnet.simulation.record import Record
from leadmagnet.simulation.report import as_json

#: New things that are counted before Python looks for cycles among them.
GARBAGE = 20_000


@dataclass(slots=True)
class Outcome:
    """What a run, or one group of its people, brought out."""

    figures: Figures = field(default_factory=Figures)
    deeds: Counter[str] = field(default_factory=Counter)
    trouble: Counter[str] = field(default_factory=Counter)
    depths: dict[date, Depth] = field(default_factory=dict)
    passes: int = 0

    def include(self, other: Outcome) -> None:
        """Add the outcome of another group."""
        self.figures.include(other.figures)
        self.deeds.update(other.deeds)
        self.trouble.update(other.trouble)
        for day, depth in other.depths.items():
            self.depths[day] = self.depths.get(day, Depth()) + depth
        self.passes += other.passes


def simulate(plan: Plan, services: Services, said: Callable[[datetime], None] = lambda _: None) -> dict[str, Any]:
    """Simulate on a migrated, empty database and return the report. `said` is told of every day that begins."""
    return report(plan, live(plan, services, said))


def live(plan: Plan, services: Services, said: Callable[[datetime], None] = lambda _: None) -> Outcome:
    """Live through a run on a migrated, empty database, and check it."""
    # The provider's events reach us here without HTTP, so no signature is checked: that there is a key is what counts.
    # The promises are checked on the whole ledger, so no row moves out of it. Nor do the clinic's own limits hold: the
    # clock jumps by a quarter of an hour, in which a rate a second would let one second's worth go;
    # and the sign-ups of months come in days.
    config = replace(
        services.config,
        sendgrid_webhook_public_key="simulated",
        ledger_retention_days=0,
        send_rate=None,
        daily_cap=None,
        warm_up=(),
        domain_rate=(),
        signup_network_cap=0,
        signup_form_cap=0,
        signup_hourly_cap=0,
        signup_address_cap=0,
    )
    services = replace(services, config=config)
    with store.writing(services.engine) as session:
        load_shipped(session, plan.begin)
    with tempfile.TemporaryDirectory(prefix="leadmagnet-") as folder:
        record = Record(Path(folder) / "record.db")
        try:
            with _few_collections():
                return _live(plan, services, record, said)
        finally:
            record.close()


@contextmanager
def _few_collections() -> Iterator[None]:
    """Let Python look for cycles less often: a run keeps millions of things, and nearly none of them is in one."""
    before = gc.get_threshold()
    gc.set_threshold(GARBAGE, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _live(plan: Plan, services: Services, record: Record, said: Callable[[datetime], None]) -> Outcome:
    run = Run(plan, services, record, said)
    run.go()
    course, figures = read_course(services.engine, run.clock.at), Figures()
    for life in lives(services.engine, record):
        figures.add(life, course)
    trouble = Counter(run.provider.seen) + Counter(run.reports.seen) + Counter(run.deaths.as_counts())
    return Outcome(figures, Counter(run.stage.counts), trouble, run.queues.days, run.passes)


def report(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Return everything that a run brought out, for people and programs to read."""
    counts = {
        "deeds": outcome.deeds,
        "trouble": outcome.trouble,
        "depths": outcome.depths,
        "passes": outcome.passes,
    }
    return as_json(plan, counts, outcome.figures)


def in_a_hurry(engine: Engine) -> None:
    """Let SQLite spare the disk: a simulation that is cut short is begun anew, so nothing needs to be kept safe."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: Any) -> None:
        for pragma in ("synchronous=OFF", "secure_delete=OFF", "cache_size=-200000"):
            connection.execute(f"PRAGMA {pragma}")
