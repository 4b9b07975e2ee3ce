"""When an email is due: delays, the hours it may go out, local days, the two nights when the clocks change.

Instants go in and come out in UTC; a zone is only ever an argument. A day's window is the stretch between two instants,
its opening and its closing, each found by `to_utc`. Must not know: the present moment, who the subscriber is, what the
email says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

# Part of this module's own interface: who asks when something is due asks for local days and times, too.
from leadmagnet.domain.zones import in_utc, local_time
from leadmagnet.domain.zones import local_day as local_day
from leadmagnet.domain.zones import to_utc as to_utc

DAY_MINUTES = 24 * 60
ONE_DAY, ONE_HOUR = timedelta(days=1), timedelta(hours=1)
EVERY_DAY = frozenset(range(7))

#: Two emails a delay in days apart are never closer than this, however late the first one went.
MINIMUM_GAP = timedelta(hours=20)
#: The most days or hours that a delay may have.
LONGEST_DELAY = 9_999
#: The hour a subscriber chose stays open for this many minutes, even outside the window.
CHOSEN_MINUTES = 60


class DelayUnit(StrEnum):
    """How a delay is counted."""

    AT_ONCE = "at_once"
    HOURS = "hours"  #: elapsed time
    DAYS = "days"  #: local calendar days


@dataclass(frozen=True, slots=True)
class Delay:
    """How long after the previous email a step is due."""

    amount: int
    unit: DelayUnit

    def __post_init__(self) -> None:
        """Refuse a delay that means nothing."""
        if self.amount not in (range(1) if self.unit is DelayUnit.AT_ONCE else range(1, LONGEST_DELAY + 1)):
            raise ValueError(f"a delay is at confirmation, or 1 to 9999 hours or days, not {self.amount}")

    def words(self) -> str:
        """Return the delay as a marketer writes it; `parse_delay` reads it back."""
        if self.unit is DelayUnit.AT_ONCE:
            return "at confirmation"
        return f"{self.amount} {self.unit if self.amount > 1 else self.unit.removesuffix('s')}"


def parse_delay(text: str) -> Delay:
    """Read "3 days", "36 hours" or "at confirmation". Raises ValueError."""
    words = " ".join(text.lower().split())
    if words == "at confirmation":
        return Delay(0, DelayUnit.AT_ONCE)
    if found := re.fullmatch(r"([0-9]{1,4}) ?(hour|day)s?", words):
        return Delay(int(found[1]), DelayUnit(found[2] + "s"))
    raise ValueError(f"a delay is written as '3 days', '36 hours' or 'at confirmation', not {text[:40]!r}")


@dataclass(frozen=True, slots=True)
class Window:
    """The minutes of the local day and the weekdays (Monday is 0) on which email may go out. `closes` is outside."""

    opens: int
    closes: int
    weekdays: frozenset[int] = EVERY_DAY

    def __post_init__(self) -> None:
        """Refuse a window through which nothing could ever go."""
        if not 0 <= self.opens < self.closes <= DAY_MINUTES:
            raise ValueError("a window opens before it closes, between 00:00 and 24:00 of one day")
        if not self.weekdays or not self.weekdays <= EVERY_DAY:
            raise ValueError("a window needs at least one weekday, Monday 0 to Sunday 6")


def parse_clock(text: str) -> int:
    """Read "09:00" as a minute of the day; "24:00" is its end. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])", text.strip())
    if found and (minute := int(found[1]) * 60 + int(found[2])) <= DAY_MINUTES:
        return minute
    raise ValueError(f"a time of day is written as '09:00', up to '24:00', not {text[:40]!r}")


def clock_words(minute: int) -> str:
    """Return a minute of the day as "09:00"; `parse_clock` reads it back."""
    return f"{minute // 60:02}:{minute % 60:02}"


def parse_window(text: str, weekdays: Collection[int] = EVERY_DAY) -> Window:
    """Read "08:00-20:00". Raises ValueError."""
    opens, dash, closes = text.partition("-")
    if not dash:
        raise ValueError(f"a window is written as '08:00-20:00', not {text[:40]!r}")
    return Window(parse_clock(opens), parse_clock(closes), frozenset(weekdays))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The preferred minute of the day, in a window. `chosen`: the subscriber picked it, and that beats the window."""

    at: int
    window: Window
    spread_minutes: int = 0
    chosen: bool = False

    def __post_init__(self) -> None:
        """Refuse an hour at which nothing could go out."""
        if not 0 <= self.at < DAY_MINUTES:
            raise ValueError("the preferred time lies between 00:00 and 23:59")
        if self.spread_minutes < 0:
            raise ValueError("a spread is 0 minutes or more")
        if not self.chosen and not self.window.opens <= self.at < self.window.closes:
            raise ValueError(f"the preferred time {clock_words(self.at)} lies outside the window")

    @classmethod
    def of(
        cls, hour: int, opens: int, closes: int, weekdays: str, spread_minutes: int, chosen_hour: int | None
    ) -> Rhythm:
        """Return a sequence's rhythm for somebody, with the hour that this person chose, where one was chosen.

        `hour`, `opens`, `closes`: minutes of the local day. `weekdays`: digits, Monday 0.
        """
        window = Window(opens, closes, frozenset(int(digit) for digit in weekdays))
        at = hour if chosen_hour is None else chosen_hour * 60
        return cls(at, window, spread_minutes, chosen=chosen_hour is not None)

    @property
    def effective(self) -> Window:
        """The window that counts: stretched to hold the hour that the subscriber chose."""
        if not self.chosen:
            return self.window
        closes = min(DAY_MINUTES, max(self.window.closes, self.at + CHOSEN_MINUTES))
        return Window(min(self.window.opens, self.at), closes, self.window.weekdays)

    def minute(self, share: float = 0.0) -> int:
        """Return the preferred minute moved by a share of the spread, or of what the window leaves of it."""
        closes = self.effective.closes
        return min(closes - 1, self.at + int(share * min(self.spread_minutes, closes - self.at)))


def _span(day: date, rhythm: Rhythm, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Return the opening and closing instants of the day's window; None where clocks skip over all of that day."""
    window = rhythm.effective
    opens, closes = to_utc(day, window.opens, zone), to_utc(day, window.closes, zone)
    if opens < closes:
        return opens, closes
    # The spring gap swallows the whole window: it opens right after the gap, for as long as it would have.
    swallowed = local_day(opens, zone) == day
    return (opens, opens + timedelta(minutes=window.closes - window.opens)) if swallowed else None


