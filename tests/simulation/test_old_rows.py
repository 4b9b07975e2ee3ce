"""Months of simulated lives while old rows move out: readers read the same, and nobody gets another email."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from leadmagnet import old_rows, store
from leadmagnet.audience.listing import Filter, page
from leadmagnet.audience.rows import rows_of
from leadmagnet.clock import Now
from leadmagnet.delivery.desk import _curriculum, _newest_videos
from leadmagnet.domain.reminders import decide, pick
from leadmagnet.domain.sequence import next_step
from leadmagnet.domain.zones import to_utc, zone
from leadmagnet.editing.shipped import SLUG, load_shipped
from leadmagnet.enrollment.path import path_of
from leadmagnet.reminders.facts import Person, gather
from leadmagnet.reminders.remind import _texts
from leadmagnet.services import Services
from leadmagnet.simulation import habits
from leadmagnet.simulation.course import Run
from leadmagnet.simulation.habits import Habit
from leadmagnet.simulation.record import Record
from leadmagnet.simulation.trouble import HEAVY, NONE
from leadmagnet.store import reports
from leadmagnet.store.counters import DeliveryCount
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber
from tests.simulation.conftest import PLAN

DAYS, STAY = 150, 30


@pytest.fixture(autouse=True)
def _many_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a step move out once the step came again in a later pass: let most people begin again."""
    monkeypatch.setitem(habits.HABITS, "finished", (Habit("restart", 0.9, 1, 200),))


@pytest.fixture
def live(empty: Callable[..., Services], tmp_path: Path) -> Callable[..., tuple[Services, list[Any]]]:
    """A maker of lives: the program's parts afterwards, and every letter as (instant, address, kind)."""
    count = iter(range(100))

    def make(url: str | None = None, *, stay: int = 0, days: int = DAYS, **changes: Any) -> tuple[Services, list[Any]]:
        number = next(count)
        services = empty(database_url=url or f"sqlite:///{tmp_path}/{number}.db", ledger_retention_days=stay)
        plan = replace(PLAN, days=days, step=timedelta(hours=3), **changes)
        config = replace(services.config, sendgrid_webhook_public_key="simulated")
        with store.writing(services.engine) as session:
            load_shipped(session, plan.begin)
        record = Record(tmp_path / f"{number}.record")
        run = Run(plan, replace(services, config=config), record, lambda _: None)
        run.go()
        letters = [(letter.at, letter.address, letter.kind) for letter in record.letters()]
        record.close()
        return replace(services, clock=run.clock), letters

    return make


def figures(session: Session, now: datetime, where: Any) -> dict[str, Any]:
    """Return every figure of the marketer's pages, of today and of each month that the course has seen."""
    sequence = store.sequences.by_slug(session, SLUG)
    assert sequence is not None
    today = now.astimezone(where).date()
    found: dict[str, Any] = {
        "steps": reports.steps(session, sequence.id),
        "path": reports.on_the_path(session),
        "hurt": reports.hurt(session, 5)[0],
        "not reminded": reports.not_reminded(session, today),
    }
    for days in (7, 30, 90, 200):
        since, recent = to_utc(today - timedelta(days=days), 0, where), today - timedelta(days=14)
        found[f"funnel {days}"] = [
            reports.funnel(session, since, now, "breathing-and-bracing", step.slug, recent)
            for step in store.sequences.steps_of(session, sequence.id)
        ]
        found[f"sources {days}"] = reports.sources(session, since, now, recent)
        found[f"trouble {days}"] = reports.trouble(session, since, now)
        found[f"joined {days}"] = reports.joined(session, since, now), reports.left(session, since, now)
        found[f"did {days}"] = reports.watched(session, since, now), reports.exercised(session, since.date(), today)
    for days in range(160):
        start, end = (to_utc(today - timedelta(days=days - more), 0, where) for more in (0, 1))
        found[f"day {days}"] = reports.day(session, start, end)
    return found


