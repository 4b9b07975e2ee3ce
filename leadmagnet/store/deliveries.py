"""Deliveries: the ledger. One row is one email to one subscriber, from due to its end.

The claim and what follows it are in claims.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    ForeignKey,
    Index,
    UniqueConstraint,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.base import Base, BigId, Name, ids_from, one_of, random_id
from leadmagnet.store.insert_rows import insert_columns

#: A row in one of these states stands for an email that is out, or may be.
OUT = ("claimed", "unknown", "sent", "delivered", "bounced", "failed")
_LIVE = "status IN ('due', 'claimed', 'unknown', 'sent', 'delivered', 'bounced')"

#: The reason of an email that had failed and goes out once more because the clinic says so.
TRIED_AGAIN = "tried again by the clinic"

#: And of a video that its reader has asked for on the own page: it goes at once, whatever the hour.
ASKED_FOR = "asked for on the own page"

#: As the partial index says it, so that the index serves it.
ONE_A_DAY = text(f"delivery.day IS NOT NULL AND delivery.{_LIVE}")


class Delivery(Base):
    """One email to one subscriber.

    Instants of the course run on the course clock, leases and retries on the real one.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("public_id"),
        one_of("status", DeliveryStatus),
        one_of("kind", DeliveryKind),
        # Nobody gets a step twice in one enrollment, whatever is reordered. A skipped row was never sent.
        Index(
            "uq_delivery_enrollment_id_step_id",
            "enrollment_id",
            "step_id",
            unique=True,
            sqlite_where=text("status <> 'skipped'"),
            postgresql_where=text("status <> 'skipped'"),
        ),
        # At most one automatic email a local day. `day` is empty for what does not count.
        Index(
            "uq_delivery_subscriber_id_day",
            "subscriber_id",
            "day",
            unique=True,
            sqlite_where=text(f"day IS NOT NULL AND {_LIVE}"),
            postgresql_where=text(f"day IS NOT NULL AND {_LIVE}"),
        ),
        Index(
            "ix_delivery_due",
            "lane",
            "due_at",
            "id",
            sqlite_where=text("status = 'due' AND held IS NULL"),
            postgresql_where=text("status = 'due' AND held IS NULL"),
        ),
        Index(
            "ix_delivery_leased",
            "lease_until",
            sqlite_where=text("status IN ('claimed', 'unknown')"),
            postgresql_where=text("status IN ('claimed', 'unknown')"),
        ),
        # Few rows each, for whoever looks after the sending.
        Index(
            "ix_delivery_failed",
            "id",
            sqlite_where=text("status = 'failed'"),
            postgresql_where=text("status = 'failed'"),
        ),
        Index(
            "ix_delivery_held",
            "id",
            sqlite_where=text("status = 'due' AND held IS NOT NULL"),
            postgresql_where=text("status = 'due' AND held IS NOT NULL"),
        ),
        Index("ix_delivery_resent", "due_at", sqlite_where=text("resent > 0"), postgresql_where=text("resent > 0")),
        Index("ix_delivery_subscriber_id_id", "subscriber_id", "id"),
        Index("ix_delivery_step_id_status", "step_id", "status"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(Name(32), default=random_id)
    """Opaque id for providers, headers and file names."""
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    enrollment_id: Mapped[int | None] = mapped_column(ForeignKey("enrollment.id", ondelete="CASCADE"))
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"))
    kind: Mapped[str] = mapped_column(Name(24))
    text_slug: Mapped[str] = mapped_column(Name(), default="")
    """The email text of a delivery that is no step."""
    reason: Mapped[str] = mapped_column(Name(200), default="")
    """Why it was planned for this instant, in words for the marketer."""
    lane: Mapped[int] = mapped_column(default=1)
    """0: answers to what a person has just done; they never wait behind lane 1."""
    status: Mapped[str] = mapped_column(Name(16), default=DeliveryStatus.DUE)
    held: Mapped[str | None] = mapped_column(Name(16))
    """Why a due row must wait without a date: paused, hurt, unreachable, sequence_paused. The person's own go first."""
    skip_reason: Mapped[str] = mapped_column(Name(32), default="")
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    closes_at: Mapped[datetime | None]
    """The last moment (exclusive) at which it may go out on its day. Later, a video waits and a reminder expires."""
    day: Mapped[date | None]
    """The subscriber's local day, where this email counts towards one a day."""

    retry_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claim_id: Mapped[str | None] = mapped_column(Name(32))
    lease_until: Mapped[datetime | None]
    call_begun_at: Mapped[datetime | None]

    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    provider: Mapped[str] = mapped_column(Name(24), default="")
    provider_id: Mapped[str] = mapped_column(Name(120), default="")
    detail: Mapped[str] = mapped_column(Name(300), default="")
    resent: Mapped[int] = mapped_column(default=0)
    """How often it was sent again because nobody could say whether the call before had arrived."""


def of_subscriber(session: Session, subscriber_id: int) -> list[Delivery]:
    """Return a person's deliveries, oldest first."""
    return session.query(Delivery).filter_by(subscriber_id=subscriber_id).order_by(Delivery.due_at, Delivery.id).all()


def public_ids_of(session: Session, subscriber_id: int) -> list[str]:
    """Return the opaque ids of a person's deliveries."""
    return list(session.scalars(select(Delivery.public_id).where(Delivery.subscriber_id == subscriber_id)))


def due_of(session: Session, subscriber_id: int) -> list[Delivery]:
    """Return what is still to go out to a person, held rows among them."""
    query = session.query(Delivery).filter_by(subscriber_id=subscriber_id, status=DeliveryStatus.DUE)
    return query.order_by(Delivery.due_at, Delivery.id).all()


class Following(NamedTuple):
    """A due row of an enrollment, to be written."""

    enrollment_id: int
    subscriber_id: int
    what: Mapping[str, Any]
    """Its other columns. People who share the answer share the mapping."""


def add(session: Session, rows: Sequence[Following], now: datetime) -> set[int]:
    """Add due rows of enrollments; return the enrollments whose row met another one on the same day, or the same step.

    Another worker may have written that one since the caller looked. The rest of the rows is in.
    """
    if not rows:
        return set()
    enrollments, readers, whats = (list(column) for column in zip(*rows, strict=True))
    own, first = {"enrollment_id": enrollments, "subscriber_id": readers}, whats[0]
    if all(what is first for what in whats):
        return {enrollments[at] for at in _insert(session, own, first, now)}
    columns = own | {name: [what[name] for what in whats] for name in first}
    return {enrollments[at] for at in _insert(session, columns, {}, now)}


def add_reminders(session: Session, rows: Sequence[dict[str, Any]], now: datetime) -> set[int]:
    """Add due reminders; return the people whose day has got another email since the caller looked. The rest is in."""
    if not rows:
        return set()
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {rows[at]["subscriber_id"] for at in _insert(session, columns, {}, now)}


def _insert(
    session: Session, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any], now: datetime
) -> list[int]:
    """Add due rows, given by column and by what is the same in all; return the places of those that met another one."""
    public_ids = ids_from(now, len(next(iter(columns.values()))))
    columns = {**columns, "public_id": public_ids}
    same = {**same, "status": str(DeliveryStatus.DUE), "created_at": now}
    connection = session.connection()
    if connection.dialect.name == "postgresql" and _meets_none(connection, columns, same):
        return []
    if insert_columns(connection, Delivery, columns, same, meets=True).rowcount == len(public_ids):
        return []
    ours = select(Delivery.public_id).where(Delivery.public_id.in_(public_ids))
    there = set(connection.execute(ours).scalars().all())
    return [at for at, public_id in enumerate(public_ids) if public_id not in there]


