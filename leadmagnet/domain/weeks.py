"""Streaks that forgive rest days: they count weeks with enough sessions, not unbroken days.

A week runs from Monday to Sunday of the subscriber's own calendar. Must not know: what day it is, where check-ins come
from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Week:
    """One week: how many days had a session, and how many were meant to."""

    monday: date
    done: int
    goal: int

    @property
    def good(self) -> bool:
        """Whether the goal was met. A week without a session is never good, not even with a goal of none."""
        return self.done >= max(1, self.goal)


def monday_of(day: date) -> date:
    """Return the first day of the week of `day`."""
    return day - timedelta(days=day.weekday())


def _done(check_in_days: Iterable[date]) -> Counter[date]:
    """Count distinct days by their Monday: two sessions on one day are one."""
    return Counter(monday_of(day) for day in set(check_in_days))


def weeks(check_in_days: Iterable[date], goal: int, today: date, back: int = 6) -> list[Week]:
    """Return the last `back` weeks, oldest first; the last one is the week of `today`."""
    done, this = _done(check_in_days), monday_of(today)
    mondays = [this - WEEK * ago for ago in reversed(range(back))]
    return [Week(monday, done[monday], goal) for monday in mondays]


def good_run(check_in_days: Iterable[date], goal: int, today: date) -> int:
    """Return how many good weeks in a row end with this one, or with the last one: an unfinished week breaks no run."""
    done, monday = _done(check_in_days), monday_of(today)
    if not Week(monday, done[monday], goal).good:
        monday -= WEEK
    run = 0
    while Week(monday, done[monday], goal).good:
        run += 1
        monday -= WEEK
    return run
