"""Run a simulation from beginning to end: live through it, check it, add it up."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from leadmagnet import store
from leadmagnet.editing.shipped import load_shipped
from leadmagnet.services import Services
from leadmagnet.simulation.course import Plan, Run
from leadmagnet.simulation.figures import Figures
from leadmagnet.simulation.lives import lives, read_course
from leadmagnet.simulation.record import Record
from leadmagnet.simulation.report import as_json


def simulate(plan: Plan, services: Services, said: Callable[[datetime], None] = lambda _: None) -> dict[str, Any]:
    """Simulate on a migrated, empty database and return the report. `said` is told of every day that begins."""
    # The provider's events reach us here without HTTP, so no signature is checked: that there is a key is what counts.
    services = replace(services, config=replace(services.config, sendgrid_webhook_public_key="simulated"))
    with store.writing(services.engine) as session:
        load_shipped(session, plan.begin)
    with tempfile.TemporaryDirectory(prefix="leadmagnet-") as folder:
        record = Record(Path(folder) / "record.db")
        try:
            return _simulate(plan, services, record, said)
        finally:
            record.close()


def _simulate(plan: Plan, services: Services, record: Record, said: Callable[[datetime], None]) -> dict[str, Any]:
    run = Run(plan, services, record, said)
    run.go()
    course, figures = read_course(services.engine, run.clock.at), Figures()
    for life in lives(services.engine, record):
        figures.add(life, course)
    counts = {
        "deeds": run.stage.counts,
        "trouble": run.provider.seen + run.reports.seen + run.deaths.as_counts(),
        "depths": run.queues.days,
        "passes": run.passes,
    }
    return as_json(plan, counts, figures)


def in_a_hurry(engine: Engine) -> None:
    """Let SQLite spare the disk: a simulation that is cut short is begun anew, so nothing needs to be kept safe."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: Any) -> None:
        for pragma in ("synchronous=OFF", "secure_delete=OFF", "cache_size=-200000"):
            connection.execute(f"PRAGMA {pragma}")
