"""How many emails may go out now: so many a second, so many a day, and a ramp for a sender whose name is new.

Pure arithmetic. Must not know: where the counts are kept, which emails wait.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime

#: Seconds of the rate that may go out at once after a rest.
BURST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator has set. Nothing set means no limit."""

    per_second: float | None = None
    per_day: int | None = None
    ramp: tuple[int, ...] = ()
    """Emails on the first day, on the second … After the last one the ramp is over."""
    ramp_begins: date | None = None
    """None: the day of the first email under the ramp."""
    zone: str = "UTC"
    """Where a day begins."""

    def __bool__(self) -> bool:
        """Say whether there is any limit."""
        return self.per_second is not None or self.per_day is not None or bool(self.ramp)


@dataclass(frozen=True, slots=True)
class Pace:
    """What has gone out so far. `tokens` are emails that may go out at `at` (real clock) by the rate a second."""

    tokens: float
    at: datetime
    day: date
    sent: int = 0
    """Emails of that day."""
    ramp_began: date | None = None


def carried(pace: Pace, limits: Limits, now: datetime, today: date) -> Pace:
    """Return the pace as it stands now: tokens have come in, and a new day begins at nothing."""
    if limits.per_second is not None:
        most = max(1.0, limits.per_second * BURST_SECONDS)
        # A clock that was set back brings nothing, and takes nothing away.
        came = max(0.0, (now - pace.at).total_seconds()) * limits.per_second
        pace = replace(pace, tokens=min(most, pace.tokens + came))
    if pace.day != today:
        pace = replace(pace, day=today, sent=0)
    return replace(pace, at=now)


def ramp_today(limits: Limits, began: date | None, today: date) -> int | None:
    """Return what the ramp allows today; None where there is none, or it is over.

    Before it begins, its first day holds.
    """
    if not limits.ramp:
        return None
    number = max(0, (today - (limits.ramp_begins or began or today)).days)
    return limits.ramp[number] if number < len(limits.ramp) else None


def day_limit(limits: Limits, began: date | None, today: date) -> int | None:
    """Return how many emails may go out today in all; None where there is no limit."""
    bounds = [bound for bound in (limits.per_day, ramp_today(limits, began, today)) if bound is not None]
    return min(bounds, default=None)


def room(pace: Pace, limits: Limits, wanted: int, *, in_hand: int, answers: bool) -> int:
    """Return how many of `wanted` emails may be claimed, at a pace that is carried to this moment.

    `in_hand`: claimed, and their call not begun. `answers` to what a person has just done keep the rate a second, but
    do not wait for another day: a link to confirm that comes tomorrow is of no use.
    """
    if limits.per_second is not None:
        wanted = min(wanted, math.floor(pace.tokens + 1e-9))
    most = None if answers else day_limit(limits, pace.ramp_began, pace.day)
    if most is not None:
        wanted = min(wanted, most - pace.sent - in_hand)
    return max(0, wanted)
