"""'I did it', with how it felt. 'It hurt' stops the reminders and holds the next video until the person says go on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.schedule import local_day
from leadmagnet.domain.status import SkipReason
from leadmagnet.domain.zones import zone
from leadmagnet.feedback.answers import answered, drop_reminders, want_plan
from leadmagnet.store.check_ins import CheckIn, Felt
from leadmagnet.store.subscribers import Subscriber

NOTE_LENGTH = 2000


def check_in(session: Session, person: Subscriber, step_slug: str, felt: Felt, now: datetime, note: str = "") -> None:
    """Record a session of one exercise. Once a local day for each exercise: a second word replaces the first."""
    row = _today(session, person, step_slug, now)
    if row is None:
        day = local_day(now, zone(person.timezone))
        row = CheckIn(subscriber_id=person.id, step_slug=step_slug, day=day, at=now)
        session.add(row)
    row.felt, row.note = felt, note[:NOTE_LENGTH] or (row.note or "")
    answered(person, now, exercised=True)
    if felt is Felt.HURT:
        _hurt(session, person, step_slug, now)
    else:
        drop_reminders(session, person.id, SkipReason.DONE_TODAY)


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


def _hurt(session: Session, person: Subscriber, step_slug: str, now: datetime) -> None:
    if person.hurt_at is None:
        person.hurt_at = now
        store.activities.add(session, person.id, now, "hurt", detail=step_slug)
    drop_reminders(session, person.id, SkipReason.HURT)
    want_plan(session, person.id)
