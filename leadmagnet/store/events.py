"""Provider events: stored as they come, each once, and applied afterwards. The address leaves once one is applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, Index, UniqueConstraint, bindparam, delete, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.redaction import without_address
from leadmagnet.domain.signals import Signal
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.among import among_given, among_texts_given, fixed
from leadmagnet.store.base import Base, BigId, Instant, Name, one_of
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.insert_rows import insert_rows


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
    """An event that is to be applied, with the delivery it speaks of, where we know it."""

    event_id: str
    public_id: str
    signal: Signal
    detail: str
    email: str
    provider: str
    delivery_id: int | None
    status: str | None
    subscriber_id: int | None
    enrollment_id: int | None
    kind: str | None
    dropped: bool
    """Whether the delivery's failure came from an event."""


class Spoken(NamedTuple):
    """A delivery that events speak of; named as in `Waiting`."""

    delivery_id: int
    status: str
    subscriber_id: int
    enrollment_id: int | None
    kind: str
    dropped: bool


#: The provider of events that came back as emails: whoever we hand letters to by SMTP.
REPORTED = "smtp"
#: The detail of a delivery that failed because the provider dropped it begins so.
DROPPED = "dropped: "


def _spoken() -> tuple[Any, ...]:
    return (
        Delivery.id,
        Delivery.status,
        Delivery.subscriber_id,
        Delivery.enrollment_id,
        Delivery.kind,
        func.coalesce(Delivery.detail.startswith(DROPPED), False),
    )


def spoken_of(session: Session, public_ids: Collection[str]) -> dict[str, Spoken]:
    """Return the deliveries with these opaque ids."""
    rows = session.connection().execute(_spoken_of(), {"texts": public_ids})
    return {public_id: Spoken._make(row) for public_id, *row in rows}


@cache
def _spoken_of() -> Executable:
    return select(Delivery.public_id, *_spoken()).where(among_texts_given(Delivery.public_id))


def add(session: Session, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Store events; one whose id is known already is left out. Return the ids that are new."""
    if not rows:
        return set()
    told = [row | _without(row.get("email", ""), row) for row in rows]
    return set(insert_rows(session.connection(), ProviderEvent, told, meets=True, giving="event_id").scalars())


def _without(address: str, row: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of an event without the address in them: mail servers like to repeat it, in any spelling.

    It is kept apart, in a column that is emptied once the event is applied.
    """
    return {name: without_address(row[name], address) for name in ("detail", "raw") if row.get(name)}


def waiting(session: Session, limit: int) -> list[Waiting]:
    """Return events to apply, oldest first.

    Those of a delivery whose call is under way wait: its settling comes within the lease.
    """
    rows = session.connection().execute(_waiting(), {"most": limit})
    return [Waiting._make(row)._replace(signal=Signal(row.signal)) for row in rows]


@cache
def _waiting() -> Executable:
    return (
        select(
            ProviderEvent.event_id,
            ProviderEvent.public_id,
            ProviderEvent.signal,
            ProviderEvent.detail,
            ProviderEvent.email,
            ProviderEvent.provider,
            *_spoken(),
        )
        .join(Delivery, Delivery.public_id == ProviderEvent.public_id, isouter=True)
        .where(ProviderEvent.applied_at.is_(None))
        .where(or_(Delivery.id.is_(None), Delivery.status != fixed(DeliveryStatus.CLAIMED)))
        .order_by(ProviderEvent.id)
        .limit(bindparam("most"))
        .with_for_update(of=ProviderEvent, skip_locked=True)
    )


def settled_at(session: Session, delivery_ids: Collection[int]) -> dict[int, datetime | None]:
    """Return when these deliveries left, or were given up (real clock)."""
    rows = session.connection().execute(_settled_at(), {"ids": set(delivery_ids)}).all()
    return {row[0]: row[1] for row in rows}


@cache
def _settled_at() -> Executable:
    return select(Delivery.id, Delivery.settled_at).where(among_given(Delivery.id))


def heard_since(session: Session, real_at: datetime) -> bool:
    """Say whether a provider's event has come in since then; what came back as an email shows nothing of those."""
    by_web = ProviderEvent.provider != REPORTED
    newest = select(ProviderEvent.received_at).where(by_web).order_by(ProviderEvent.id.desc()).limit(1)
    last = session.scalar(newest)
    return last is not None and last > real_at


def forget(session: Session, public_ids: Collection[str]) -> None:
    """Delete what was told of these deliveries."""
    statement = delete(ProviderEvent).where(ProviderEvent.public_id.in_(public_ids))
    session.execute(statement.execution_options(synchronize_session=False))


def forget_addresses(session: Session, addresses: Collection[str]) -> None:
    """Delete what nobody has applied yet and what was told of these addresses. Once applied, an event has none."""
    waiting = ProviderEvent.applied_at.is_(None), ProviderEvent.email.in_(addresses)
    session.execute(delete(ProviderEvent).where(*waiting).execution_options(synchronize_session=False))


def forget_old(session: Session, received_before: datetime, limit: int) -> int:
    """Delete applied events from before an instant (real clock) among the `limit` oldest; return how many those were.

    One that comes once more later than that is taken for a new one.
    """
    oldest = select(ProviderEvent.id, ProviderEvent.received_at, ProviderEvent.applied_at)
    head = oldest.order_by(ProviderEvent.id).limit(limit).subquery()
    old = select(head.c.id).where(head.c.applied_at.is_not(None), head.c.received_at < received_before)
    statement = delete(ProviderEvent).where(ProviderEvent.id.in_(old)).returning(ProviderEvent.id)
    return len(session.connection().execute(statement).all())


def done(session: Session, event_ids: Collection[str], real_now: datetime) -> None:
    """Mark events as applied and forget the address in them."""
    session.connection().execute(_done(), {"texts": event_ids, "moment": real_now})


@cache
def _done() -> Executable:
    applied = {"applied_at": bindparam("moment", type_=Instant()), "email": ""}
    return update(ProviderEvent).where(among_texts_given(ProviderEvent.event_id)).values(applied)