def _meets_none(connection: Connection, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any]) -> bool:
    """Add all rows, or none where one of them meets another one; say which.

    Nearly always none does, and to look at each unique index before writing costs PostgreSQL a quarter more.
    """
    try:
        # The connection's own: a session begins it only when it is asked for its connection again.
        with connection.begin_nested():
            insert_columns(connection, Delivery, columns, same)
    except IntegrityError:
        return False
    return True


def move(session: Session, rows: Sequence[dict[str, Any]]) -> set[int]:
    """Change due rows, each named by `row_id`; return `for_enrollment` of those whose new day was taken meanwhile.

    Who has been claimed since the caller looked stays as it is: its settling asks for a plan.
    """
    if not rows:
        return set()
    columns = [column for column in rows[0] if column not in ("row_id", "for_enrollment")]
    statement = (
        update(Delivery.__table__)  # type: ignore[arg-type]  # declared as FromClause, is a Table
        .where(Delivery.id == bindparam("row_id"), Delivery.status == DeliveryStatus.DUE)
        .values({column: bindparam(f"new_{column}") for column in columns})
    )
    values = [{"row_id": row["row_id"]} | {f"new_{column}": row[column] for column in columns} for row in rows]
    try:
        with session.begin_nested():
            session.connection().execute(statement, values)
    except IntegrityError:
        pass
    else:
        return set()
    late: set[int] = set()
    for row, value in zip(rows, values, strict=True):
        try:
            with session.begin_nested():
                session.connection().execute(statement, value)
        except IntegrityError:
            late.add(row["for_enrollment"])
    return late
