"""What the own page says of the next email: which one it is, on which day and around which hour.

Must not know: how it was planned.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.domain.zones import local_day, local_time, zone
from leadmagnet.enrollment.path import Path
from leadmagnet.reminders.ahead import next_reminder
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import words


def next_email(session: Session, person: Subscriber, path: Path, moment: datetime) -> str:
    """Return a sentence about the next email, to stand below the one about the next video; empty where none comes."""
    where = zone(person.timezone)
    coming = _of_the_course(session, person, path)
    mailed = {local_day(coming[0], where)} if coming else set()
    reminder = next_reminder(session, person, moment, mailed)
    if reminder is not None and (coming is None or reminder < coming[0]):
        aside = ", unless you’ve done your exercises by then"
        return f"Your next email: a reminder, {_when(reminder, moment, where)}{aside}."
    if coming is None:
        return ""
    at, what = coming
    if what:
        return f"Your next email: {what}, {_when(at, moment, where)}."
    return f"That’s your next email, {_hour(at, where)}." if at > moment else ""


def _of_the_course(session: Session, person: Subscriber, path: Path) -> tuple[datetime, str] | None:
    """Return when the next email of the course is foreseen, and what it is; the video is named above it already."""
    if person.paused_at or person.hurt_at or path.resting:
        return None
    if path.next is not None:
        return (path.next.at, "") if path.next.at else None
    rows = store.deliveries.due_of(session, person.id)
    closing = next((row for row in rows if row.kind == DeliveryKind.FINISHED and row.held is None), None)
    return (closing.due_at, "a few words to end the course") if closing else None


def _when(at: datetime, moment: datetime, where: ZoneInfo) -> str:
    """Return "on Sunday, 8 March, around 9 in the morning"."""
    if at <= moment:
        return "within minutes"
    day = local_day(at, where)
    return f"{'today' if day == local_day(moment, where) else f'on {words.full_day(day)}'}, {_hour(at, where)}"


def _hour(at: datetime, where: ZoneInfo) -> str:
    return f"around {words.hour(local_time(at, where).hour * 60)}"
