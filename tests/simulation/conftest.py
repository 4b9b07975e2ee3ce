"""Runs of the simulation, and lives made by hand, with their letters, deeds and rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from config import Config
from leadmagnet import services as parts
from leadmagnet.cli.database import upgrade_to_head
from leadmagnet.services import Services
from leadmagnet.simulation.checks import CHECKS
from leadmagnet.simulation.course import Plan
from leadmagnet.simulation.lives import Course, Life, Pass, Row, Standing
from leadmagnet.simulation.moments import moments
from leadmagnet.simulation.record import Deed, Letter
from leadmagnet.simulation.run import in_a_hurry, simulate
from leadmagnet.simulation.trouble import USUAL

#: A Monday at nine in Zurich.
MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PLAN = Plan(12, 20, 7, datetime(2026, 3, 1, tzinfo=UTC), USUAL)
STEPS = {1: 10, 2: 20, 3: 30, 9: 70}


@pytest.fixture
def empty(new_config: Callable[..., Config]) -> Iterator[Callable[..., Services]]:
    """A maker of services on a migrated, empty database."""
    made: list[Services] = []

    def make(**settings: object) -> Services:
        built = parts.build(new_config(**settings))
        in_a_hurry(built.engine)
        upgrade_to_head(built.engine)
        made.append(built)
        return built

    yield make
    for built in made:
        built.mailer.close()
        built.engine.dispose()


@pytest.fixture
def run(empty: Callable[..., Services], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A maker of finished runs, each on a database of its own."""
    count = iter(range(100))

    def make(url: str | None = None, **changes: Any) -> dict[str, Any]:
        return simulate(replace(PLAN, **changes), empty(database_url=url or f"sqlite:///{tmp_path}/{next(count)}.db"))

    return make


@dataclass
class Story:
    """One life, told by hand. Every letter and deed comes after the ones before."""

    at: datetime = MONDAY
    events: list[Letter | Deed] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    enrollments: list[Pass] = field(default_factory=lambda: [Pass(1, "finished", False)])
    standing: Standing | None = field(default_factory=lambda: Standing("anna@example.org", "active", False, False))
    address: str = "anna@example.org"

    def did(self, kind: str, detail: Any = "") -> Story:
        """Let the person do something now."""
        words = detail if isinstance(detail, str) else orjson.dumps(detail).decode()
        self.events.append(Deed(len(self.events) + 1, self.at.timestamp(), self.address, kind, words))
        return self

    def joined(self) -> Story:
        """Sign up and confirm."""
        return self.did("sign_up", "Europe/Zurich").got("confirmation").did("confirm")

    def wait(self, **time: float) -> Story:
        """Let time go by."""
        self.at += timedelta(**time)
        return self

    def got(self, kind: str, step: int | None = None, **more: Any) -> Story:
        """Let the provider take a letter now, and the ledger hold its row."""
        row = len(self.rows) + 1
        public_id = more.pop("delivery", f"d{row}")
        message = more.pop("message", f"<{public_id}@clinic.example>")
        known = more.pop("known", 1)
        place = len(self.events) + 1
        self.events.append(Letter(place, self.at.timestamp(), self.address, public_id, message, kind, known))
        if public_id not in {known.public_id for known in self.rows} and more.pop("in_ledger", True):
            self.row(kind, step, public_id=public_id, **more)
        return self

    def row(self, kind: str, step: int | None = None, **more: Any) -> Story:
        """Put a row into the ledger."""
        number = len(self.rows) + 1
        enrollment = 1 if step is not None else None
        values = {"public_id": f"d{number}", "status": "sent", "held": None, "due_at": self.at, "resent": 0}
        values |= {"enrollment_id": enrollment, "step_id": step, "kind": kind}
        self.rows.append(Row(id=number, **(values | more)))
        return self

    def whole(self) -> Story:
        """Six videos are three here: a life in which nothing is broken."""
        self.joined().got("video", 1).wait(days=2).got("reminder").wait(days=1).got("video", 2)
        return self.wait(days=3).got("video", 3).wait(days=3).got("finished", 9)

    def broken(self, rule: str) -> list[str]:
        """Return what one check finds in this life."""
        course = Course(STEPS, frozenset(STEPS), 480, 1200, frozenset(range(7)), 0.0)
        life = Life(self.address, self.events, self.rows, self.enrollments, self.standing)
        return [words for _, words in CHECKS[rule]((life, moments(life, course), course))]


@pytest.fixture
def story() -> Story:
    return Story()
