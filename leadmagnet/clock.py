"""The one place that asks for the time. Everything else takes an instant as an argument.

Two clocks: the course clock carries the schedule, the reminders and the dates people read, and can run fast (a time
lapse shows weeks in minutes); the real clock carries leases, tokens, cool-downs and rate limits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

#: Where a fast clock stops: there is no date after the year 9999, and what is planned lies some years ahead.
END = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Anchor:
    """At the real instant `real_at` the course clock showed `course_at`; it runs `rate` course seconds a second."""

    real_at: datetime
    course_at: datetime
    rate: float

    def course(self, real_now: datetime) -> datetime:
        """Return what the course clock shows at a real instant; END at the latest."""
        try:
            return min(self.course_at + (real_now - self.real_at) * self.rate, END)
        except OverflowError:
            return END


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks, aware UTC."""

    course: datetime
    real: datetime


def real_now() -> datetime:
    """Return the real time, aware UTC."""
    return datetime.now(UTC)


class Clock:
    """Both clocks. The anchor is looked up when the time is first asked for, because it lies in the database."""

    def __init__(self, find_anchor: Callable[[], Anchor | None]) -> None:
        """Take the function that finds the anchor; None means that both clocks agree."""
        self._find_anchor = find_anchor
        self._anchor: Anchor | None = None
        self._asked = False

    def now(self) -> Now:
        """Return this moment on both clocks."""
        if not self._asked:
            self._anchor, self._asked = self._find_anchor(), True
        real = real_now()
        return Now(self._anchor.course(real) if self._anchor else real, real)
