"""Keep the limits: what may be claimed now, and what has gone out.

The rate is paid when emails are claimed, so it is never exceeded. The day is counted when a call begins and given back
where the provider took nothing, so that neither an outage nor a crash eats up a day. Must not know: letters, providers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import rates
from leadmagnet.domain.rates import Limits, Pace
from leadmagnet.domain.schedule import local_day
from leadmagnet.domain.zones import zone


def room(session: Session, limits: Limits, real_now: datetime, wanted: int, lane: int) -> int:
    """Return how many emails of a lane may be claimed now; until the transaction ends nobody else claims."""
    if not limits:
        return wanted
    pace = _locked(session, limits, real_now)
    # Counted once the row is ours: before, PostgreSQL could show what stood before another worker's claim.
    waiting = store.rates.in_hand(session) if lane and limits.counts_days else 0
    return rates.room(pace, limits, wanted, in_hand=waiting, answers=lane == 0)


def claimed(session: Session, limits: Limits, real_now: datetime, count: int) -> None:
    """Pay the rate for emails that were claimed, in the transaction of `room`."""
    if count and limits.per_second is not None:
        pace = _locked(session, limits, real_now)
        store.rates.write(session, replace(pace, tokens=pace.tokens - count))


def begun(session: Session, limits: Limits, real_now: datetime, count: int) -> None:
    """Count emails whose call begins."""
    if not count or not limits.counts_days:
        return
    pace = _locked(session, limits, real_now)
    began = pace.ramp_began or (pace.day if limits.ramp else None)
    store.rates.write(session, replace(pace, sent=pace.sent + count, ramp_began=began))


def refused(session: Session, limits: Limits, begun_at: datetime, real_now: datetime, count: int) -> None:
    """Take back emails that the provider did not take, from the day on which their call began."""
    if not count or not limits.counts_days:
        return
    pace = _locked(session, limits, real_now)
    if pace.day == local_day(begun_at, zone(limits.zone)):
        store.rates.write(session, replace(pace, sent=max(0, pace.sent - count)))


def standing(session: Session, limits: Limits, real_now: datetime) -> Pace:
    """Return the pace at this moment, changing nothing."""
    today = local_day(real_now, zone(limits.zone))
    return rates.carried(store.rates.current(session) or Pace(1.0, real_now, today), limits, real_now, today)


def _locked(session: Session, limits: Limits, real_now: datetime) -> Pace:
    today = local_day(real_now, zone(limits.zone))
    return rates.carried(store.rates.lock(session, real_now, today), limits, real_now, today)
