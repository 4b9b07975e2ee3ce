"""The claim under rates by recipient's domain: the emails of a slow domain wait aside, those of all others go.

Tokens are paid at the claim, so no rate is ever exceeded, by however many workers. The caller holds the lock of the
pace (`pace.room`). Must not know: letters, providers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.rates import DomainRates, Limits, filled, full, slowest, sort_out, whole, whole_at
from leadmagnet.store.agenda import Agenda
from leadmagnet.store.slow_lanes import Bucket

#: Rows of the shared lane that one look takes in; how many times the batch one transaction looks at; and how many such
#: transactions in a row may find only rows that must wait. Each is moved aside but once: the next claim begins behind.
LOOK, MOST_LOOKED, LOOKS = 1000, 4, 20
#: Domains with a lane of their own that one claim serves.
SERVED = 50
#: Rows that one transaction brings back once no rate is set any more.
BROUGHT_BACK = 5000


@dataclass(slots=True)
class DomainClaim:
    """One claim in the making."""

    session: Session
    rates: DomainRates
    now: Now
    lane: int
    claim_id: str
    lease_until: datetime
    moved_aside: bool = False
    """Whether rows were moved into their domains' own lanes."""

    def take(self, room: int) -> list[int]:
        """Claim up to `room` rows and return their ids.

        First from the lanes of slow domains, up to half, then from the lane that all share, then again from the first:
        so neither of them ever waits for the other to be empty.
        """
        ids = self._from_own_lanes(-(-room // 2))
        ids += self._from_shared(room - len(ids))
        if len(ids) < room and not self.moved_aside:
            ids += self._from_own_lanes(room - len(ids))
        return sorted(ids)

    def _from_own_lanes(self, room: int) -> list[int]:
        session, course, real = self.session, self.now.course, self.now.real
        chosen: list[int] = []
        left: dict[str, float] = {}
        for bucket in store.slow_lanes.waiting(session, course, real, self.lane, SERVED):
            free, most = self._tokens(bucket.domain, bucket), room - len(chosen)
            limit = most if free is None else min(most, whole(free))
            if limit < 1:
                continue
            mine = store.slow_lanes.first_of(session, course, real, self.lane, bucket, limit)
            if free is not None:
                left[bucket.domain] = free - len(mine)
            chosen += mine
        return self._claim(chosen, left)

    def _from_shared(self, room: int) -> list[int]:
        ids: list[int] = []
        # Further than the batch is long we only look where some of it must wait.
        size, most = room, max(LOOK, MOST_LOOKED * room)
        while len(ids) < room and most > 0:
            queue = store.slow_lanes.look(self.session, self.now.course, self.now.real, self.lane, size)
            ids += self._sort_out(queue, room - len(ids))
            if len(queue) < size:
                break
            most, size = most - size, LOOK
        return ids

    def _sort_out(self, queue: list[tuple[int, str]], room: int) -> list[int]:
        limited = {domain for _, domain in queue if self.rates.of(domain) is not None}
        known = store.slow_lanes.buckets(self.session, self.now.course, self.now.real, self.lane, limited)
        tokens = {domain: self._tokens(domain, known.get(domain)) or 0.0 for domain in limited}
        # Who has older emails in a lane of their own must not be overtaken by newer ones.
        free = {domain: 0 if domain in known and known[domain].waits else whole(tokens[domain]) for domain in limited}
        found = sort_out(queue, free, room)
        left = {domain: tokens[domain] - count for domain, count in found.taken.items() if count}
        ids = self._claim(found.go, left)
        self._move_aside(found.wait, tokens | left)
        return ids

    def _claim(self, ids: list[int], left: dict[str, float]) -> list[int]:
        self._enter(left)
        return store.slow_lanes.claim(self.session, ids, self.lane, self.claim_id, self.lease_until)

    def _enter(self, left: dict[str, float]) -> None:
        standing = {
            domain: (tokens, whole_at(tokens, self.rates.of(domain), self.now.real)) for domain, tokens in left.items()
        }
        store.slow_lanes.enter(self.session, standing, self.now.real)

    def _move_aside(self, wait: dict[str, list[int]], tokens: dict[str, float]) -> None:
        if not wait:
            return
        self.moved_aside = True
        numbers = store.slow_lanes.numbers(self.session, wait)
        if new := wait.keys() - numbers.keys():
            self._enter({domain: tokens[domain] for domain in new})
            numbers |= store.slow_lanes.numbers(self.session, new)
        store.slow_lanes.park(self.session, self.lane, {numbers[domain]: ids for domain, ids in wait.items()})

    def _tokens(self, domain: str, bucket: Bucket | None) -> float | None:
        """Return the emails that may go to a domain now; None for no limit."""
        rate = self.rates.of(domain)
        if rate is None or bucket is None:
            return None if rate is None else full(rate)
        return filled(bucket.tokens, bucket.at, rate, self.now.real)


def see(session: Session, rates: DomainRates, now: Now, waits: Agenda, *, thorough: bool) -> Agenda:
    """Return the agenda with what waits in the lanes of slow domains."""
    if not rates:
        return waits
    answers, letters = (store.slow_lanes.any_waits(session, now.course, now.real, lane) for lane in (0, 1))
    late = thorough and store.slow_lanes.any_late(session, now.course)
    return replace(
        waits,
        answers=waits.answers or answers,
        letters=waits.letters or letters,
        overdue=waits.overdue or late,
    )


def tidy_up(engine: Engine, limits: Limits, now: Now) -> bool:
    """Forget domains that are at rest, and let new rates hold; say whether to come again.

    Where no rate is set any more, bring back what waits in the domains' own lanes.
    """
    if not limits.domains:
        with store.reading(engine) as session:
            if not store.slow_lanes.left_over(session):
                return False
    with store.writing(engine, durable=False) as session:
        if not limits.domains:
            return store.slow_lanes.bring_back(session, BROUGHT_BACK) == BROUGHT_BACK
        store.rates.lock(session, now.real, now.real.date())
        for domain in store.slow_lanes.asleep(session, now.real):
            # The rate may have been raised or taken away since it was worked out.
            domain.next_at = whole_at(domain.tokens, limits.domains.of(domain.domain), domain.at)
        session.flush()
        store.slow_lanes.tidy_up(session, now.real - timedelta(seconds=slowest(limits.domains)))
    return False
