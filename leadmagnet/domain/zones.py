"""Time zones by IANA name, from the pinned tzdata package, and the way between a local clock and an instant.

The system's copy of the zone rules is never read: the two disagree (Vancouver among others), and an email must not move
by an hour because a machine was updated. Must not know: whose zone it is, what happens at that time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo


class UnknownZone(ValueError):
    """The name is not one of the zones that tzdata lists."""


@cache
def all_zones() -> frozenset[str]:
    """Return every zone name that tzdata knows, old spellings included (browsers still send some)."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def known(name: str) -> bool:
    """Say whether `name` is a zone. Anything that is not in the list is refused, paths among them."""
    return name in all_zones()


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone called `name`, such as "Europe/Zurich". Raises UnknownZone."""
    if not known(name):
        # The name came from outside: quoted and cut, so that it cannot fill or forge a log line.
        raise UnknownZone(f"{name[:64]!r} is not a time zone; names look like 'America/Vancouver'")
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def in_utc(instant: datetime) -> datetime:
    """Return the same instant in UTC, in which adding hours means elapsed hours. Raises ValueError when it is naive."""
    if instant.tzinfo is None:
        raise ValueError("an instant must be aware: a naive one would be read in the machine's own zone")
    return instant.astimezone(UTC)


def local_time(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what clocks and calendars in that zone show, without a zone."""
    return in_utc(instant).astimezone(zone).replace(tzinfo=None)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the date on a calendar in that zone."""
    return local_time(instant, zone).date()


# Whoever plans for many asks for the same hour of the same day and zone again and again.
@lru_cache(maxsize=32_768)
def to_utc(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the first instant at which clocks in that zone show this minute of the day, or a later time.

    So a time in the spring gap gives the first instant after the gap, and an ambiguous one its first pass.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if local_time(found, zone) == wall:
        return found
    # In a gap the two folds lie on either side of the transition; close in on it. Gaps last 30 minutes to a day.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while found - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((found - before).total_seconds()) // 2)
        before, found = (before, middle) if local_time(middle, zone) >= wall else (middle, found)
    return found