def person_by_person(session: Session, now: datetime) -> dict[int, Any]:
    """Return what pages and rules make of each person's past."""
    people = session.query(Subscriber).order_by(Subscriber.id).all()
    facts = gather(session, [_as_person(one) for one in people], (), now)
    texts, steps = _texts(session), _curriculum(store.courses.as_sent(session)).steps
    in_hand = _newest_videos(session, [one.id for one in people], steps)
    rows = {row.person.id: row.videos_sent for row in rows_of(session, people)}
    found: dict[int, Any] = {}
    for person in people:
        fact, recent = facts[person.id]
        path = path_of(session, person, now)
        found[person.id] = {
            "path": [asdict(station) for station in path.stations],
            "finished": path.finished,
            "decided": decide(fact),
            "facts": replace(fact, recent=fact.recent[-1:]),
            "this week": [day for day in fact.recent if day > fact.today - timedelta(days=8)],
            "words": [pick(texts[state], recent.texts) for state in sorted(texts)],
            "in hand": in_hand.get(person.id),
            "videos": rows[person.id],
            "open": _open(session, person),
            "next": _next(session, person),
        }
    return found


def _as_person(row: Subscriber) -> Person:
    return Person._make(getattr(row, name) for name in Person._fields)


def _open(session: Session, person: Subscriber) -> set[int | None]:
    """Return the steps whose page opens for a person."""
    query = session.query(Delivery.step_id).filter(Delivery.subscriber_id == person.id, Delivery.status.in_(OUT))
    return {step_id for (step_id,) in query if step_id is not None}


def _next(session: Session, person: Subscriber) -> Any:
    """Return the next step of every enrollment that may ever want one."""
    found = {}
    for one in session.query(Enrollment).filter_by(subscriber_id=person.id).order_by(Enrollment.id):
        rows = session.query(Delivery).filter_by(enrollment_id=one.id).order_by(Delivery.id).all()
        sent = [row.step_id for row in rows if row.status in OUT and row.step_id is not None]
        steps = [step.rule() for step in store.sequences.steps_of(session, one.sequence_id)]
        if one.status != "finished":
            found[one.id] = next_step(steps, sent)
    return found


def lists(session: Session, now: datetime) -> dict[str, Any]:
    """Return who stands at which video."""
    slugs = [step.slug for step in store.sequences.steps_of(session, 1)]
    return {slug: [one.id for one in page(session, Filter(step=slug), now, size=100).people] for slug in slugs}


def seen(services: Services) -> tuple[Any, ...]:
    now = services.clock.now().course
    with store.reading(services.engine) as session:
        where = zone(services.clinic.timezone)
        return figures(session, now, where), person_by_person(session, now), lists(session, now)


def ledger(services: Services) -> Counter[tuple[str, str]]:
    """Count emails by kind and state, in the ledger and in the counters."""
    with store.reading(services.engine) as session:
        rows = Counter((row.kind, row.status) for row in session.query(Delivery))
        for row in session.query(DeliveryCount):
            rows[row.kind, row.status] += row.emails
        return rows


def size(services: Services) -> int:
    with store.reading(services.engine) as session:
        return session.query(Delivery).count()


@pytest.mark.timeout(600)
def test_who_reads_the_ledger_reads_the_same(live: Callable[..., Any], database_url: str) -> None:
    services, _ = live(database_url, subscribers=10, trouble=HEAVY)
    services = replace(services, config=replace(services.config, ledger_retention_days=STAY))
    before, emails, rows = seen(services), ledger(services), size(services)
    moved = old_rows.move_all(services, services.clock.now)
    gone = sum(moved.emails.values())
    assert size(services) == rows - gone
    assert gone > rows // 4, "too little has moved for this to prove anything"
    assert ledger(services) == emails
    with store.reading(services.engine) as session:
        kinds = {row.kind for row in session.query(DeliveryCount)}
    assert {"confirmation", "video", "reminder", "finished"} <= kinds
    after = seen(services)
    for one, other in zip(before, after, strict=True):
        assert {key: value for key, value in other.items() if one[key] != value} == {}
    assert not sum(old_rows.move_all(services, services.clock.now).emails.values())
    assert ledger(services) == emails


@pytest.mark.timeout(600)
def test_nobody_gets_another_email_because_old_rows_move_out(live: Callable[..., Any]) -> None:
    """The same people, once with a ledger that keeps everything and once with one that does not."""
    _, whole = live(subscribers=12, days=110, trouble=NONE)
    services, letters = live(subscribers=12, days=110, trouble=NONE, stay=STAY)
    assert letters == whole
    assert size(services) < len(letters)
    assert ledger(services)["reminder", "delivered"] == sum(kind == "reminder" for *_, kind in letters)


def test_the_clock_of_a_run_is_the_real_one_too(live: Callable[..., Any]) -> None:
    """What these tests take for granted: both clocks of a simulation go together."""
    services, _ = live(subscribers=1, days=2, trouble=NONE)
    assert services.clock.now() == Now(services.clock.now().course, services.clock.now().course)
