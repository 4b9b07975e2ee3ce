"""Enrollments: a subscriber in a sequence. `wants_plan` marks the rows whose next email nobody has planned yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import EnrollmentStatus
from leadmagnet.store.among import among
from leadmagnet.store.base import Base, Name, one_of

#: As the partial index says it: "= 1", as a boolean is written for SQLite, would not be served by it.
WANTING = text("enrollment.wants_plan")


class Enrollment(Base):
    """One pass of one person through one sequence; starting again makes another."""

    __tablename__ = "enrollment"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "sequence_id", "number"),
        one_of("status", EnrollmentStatus),
        Index("ix_enrollment_wanting", "id", sqlite_where=text("wants_plan"), postgresql_where=text("wants_plan")),
        Index("ix_enrollment_sequence_id_status", "sequence_id", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id"))
    number: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(Name(16), default=EnrollmentStatus.ACTIVE)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    wants_plan: Mapped[bool] = mapped_column(default=True)
    last_settled_at: Mapped[datetime | None]
    """When the last delivery of this enrollment was sent or given up: the next delay counts from here."""


class Wanting(NamedTuple):
    """An enrollment whose next email is to be planned."""

    id: int
    subscriber_id: int
    sequence_id: int
    status: str
    previous_at: datetime
    """When its last delivery was over, or when it began: the next delay counts from here."""


def take_wanting(session: Session, limit: int) -> list[Wanting]:
    """Take up to `limit` enrollments whose next email is to be planned; the wish is taken off them.

    On PostgreSQL locked ones are passed over. Who wishes for a plan meanwhile waits for this transaction, so no wish is
    lost.
    """
    chosen = (
        select(Enrollment.id)
        .where(WANTING)
        .order_by(Enrollment.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    return _taken(session, Enrollment.id.in_(select(chosen.c.id)), wants_plan=False)


def take_settled(session: Session, ids: Iterable[int], now: datetime) -> list[Wanting]:
    """Note that an email of these enrollments is over, and take them for their next plan."""
    return _taken(session, among(Enrollment.id, ids), wants_plan=False, last_settled_at=now)


def _taken(session: Session, which: ColumnElement[bool], **values: Any) -> list[Wanting]:
    statement = (
        update(Enrollment)
        .where(which)
        .values(**values)
        .returning(
            Enrollment.id,
            Enrollment.subscriber_id,
            Enrollment.sequence_id,
            Enrollment.status,
            func.coalesce(Enrollment.last_settled_at, Enrollment.started_at),
        )
        .execution_options(synchronize_session=False)
    )
    return sorted(Wanting._make(row) for row in session.connection().execute(statement).all())


def want_plan(session: Session, ids: Iterable[int], **values: Any) -> None:
    """Ask for a new plan of these enrollments, and set other columns on the way."""
    statement = update(Enrollment).where(among(Enrollment.id, ids)).values(wants_plan=True, **values)
    session.execute(statement.execution_options(synchronize_session=False))


def newest_of(session: Session, subscriber_id: int, sequence_id: int | None = None) -> Enrollment | None:
    """Return a person's newest enrollment, in one sequence where one is named."""
    query = session.query(Enrollment).filter_by(subscriber_id=subscriber_id)
    if sequence_id is not None:
        query = query.filter_by(sequence_id=sequence_id)
    return query.order_by(Enrollment.id.desc()).first()
