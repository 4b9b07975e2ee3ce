"""Emails that could not be sent, and those of which nobody knows: for the clinic to look at, and to try again.

A ledger may hold a million of them. So lists go by pages, counts stop at a bound, and each has a partial index.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.among import among, fixed
from leadmagnet.store.deliveries import ONE_A_DAY, TRIED_AGAIN, Delivery
from leadmagnet.store.in_hand import IN_FLIGHT, may_receive
from leadmagnet.store.pauses import rests
from leadmagnet.store.subscribers import Subscriber

#: Counts go no further.
MOST_COUNTED = 100_000
_FAILED = Delivery.status == fixed(DeliveryStatus.FAILED)
_DUE = Delivery.status == fixed(DeliveryStatus.DUE)


class DeadLetter(NamedTuple):
    """One email with who it was for and what was said."""

    id: int
    subscriber_id: int
    email: str
    first_name: str
    kind: str
    status: str
    detail: str
    due_at: datetime
    attempts: int
    resent: int
    settled_at: datetime | None
    lease_until: datetime | None
    """Of one that nobody knows: when we look at it again (real clock)."""


class Queue(NamedTuple):
    """What waits, in emails, and since when the oldest does (course clock). No count goes beyond MOST_COUNTED."""

    due: int
    held: int
    in_flight: int
    unknown: int
    failed: int
    oldest: datetime | None


class Failures(NamedTuple):
    """Failed emails of which the same was said."""

    detail: str
    is_reminder: bool
    emails: int


class Candidate(NamedTuple):
    """A failed email that somebody wants to try again, as things stand."""

    id: int
    subscriber_id: int
    status: str
    kind: str
    counts: bool
    """Whether it counts towards one a day."""
    timezone: str
    rests: bool
    allowed: bool


_COLUMNS = (
    Delivery.id,
    Delivery.subscriber_id,
    Subscriber.email,
    Subscriber.first_name,
    Delivery.kind,
    Delivery.status,
    Delivery.detail,
    Delivery.due_at,
    Delivery.attempts,
    Delivery.resent,
    Delivery.settled_at,
    Delivery.lease_until,
)


def failed(session: Session, limit: int, before: int | None = None) -> list[DeadLetter]:
    """Return failed emails, the newest first; those older than the row `before`, where one is named."""
    query = select(*_COLUMNS).join(Subscriber, Subscriber.id == Delivery.subscriber_id).where(_FAILED)
    return _letters(
        session, (query if before is None else query.where(Delivery.id < before)).order_by(Delivery.id.desc()), limit
    )


def unknown(session: Session, limit: int) -> list[DeadLetter]:
    """Return emails of which nobody knows whether they arrived, in the order in which they are looked at again."""
    query = select(*_COLUMNS).join(Subscriber, Subscriber.id == Delivery.subscriber_id)
    nobody_knows = IN_FLIGHT, Delivery.status == fixed(DeliveryStatus.UNKNOWN)
    return _letters(session, query.where(*nobody_knows).order_by(Delivery.lease_until), limit)


def of_ids(session: Session, ids: Collection[int]) -> list[DeadLetter]:
    """Return these emails, the newest first."""
    query = select(*_COLUMNS).join(Subscriber, Subscriber.id == Delivery.subscriber_id).where(among(Delivery.id, ids))
    return _letters(session, query.order_by(Delivery.id.desc()), len(ids))


def _letters(session: Session, query: Any, limit: int) -> list[DeadLetter]:
    return [DeadLetter._make(row) for row in session.execute(query.limit(limit))]


def newest(session: Session, limit: int) -> list[Failures]:
    """Return what was said of the newest `limit` failed emails, and of how many of them."""
    rows = select(Delivery.detail, Delivery.kind).where(_FAILED).order_by(Delivery.id.desc()).limit(limit).subquery()
    reminder = rows.c.kind == DeliveryKind.REMINDER
    query = select(rows.c.detail, reminder, func.count()).group_by(rows.c.detail, reminder)
    return [Failures(detail, bool(is_reminder), number) for detail, is_reminder, number in session.execute(query)]


def walk(session: Session, limit: int, before: int | None = None) -> Sequence[tuple[int, str]]:
    """Return the id and the words of up to `limit` failed emails, the newest first; those older than `before`."""
    query = select(Delivery.id, Delivery.detail).where(_FAILED).order_by(Delivery.id.desc()).limit(limit)
    return [
        (row_id, detail)
        for row_id, detail in session.execute(query if before is None else query.where(Delivery.id < before))
    ]


def queue(session: Session, now: datetime) -> Queue:
    """Return what waits at `now` (course clock)."""
    due = _DUE, Delivery.due_at <= now, Delivery.held.is_(None)
    claimed, nobody_knows = (
        (IN_FLIGHT, Delivery.status == fixed(status)) for status in (DeliveryStatus.CLAIMED, DeliveryStatus.UNKNOWN)
    )
    return Queue(
        _count(session, Delivery.lane, *due),
        _count(session, Delivery.id, _DUE, Delivery.held.is_not(None)),
        _count(session, Delivery.lease_until, *claimed),
        _count(session, Delivery.lease_until, *nobody_knows),
        _count(session, Delivery.id, _FAILED),
        session.scalar(select(Delivery.due_at).where(*due).order_by(Delivery.due_at).limit(1)),
    )


def sent_again(session: Session, since: datetime) -> int:
    """Return how many emails due since an instant (course clock) went out more than once, as nobody could know."""
    return _count(session, Delivery.due_at, Delivery.resent > fixed(0), Delivery.due_at >= since)


def _count(session: Session, order: Any, *where: Any) -> int:
    """Count in the order of the partial index that holds these rows: else SQLite reads a larger one to its end."""
    rows = select(Delivery.id).where(*where).order_by(order).limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def candidates(session: Session, ids: Collection[int]) -> list[Candidate]:
    """Return those of these emails that exist, by their ids, as things stand."""
    query = (
        select(
            Delivery.id,
            Delivery.subscriber_id,
            Delivery.status,
            Delivery.kind,
            Delivery.day.is_not(None),
            Subscriber.timezone,
            rests(),
            may_receive(),
        )
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(among(Delivery.id, ids))
        .order_by(Delivery.id)
    )
    return [Candidate._make(row) for row in session.execute(query)]


def taken(session: Session, subscriber_ids: Collection[int], days: Collection[date]) -> set[tuple[int, date]]:
    """Return on which of these days which of these people have an email that counts."""
    mine = among(Delivery.subscriber_id, subscriber_ids), Delivery.day.in_(days)
    query = select(Delivery.subscriber_id, Delivery.day).where(ONE_A_DAY, *mine)
    return {(person, day) for person, day in session.execute(query) if day is not None}


def make_due(session: Session, ids: Collection[int], now: datetime, day: date | None) -> int:
    """Make failed emails due at `now`, counting towards a day or not; return how many.

    Where another worker has taken somebody's day since the caller looked, that email stays failed.
    """
    if not ids:
        return 0
    try:
        with session.begin_nested():
            return len(session.scalars(_due_again(among(Delivery.id, ids), now, day)).all())
    except IntegrityError:
        if len(ids) == 1:
            return 0
    return sum(make_due(session, [row_id], now, day) for row_id in ids)


def _due_again(where: ColumnElement[bool], now: datetime, day: date | None) -> Any:
    values = {
        "status": DeliveryStatus.DUE,
        "due_at": now,
        "day": day,
        "reason": TRIED_AGAIN,
        "attempts": 0,
        "resent": 0,
    }
    # It may have stood in the lane of a slow domain that is forgotten by now.
    values |= {"lane": Delivery.lane % 2}
    values |= dict.fromkeys(
        ("closes_at", "retry_at", "held", "claim_id", "lease_until", "call_begun_at", "settled_at"), None
    )
    statement = update(Delivery).where(where, _FAILED).values(**values).returning(Delivery.id)
    return statement.execution_options(synchronize_session=False)
