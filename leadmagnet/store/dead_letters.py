"""Emails that could not be sent, and those of which nobody knows: for the clinic to look at, and to try again."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.among import fixed
from leadmagnet.store.deliveries import TRIED_AGAIN, Delivery
from leadmagnet.store.pauses import rests
from leadmagnet.store.subscribers import Subscriber


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


class Queue(NamedTuple):
    """What waits, in emails, and since when the oldest does (course clock)."""

    due: int
    held: int
    in_flight: int
    unknown: int
    failed: int
    oldest: datetime | None


def page(session: Session, limit: int, before: int | None = None) -> list[DeadLetter]:
    """Return failed and unknown emails, the newest first; those older than the row `before`, where one is named."""
    query = (
        select(
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
        )
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.status.in_([fixed(DeliveryStatus.FAILED), fixed(DeliveryStatus.UNKNOWN)]))
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Delivery.id < before)
    return [DeadLetter._make(row) for row in session.execute(query)]


def queue(session: Session, now: datetime) -> Queue:
    """Return what waits at `now` (course clock)."""
    due = Delivery.status == fixed(DeliveryStatus.DUE), Delivery.due_at <= now

    def count(*where: object) -> int:
        return session.scalar(select(func.count()).select_from(Delivery).where(*where)) or 0  # type: ignore[arg-type]

    oldest = select(Delivery.due_at).where(*due, Delivery.held.is_(None)).order_by(Delivery.due_at).limit(1)
    return Queue(
        count(*due, Delivery.held.is_(None)),
        count(Delivery.status == fixed(DeliveryStatus.DUE), Delivery.held.is_not(None)),
        count(Delivery.status == fixed(DeliveryStatus.CLAIMED)),
        count(Delivery.status == fixed(DeliveryStatus.UNKNOWN)),
        count(Delivery.status == fixed(DeliveryStatus.FAILED)),
        session.scalar(oldest),
    )


def same_reason(session: Session, detail: str, limit: int) -> list[int]:
    """Return failed emails of which the same was said, the oldest first."""
    query = select(Delivery.id).where(Delivery.status == fixed(DeliveryStatus.FAILED), Delivery.detail == detail)
    return list(session.scalars(query.order_by(Delivery.id).limit(limit)))


def try_again(session: Session, row_id: int, now: datetime, today: date) -> bool:
    """Make one failed email due now; False where it stays failed.

    That is: a reminder, an email whose day is taken or whose sequence is paused, or one that is not failed any more.

    A reminder belongs to its day. Whether the person may still receive it is looked at when it is claimed. `today` is
    the person's local day: an automatic email counts towards one a day, so it waits where another goes out today.
    """
    statement = (
        update(Delivery)
        .where(
            Delivery.id == row_id,
            Delivery.status == DeliveryStatus.FAILED,
            Delivery.kind != DeliveryKind.REMINDER,
            ~rests(),
        )
        .values(status=DeliveryStatus.DUE, due_at=now, closes_at=None, retry_at=None, attempts=0, resent=0, held=None)
        .values(claim_id=None, lease_until=None, call_begun_at=None, settled_at=None)
        .values(reason=TRIED_AGAIN)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    counts = session.scalar(select(Delivery.day.is_not(None)).where(Delivery.id == row_id))
    try:
        with session.begin_nested():
            return bool(session.execute(statement.values(day=today if counts else None)).all())
    except IntegrityError:
        return False
