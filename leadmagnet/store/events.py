"""Provider events: stored as they come, each once, and applied afterwards. The address leaves once one is applied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, Index, UniqueConstraint, bindparam, delete, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.signals import Signal
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.among import among_given, fixed
from leadmagnet.store.base import Base, BigId, Name, one_of
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.insert_kept import insert_rows


class ProviderEvent(Base):
    """One event. `at` is the provider's time, `received_at` and `applied_at` are ours, all on the real clock."""

    __tablename__ = "provider_event"
    __table_args__ = (
        UniqueConstraint("event_id"),
        one_of("signal", Signal),
        Index(
            "ix_provider_event_waiting",
            "id",
            sqlite_where=text("applied_at IS NULL"),
            postgresql_where=text("applied_at IS NULL"),
        ),
        Index("ix_provider_event_public_id", "public_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[str] = mapped_column(Name(100))
    provider: Mapped[str] = mapped_column(Name(24))
    public_id: Mapped[str] = mapped_column(Name(64), default="")
    """The delivery's opaque id, where the event carries one."""
    signal: Mapped[str] = mapped_column(Name(24))
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    email: Mapped[str] = mapped_column(Name(320), default="")
    detail: Mapped[str] = mapped_column(Name(300), default="")
    raw: Mapped[str] = mapped_column(default="")
    """The event as it came, without address and network."""


class Waiting(NamedTuple):
    """A stored event that has not been applied, with the delivery it speaks of, where we know it."""

    id: int
    signal: str
    detail: str
    email: str
    delivery_id: int | None
    status: str | None
    subscriber_id: int | None
    enrollment_id: int | None
    kind: str | None
    provider: str
    dropped: bool
    """Whether the delivery's failure came from an event."""


#: The detail of a delivery that failed because the provider dropped it begins so.
DROPPED = "dropped: "


def add(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Store events; one whose id is known already is left out."""
    if rows:
        insert_rows(session.connection(), ProviderEvent, rows, meets=True)


def waiting(session: Session, limit: int) -> list[Waiting]:
    """Return events to apply, oldest first.

    Those of a delivery whose call is under way wait: its settling comes within the lease.
    """
    return [Waiting._make(row) for row in session.connection().execute(_waiting(), {"most": limit})]


@cache
def _waiting() -> Executable:
    return (
        select(
            ProviderEvent.id,
            ProviderEvent.signal,
            ProviderEvent.detail,
            ProviderEvent.email,
            Delivery.id,
            Delivery.status,
            Delivery.subscriber_id,
            Delivery.enrollment_id,
            Delivery.kind,
            ProviderEvent.provider,
            func.coalesce(Delivery.detail.startswith(DROPPED), False),
        )
        .join(Delivery, Delivery.public_id == ProviderEvent.public_id, isouter=True)
        .where(ProviderEvent.applied_at.is_(None))
        .where(or_(Delivery.id.is_(None), Delivery.status != fixed(DeliveryStatus.CLAIMED)))
        .order_by(ProviderEvent.id)
        .limit(bindparam("most"))
        .with_for_update(of=ProviderEvent, skip_locked=True)
    )


def heard_since(session: Session, real_at: datetime) -> bool:
    """Say whether any event has come in since then."""
    newest = select(ProviderEvent.received_at).order_by(ProviderEvent.id.desc()).limit(1)
    last = session.scalar(newest)
    return last is not None and last > real_at


def forget(session: Session, public_ids: Collection[str]) -> None:
    """Delete what was told of these deliveries."""
    statement = delete(ProviderEvent).where(ProviderEvent.public_id.in_(public_ids))
    session.execute(statement.execution_options(synchronize_session=False))


def forget_old(session: Session, received_before: datetime, limit: int) -> int:
    """Delete applied events from before an instant (real clock) among the `limit` oldest; return how many those were.

    One that comes once more later than that is taken for a new one.
    """
    oldest = select(ProviderEvent.id, ProviderEvent.received_at, ProviderEvent.applied_at)
    head = oldest.order_by(ProviderEvent.id).limit(limit).subquery()
    old = select(head.c.id).where(head.c.applied_at.is_not(None), head.c.received_at < received_before)
    statement = delete(ProviderEvent).where(ProviderEvent.id.in_(old)).returning(ProviderEvent.id)
    return len(session.connection().execute(statement).all())


def done(session: Session, ids: Collection[int], real_now: datetime) -> None:
    """Mark events as applied and forget the address in them."""
    session.connection().execute(_done(), {"ids": ids, "moment": real_now})


@cache
def _done() -> Executable:
    return update(ProviderEvent).where(among_given(ProviderEvent.id)).values(applied_at=bindparam("moment"), email="")
