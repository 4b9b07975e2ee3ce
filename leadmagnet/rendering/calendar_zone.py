"""A zone's rules as an iCalendar file holds them: each change of the clocks with its exact instant.

The library's own way from a zone puts the onset of summer time an hour late, so the changes are found here, from the
same pinned rules that the schedule follows. Must not know: what happens at which hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import icalendar

#: How far ahead changes are listed. A program that follows the file asks for it again each day.
YEARS = 10
_STEP = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Kind(NamedTuple):
    """One sort of change: from one offset to another."""

    before: timedelta
    after: timedelta
    name: str
    summer: bool


@lru_cache(maxsize=128)
def rules(zone: ZoneInfo, year: int) -> icalendar.Timezone:
    """Return the rules of a zone from the beginning of a year on."""
    # A day before: east of Greenwich the year has begun by then.
    begin, end = datetime(year, 1, 1, tzinfo=UTC) - _STEP, datetime(year + YEARS, 1, 1, tzinfo=UTC)
    found = icalendar.Timezone()
    found.add("tzid", zone.key)
    found.add_component(_observance(_kind(begin, begin, zone), [begin]))
    changes: dict[Kind, list[datetime]] = defaultdict(list)
    for at in _changes(zone, begin, end):
        changes[_kind(at - _SECOND, at, zone)].append(at)
    for kind, instants in changes.items():
        found.add_component(_observance(kind, instants))
    return found


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _kind(before: datetime, after: datetime, zone: ZoneInfo) -> Kind:
    there = after.astimezone(zone)
    return Kind(_offset(before, zone), _offset(after, zone), there.tzname() or "", bool(there.dst()))


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Give the instants at which the offset changes; no zone changes it twice within a day."""
    at = begin
    while at < end:
        after = at + _STEP
        if _offset(at, zone) != _offset(after, zone):
            low, high = at, after
            while high - low > _SECOND:
                middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
                low, high = (middle, high) if _offset(middle, zone) == _offset(at, zone) else (low, middle)
            yield high
        at = after


def _observance(kind: Kind, instants: list[datetime]) -> icalendar.Component:
    """Return one sort of change. RFC 5545, 3.6.5: an onset is the local time that clocks showed until then."""
    found = icalendar.TimezoneDaylight() if kind.summer else icalendar.TimezoneStandard()
    onsets = [(at + kind.before).replace(tzinfo=None) for at in instants]
    found.add("dtstart", onsets[0])
    if onsets[1:]:
        found.add("rdate", onsets[1:])
    found.add("tzname", kind.name)
    found.add("tzoffsetfrom", kind.before)
    found.add("tzoffsetto", kind.after)
    return found
