"""The own page's breaks: all emails pause, or reminders rest; for a while, until a date, or until the person is back.

Dates are days on the person's own calendar. Must not know: what a break changes.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import request
from sqlalchemy.orm import Session

from leadmagnet.domain.breaks import LONGEST, BadDay, parse_end
from leadmagnet.domain.zones import local_day, to_utc, zone
from leadmagnet.feedback import steering
from leadmagnet.store.subscribers import Subscriber

_PAUSES = {"7": 7, "14": 14}
_WEEK = 7


def bounds(person: Subscriber, moment: datetime) -> tuple[date, date]:
    """Return the first and the last day on which a break may end."""
    today = local_day(moment, zone(person.timezone))
    return today + timedelta(days=1), today + LONGEST


def pause(session: Session, person: Subscriber, moment: datetime) -> str:
    """Pause all emails for some days, or until the person comes back."""
    chosen = _PAUSES.get(request.form.get("pause", ""))
    steering.pause(session, person, moment, _days_on(person, moment, chosen) if chosen else None)
    return "paused"


def pause_until(session: Session, person: Subscriber, moment: datetime) -> str:
    """Pause all emails until a date."""
    end = _chosen(person, moment)
    if end is None:
        return "no_date"
    steering.pause(session, person, moment, end)
    return "paused"


def snooze(session: Session, person: Subscriber, moment: datetime) -> str:
    """Let reminders rest for a week."""
    steering.snooze(session, person, moment, _days_on(person, moment, _WEEK))
    return "snoozed"


def snooze_until(session: Session, person: Subscriber, moment: datetime) -> str:
    """Let reminders rest until a date."""
    end = _chosen(person, moment)
    if end is None:
        return "no_date"
    steering.snooze(session, person, moment, end)
    return "snoozed"


def _days_on(person: Subscriber, moment: datetime, days: int) -> datetime:
    """Return the beginning of the local day so many days on."""
    where = zone(person.timezone)
    return to_utc(local_day(moment, where) + timedelta(days=days), 0, where)


def _chosen(person: Subscriber, moment: datetime) -> datetime | None:
    """Return the beginning of the day in the date field; None where there is none on which a break can end."""
    where = zone(person.timezone)
    try:
        day = parse_end(request.form.get("until", ""), local_day(moment, where))
    except BadDay:
        return None
    return to_utc(day, 0, where)
