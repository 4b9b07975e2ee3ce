"""How many emails may go out now: a second in all, a second to each recipient's domain, a day, and while warming up.

Pure arithmetic. Must not know: where the counts are kept, which emails wait.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

#: Seconds of the rate that may go out at once after a rest.
BURST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DomainRates:
    """Emails a second to each recipient's domain, each domain by itself. Nothing set means no limit."""

    named: tuple[tuple[str, float], ...] = ()
    """Domains as in canonical addresses: lower case, ASCII."""
    others: float | None = None
    """For each domain that is not named."""

    def __bool__(self) -> bool:
        """Say whether there is any limit."""
        return bool(self.named) or self.others is not None

    def of(self, domain: str) -> float | None:
        """Return the emails a second to a domain; None for no limit."""
        return dict(self.named).get(domain, self.others)


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
    domains: DomainRates = field(default_factory=DomainRates)

    def __bool__(self) -> bool:
        """Say whether there is any limit."""
        return self.per_second is not None or self.counts_days or bool(self.domains)

    @property
    def counts_days(self) -> bool:
        """Whether there is a limit to the emails of a day."""
        return self.per_day is not None or bool(self.ramp)


@dataclass(frozen=True, slots=True)
class Pace:
    """What has gone out so far. `tokens` are emails that may go out at `at` (real clock) by the rate a second."""

    tokens: float
    at: datetime
    day: date
    sent: int = 0
    """Emails of that day."""
    ramp_began: date | None = None


def full(rate: float) -> float:
    """Return the most emails that may go out at once under a rate a second; a slow rate may save up one."""
    return max(1.0, rate * BURST_SECONDS)


def filled(tokens: float, since: datetime, rate: float, now: datetime) -> float:
    """Return the emails that may go out now, where it was `tokens` at `since`."""
    # A clock that was set back brings nothing, and takes nothing away.
    return min(full(rate), tokens + max(0.0, (now - since).total_seconds()) * rate)


def whole(tokens: float) -> int:
    """Return how many whole emails that is."""
    return max(0, math.floor(tokens + 1e-9))


def whole_at(tokens: float, rate: float | None, now: datetime) -> datetime:
    """Return when one whole email may go out, where it is `tokens` now."""
    return now if rate is None else now + timedelta(seconds=max(0.0, 1.0 - tokens) / rate)


def slowest(rates: DomainRates) -> float:
    """Return after how many seconds every domain may have its full measure again, whatever has gone out to it."""
    given = [rate for _, rate in rates.named] + ([rates.others] if rates.others is not None else [])
    return max((full(rate) / rate for rate in given), default=0.0)


def carried(pace: Pace, limits: Limits, now: datetime, today: date) -> Pace:
    """Return the pace as it stands now: tokens have come in, and a new day begins at nothing."""
    if limits.per_second is not None:
        pace = replace(pace, tokens=filled(pace.tokens, pace.at, limits.per_second, now))
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
        wanted = min(wanted, whole(pace.tokens))
    most = None if answers else day_limit(limits, pace.ramp_began, pace.day)
    if most is not None:
        wanted = min(wanted, most - pace.sent - in_hand)
    return max(0, wanted)


@dataclass(slots=True)
class Sorted:
    """Which emails of a queue go now, and which wait, by their domain. What comes after them stays in the queue."""

    go: list[int] = field(default_factory=list)
    wait: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Emails that go, by limited domain."""


def sort_out(queue: Iterable[tuple[int, str]], free: Mapping[str, int], room: int) -> Sorted:
    """Go through a queue of (id, domain), the oldest first, until `room` emails may go.

    `free`: how many may go to a domain now; one that is not in it has no limit.
    """
    found = Sorted()
    for row_id, domain in queue:
        if len(found.go) == room:
            break
        limit = free.get(domain)
        if limit is not None and found.taken[domain] >= limit:
            found.wait[domain].append(row_id)
            continue
        found.go.append(row_id)
        if limit is not None:
            found.taken[domain] += 1
    return found
