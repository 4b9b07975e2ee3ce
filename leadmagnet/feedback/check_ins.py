"""'I did it', with how it felt. 'It hurt' stops the reminders and holds the next video until the person says go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.schedule import ONE_DAY, local_day
from leadmagnet.domain.status import SkipReason
from leadmagnet.domain.zones import zone
from leadmagnet.feedback.answers import answered, drop_reminders_of, want_plans
from leadmagnet.store.check_ins import CheckIn, Felt
from leadmagnet.store.subscribers import Subscriber

NOTE_LENGTH = 2000


class Exercised(NamedTuple):
    """Who has done which exercise, how it felt, and what they wrote about it."""

    person: Subscriber
    step_slug: str
    felt: Felt
    note: str = ""


def check_in(session: Session, person: Subscriber, step_slug: str, felt: Felt, now: datetime, note: str = "") -> None:
    """Record a session of one exercise. Once a local day for each exercise: a second word replaces the first."""
    check_in_all(session, [Exercised(person, step_slug, felt, note)], now)


def check_in_all(session: Session, done: Sequence[Exercised], now: datetime) -> None:
    """Record what different people have done at one moment: a few statements, however many they are."""
    # No zone is more than a day behind UTC.
    known = store.check_ins.since(session, [one.person.id for one in done], (now - ONE_DAY).date())
    for person, step_slug, felt, note in done:
        day = local_day(now, zone(person.timezone))
        row = known.get((person.id, step_slug, day))
        if row is None:
            row = CheckIn(subscriber_id=person.id, step_slug=step_slug, day=day, at=now)
            session.add(row)
        row.felt, row.note = felt, note[:NOTE_LENGTH] or (row.note or "")
        answered(person, now, exercised=True)
    hurt = [one for one in done if one.felt is Felt.HURT]
    for person, step_slug, *_ in hurt:
        if person.hurt_at is None:
            person.hurt_at = now
            store.activities.add(session, person.id, now, "hurt", detail=step_slug)
    drop_reminders_of(session, [one.person.id for one in done if one.felt is not Felt.HURT], SkipReason.DONE_TODAY)
    drop_reminders_of(session, [one.person.id for one in hurt], SkipReason.HURT)
    want_plans(session, [one.person.id for one in hurt])


def add_note(session: Session, person: Subscriber, step_slug: str, note: str, now: datetime) -> None:
    """Add the person's words to today's check-in; without one they are kept as an activity."""
    row = _today(session, person, step_slug, now)
    if row is not None:
        row.note = note[:NOTE_LENGTH]
    else:
        store.activities.add(session, person.id, now, "note", detail=note[:NOTE_LENGTH])


def _today(session: Session, person: Subscriber, step_slug: str, now: datetime) -> CheckIn | None:
    day = local_day(now, zone(person.timezone))
    return session.query(CheckIn).filter_by(subscriber_id=person.id, step_slug=step_slug, day=day).one_or_none()