def opens_at(instant: datetime, rhythm: Rhythm, zone: ZoneInfo, *, taken: Collection[date] = ()) -> datetime:
    """Return the first instant not before `instant` inside the window, on an allowed weekday and no taken local day."""
    window, day = rhythm.effective, local_day(instant, zone)
    while True:
        span = _span(day, rhythm, zone) if day.weekday() in window.weekdays and day not in taken else None
        if span and instant < span[1]:
            found = max(in_utc(instant), span[0])
            opening = datetime.combine(day, time()) + timedelta(minutes=window.opens)
            if local_time(found, zone) >= opening:
                return found
            # Clocks went back to before the opening: it opens once more on their second pass.
            return opening.replace(tzinfo=zone, fold=1).astimezone(UTC)
        day += ONE_DAY


def inside(instant: datetime, rhythm: Rhythm, zone: ZoneInfo) -> bool:
    """Say whether an email may go out at this instant, weekday included."""
    return opens_at(instant, rhythm, zone) == in_utc(instant)


def closes_at(due: datetime, rhythm: Rhythm, zone: ZoneInfo) -> datetime:
    """Return the end of the window on the local day of `due`: from then on it is too late for that day."""
    day = local_day(due, zone)
    span = _span(day, rhythm, zone)
    return span[1] if span else to_utc(day, rhythm.effective.closes, zone)


def due_at(
    previous: datetime,
    delay: Delay,
    rhythm: Rhythm,
    zone: ZoneInfo,
    *,
    share: float = 0.0,
    taken: Collection[date] = (),
    previous_counts: bool = True,
) -> datetime:
    """Return when a step is due that comes `delay` after `previous`, the instant the previous email really went out.

    `taken`: local days that already have their one automatic email. The local day of `previous` is one of them unless
    `previous_counts` is false: video 1 and answers are exempt, so a step "6 hours" after video 1 may go the same day.
    MINIMUM_GAP is for days: who writes "6 hours" means it, and one email a day already parts two ordinary ones.
    """
    previous = in_utc(previous)  # Python adds to an instant in another zone by the wall clock.
    if delay.unit is DelayUnit.AT_ONCE:
        return previous
    busy = {*taken, local_day(previous, zone)} if previous_counts else set(taken)
    if delay.unit is DelayUnit.HOURS:
        return _after_hours(previous + timedelta(hours=delay.amount), rhythm, zone, share, busy)
    return _on_a_day(previous, delay.amount, rhythm, zone, share, busy)


def _after_hours(elapsed: datetime, rhythm: Rhythm, zone: ZoneInfo, share: float, busy: Collection[date]) -> datetime:
    due = opens_at(elapsed, rhythm, zone, taken=busy)
    if due == elapsed:
        return due
    # The night gathers people at the opening, so that is a big hour, too.
    room = (closes_at(due, rhythm, zone) - due) // timedelta(minutes=1)
    return due + timedelta(minutes=int(share * min(rhythm.spread_minutes, room)))


def _on_a_day(
    previous: datetime, days: int, rhythm: Rhythm, zone: ZoneInfo, share: float, busy: Collection[date]
) -> datetime:
    earliest = previous + MINIMUM_GAP
    day = local_day(previous, zone) + days * ONE_DAY
    while True:
        if day.weekday() in rhythm.window.weekdays and day not in busy and (span := _span(day, rhythm, zone)):
            due = to_utc(day, rhythm.minute(share), zone)
            if due < earliest:
                due = opens_at(earliest, rhythm, zone, taken=busy)
            # Too late for this day: then the next one, at the preferred hour again.
            if span[0] <= due < span[1]:
                return due
        day += ONE_DAY


def next_on_days(after: datetime, days: Collection[int], at: int, zone: ZoneInfo) -> datetime:
    """Return the next instant strictly after `after` at local minute `at` on one of the weekdays. Raises ValueError."""
    if not EVERY_DAY.intersection(days):
        raise ValueError("at least one weekday is needed, Monday 0 to Sunday 6")
    day = local_day(after, zone)
    while True:
        found = to_utc(day, at, zone)
        # A gap can carry the time into another day, which may be a day of rest.
        if day.weekday() in days and found > after and local_day(found, zone) == day:
            return found
        day += ONE_DAY


def spread_share(key: str) -> float:
    """Return a number from 0 up to 1, fixed for a subscriber, on which every machine and every start agrees."""
    return (int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 11) / 2**53
