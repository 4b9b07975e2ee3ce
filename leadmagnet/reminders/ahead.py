"""When a person's next reminder is foreseen, for pages. Changes nothing; the decision falls when its hour has come.

Must not know: how a page says it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.reminders import WEEK, WEEKLY_CAP, Cadence, cadence
from leadmagnet.domain.status import DeliveryKind, EnrollmentStatus, SubscriberStatus
from leadmagnet.domain.zones import zone
from leadmagnet.store.deliveries import OUT
from leadmagnet.store.subscribers import Subscriber

#: Exercise days looked at. Beyond them nothing is foreseen.
LOOKED_AT = 14


def next_reminder(session: Session, person: Subscriber, now: datetime, mailed: Collection[date]) -> datetime | None:
    """Return the instant of the next reminder; None while none is foreseen. `mailed`: days that get another email."""
    minute = _minute(session, person) if _is_reminded(person) else None
    if minute is None:
        return None
    where, days = zone(person.timezone), person.days
    done = {row.day for row in store.check_ins.of_subscriber(session, person.id)}
    sent = [
        row.day
        for row in store.deliveries.of_subscriber(session, person.id)
        if row.kind == DeliveryKind.REMINDER and row.status in OUT and row.day is not None
    ]
    after = now if person.snoozed_until is None else max(now, person.snoozed_until - timedelta(seconds=1))
    for _ in range(LOOKED_AT):
        after = schedule.next_on_days(after, days, minute, where)
        day = schedule.local_day(after, where)
        week = sum(day - WEEK < each <= day for each in sent)
        if day not in mailed and day not in done and day not in sent and week < WEEKLY_CAP:
            return after
    return None


def _is_reminded(person: Subscriber) -> bool:
    """Say whether reminders come at the moment, on exercise days: where they have grown rare, no day is foreseen."""
    held = person.paused_at or person.hurt_at or person.remind_at is None
    steady = cadence(person.unanswered) is Cadence.EXERCISE_DAYS
    return person.status == SubscriberStatus.ACTIVE and person.wants_reminders and steady and not held


def _minute(session: Session, person: Subscriber) -> int | None:
    """Return the local minute of the day at which reminders come; None where the clinic has paused the way."""
    enrollment = store.enrollments.newest_of(session, person.id)
    if enrollment is None:
        return None
    sequence = session.get_one(store.sequences.Sequence, enrollment.sequence_id)
    if sequence.paused_at is not None and enrollment.status == EnrollmentStatus.ACTIVE:
        return None
    rhythm = sequence.rhythm(person.chosen_hour)
    return rhythm.minute(schedule.spread_share(person.leave_id) if sequence.spread_minutes else 0.0)
