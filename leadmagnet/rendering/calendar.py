"""A person's exercise days as an iCalendar file (RFC 5545): one event that comes back each week, in their own zone.

A calendar is shown to family and colleagues: the title says nothing of anybody's health, and no link is a key.
Must not know: who the person is, where the rhythm is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar

from leadmagnet.domain.zones import local_day
from leadmagnet.rendering.calendar_zone import rules

TITLE = "Ten quiet minutes"
LASTS = timedelta(minutes=15)
#: How often a calendar program may look for other days.
LOOK_AGAIN = timedelta(days=1)  # P1D
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class ExerciseDays:
    """Weekdays (Monday 0), the local minute of the day, the zone, and from which day on; no days: no event."""

    days: Collection[int]
    minute: int
    zone: ZoneInfo
    begins: date


def calendar_file(rhythm: ExerciseDays, uid: str, name: str, now: datetime) -> bytes:
    """Return the file. `uid` names the event for good, `name` the calendar; `now` stamps it.

    The event's time is a local one with the zone's rules beside it, so it keeps its hour when the clocks change.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Leadmagnet//Exercise days//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", LOOK_AGAIN, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "P1D")
    if rhythm.days:
        calendar.add_component(_event(rhythm, uid, now))
    calendar.add_component(rules(rhythm.zone, rhythm.begins.year))
    file: bytes = calendar.to_ical()
    return file


def _first(rhythm: ExerciseDays) -> date:
    """Return the first exercise day from where it begins: an event's start must fit its own rule."""
    ahead = (rhythm.begins + timedelta(days=number) for number in range(7))
    return next((day for day in ahead if day.weekday() in rhythm.days), rhythm.begins)


def _event(rhythm: ExerciseDays, uid: str, now: datetime) -> icalendar.Event:
    hour = time(rhythm.minute // 60, rhythm.minute % 60)
    event = icalendar.Event()
    event.add("uid", uid)
    event.add("dtstamp", now)
    event.add("dtstart", datetime.combine(_first(rhythm), hour, tzinfo=rhythm.zone))
    event.add("duration", LASTS)
    event.add("rrule", {"freq": "weekly", "byday": [_DAYS[day] for day in sorted(rhythm.days)]})
    event.add("summary", TITLE)
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    return event


def first_day(now: datetime, zone: ZoneInfo, resting_until: datetime | None) -> date:
    """Return the local day from which the event comes: today, or the end of a break."""
    return max(local_day(now, zone), local_day(resting_until, zone) if resting_until else date.min)
