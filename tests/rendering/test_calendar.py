"""The exercise days as a calendar file, read back: right days and hour, all year, and nothing of anybody's health."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import icalendar
import pytest
from dateutil.rrule import rrulestr

from leadmagnet.domain.zones import local_day, zone
from leadmagnet.rendering.calendar import TITLE, ExerciseDays, calendar_file, first_day
from leadmagnet.rendering.calendar_zone import rules

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
ZONES = ["Europe/Zurich", "America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]


def read(name: str = "Europe/Zurich", days: tuple[int, ...] = (0, 2, 4), minute: int = 540) -> icalendar.Calendar:
    rhythm = ExerciseDays(days, minute, zone(name), date(2026, 3, 3))
    file = calendar_file(rhythm, "somebody@leadmagnet", "Quiet minutes", NOW)
    assert file.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in file.split(b"\r\n"))
    return icalendar.Calendar.from_ical(file)


@pytest.mark.parametrize("name", ZONES)
def test_every_exercise_day_of_a_year_at_the_same_hour_on_the_person_s_own_clock(name: str) -> None:
    calendar = read(name, (1, 5), 450)
    (event,) = calendar.walk("VEVENT")
    assert event["DTSTART"].params.get("TZID", "UTC") == name
    start, rule = event.decoded("DTSTART").replace(tzinfo=None), event["RRULE"].to_ical().decode()
    found = rrulestr(rule, dtstart=start).between(start, start + timedelta(days=364), inc=True)
    there = [day for day in (date(2026, 3, 3) + timedelta(days=n) for n in range(365)) if day.weekday() in (1, 5)]
    assert found == [datetime.combine(day, time(7, 30)) for day in there]


@pytest.mark.parametrize("name", ZONES)
def test_the_zone_s_rules_in_the_file_are_those_that_the_schedule_follows(name: str) -> None:
    """Each onset, as RFC 5545 reckons it, is an instant at which the pinned rules change; and none is left out."""
    (told,) = read(name).walk("VTIMEZONE")
    assert told["TZID"] == name
    where, changes = zone(name), {}
    for part in told.subcomponents:
        dates = [part.decoded("DTSTART"), *(each.dt for each in (part["RDATE"].dts if "RDATE" in part else []))]
        for onset in dates:
            changes[(onset - part.decoded("TZOFFSETFROM")).replace(tzinfo=UTC)] = part.decoded("TZOFFSETTO")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    while at < datetime(2028, 1, 1, tzinfo=UTC):
        offset = [changes[when] for when in sorted(changes) if when <= at][-1]
        assert at.astimezone(where).utcoffset() == offset, at
        at += timedelta(hours=1)


def test_the_rules_of_a_zone_are_worked_out_once() -> None:
    assert rules(zone("Europe/Zurich"), 2026) is rules(zone("Europe/Zurich"), 2026)


def test_it_says_nothing_of_health_and_holds_no_key() -> None:
    (event,) = read().walk("VEVENT")
    assert event["SUMMARY"] == TITLE == "Ten quiet minutes"
    assert not {"DESCRIPTION", "URL", "LOCATION", "ATTENDEE", "ORGANIZER"} & set(event)
    assert event["CLASS"] == "PRIVATE"
    assert event["TRANSP"] == "TRANSPARENT"


def test_the_first_event_lies_on_an_exercise_day() -> None:
    (event,) = read(days=(6,)).walk("VEVENT")
    assert event.decoded("DTSTART").date() == date(2026, 3, 8)


def test_without_days_there_is_a_calendar_and_no_event() -> None:
    calendar = read(days=())
    assert not calendar.walk("VEVENT")
    assert calendar.walk("VTIMEZONE")


def test_it_begins_today_or_when_a_break_ends() -> None:
    where = zone("Pacific/Auckland")
    assert first_day(NOW, where, None) == local_day(NOW, where) == date(2026, 3, 3)
    assert first_day(NOW, where, NOW + timedelta(days=9)) == date(2026, 3, 12)
    assert first_day(NOW, where, NOW - timedelta(days=9)) == date(2026, 3, 3)
