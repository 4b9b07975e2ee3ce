"""Enrollments: a subscriber in a sequence. `wants_plan` marks the rows whose next email nobody has planned yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Executable,
    ForeignKey,
    Index,
    UniqueConstraint,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import DeliveryStatus, EnrollmentStatus
from leadmagnet.store.among import among_given, fixed, one_of
from leadmagnet.store.base import Base, Name
from leadmagnet.store.base import one_of as one_of_column
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.insert_rows import insert_rows
from leadmagnet.store.kept import given, to_set

#: As the partial index says it: "= 1", as a boolean is written for SQLite, would not be served by it.
WANTING = text("enrollment.wants_plan")


class Enrollment(Base):
    """One pass of one person through one sequence; starting again makes another."""

    __tablename__ = "enrollment"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "sequence_id", "number"),
        one_of_column("status", EnrollmentStatus),
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
    """When a delivery of this enrollment was over, where the ledger's own `sent_at` does not say so.

    The next delay counts from the later of the two. An email that is sent does not write here: that took PostgreSQL 8
    of its 100 microseconds for an email.
    """


class Wanting(NamedTuple):
    """An enrollment whose next email is to be planned."""

    id: int
    subscriber_id: int
    sequence_id: int
    status: str
    previous_at: datetime
    """When its last delivery was over that did not go out, or when it began."""


#: The columns of `Wanting`.
WANTING_COLUMNS = (
    Enrollment.id,
    Enrollment.subscriber_id,
    Enrollment.sequence_id,
    Enrollment.status,
    func.coalesce(Enrollment.last_settled_at, Enrollment.started_at),
)


def take_wanting(session: Session, limit: int) -> list[Wanting]:
    """Take up to `limit` enrollments whose next email is to be planned; the wish is taken off them.

    On PostgreSQL locked ones are passed over. Who wishes for a plan meanwhile waits for this transaction, so no wish is
    lost. While an email is in hand the wish stays: who settles it plans what follows by what stood there a moment ago.
    """
    return _sorted(session.connection().execute(_take_wanting(), {"most": limit}).all())


@cache
def _take_wanting() -> Executable:
    chosen = (
        select(Enrollment.id)
        .where(WANTING, ~in_hand())
        .order_by(Enrollment.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("chosen")
    )
    taken = update(Enrollment).where(Enrollment.id.in_(select(chosen.c.id))).values(wants_plan=False)
    return taken.returning(*WANTING_COLUMNS)


@cache
def in_hand() -> ColumnElement[bool]:
    """Return the condition that an email of an enrollment is claimed, or that nobody has heard of it."""
    mine = Delivery.enrollment_id == Enrollment.id, Delivery.status != fixed(DeliveryStatus.SKIPPED)
    in_flight = one_of(Delivery.status, (DeliveryStatus.CLAIMED, DeliveryStatus.UNKNOWN))
    return exists(select(Delivery.id).where(*mine, in_flight).correlate(Enrollment))


def note_end(session: Session, ids: Collection[int], now: datetime) -> None:
    """Note that an email of these enrollments is over and did not go out."""
    if ids:
        session.connection().execute(_note_end(), {"ids": ids, "moment": now})


@cache
def _note_end() -> Executable:
    return update(Enrollment).where(among_given(Enrollment.id)).values(last_settled_at=bindparam("moment"))


def _sorted(rows: Iterable[Any]) -> list[Wanting]:
    return sorted(Wanting._make(row) for row in rows)


def want_plan(session: Session, ids: Iterable[int], **values: Any) -> None:
    """Ask for a new plan of these enrollments, and set other columns on the way."""
    session.connection().execute(_want(tuple(values)), given(values, ids=list(ids)))


@cache
def _want(columns: tuple[str, ...]) -> Executable:
    return update(Enrollment).where(among_given(Enrollment.id)).values({"wants_plan": True} | to_set(columns))


@cache
def _people_want() -> Executable:
    active = Enrollment.status == fixed(EnrollmentStatus.ACTIVE)
    return update(Enrollment).where(among_given(Enrollment.subscriber_id), active).values(wants_plan=True)


def people_want_plan(session: Session, subscriber_ids: Collection[int]) -> None:
    """Ask for a new plan of whatever these people are on the way through."""
    session.connection().execute(_people_want(), {"ids": subscriber_ids})


class Newest(NamedTuple):
    """Somebody's newest enrollment in a sequence."""

    id: int
    status: str
    begun: bool
    """Whether any email of it is over."""


@cache
def _newest() -> Executable:
    out = exists(select(Delivery.id).where(Delivery.enrollment_id == Enrollment.id, one_of(Delivery.status, OUT)))
    begun = or_(Enrollment.last_settled_at.is_not(None), out)
    columns = Enrollment.subscriber_id, Enrollment.id, Enrollment.status, begun
    mine = among_given(Enrollment.subscriber_id), Enrollment.sequence_id == bindparam("sequence_id")
    return select(*columns).where(*mine).order_by(Enrollment.id)


def newest_in(session: Session, sequence_id: int, subscriber_ids: Collection[int]) -> dict[int, Newest]:
    """Return the newest enrollment of each of these people in a sequence, by subscriber id."""
    asked = {"ids": subscriber_ids, "sequence_id": sequence_id}
    return {row[0]: Newest._make(row[1:]) for row in session.connection().execute(_newest(), asked).all()}


def begin(session: Session, sequence_id: int, subscriber_ids: Collection[int], now: datetime) -> None:
    """Begin a sequence for people who were never in it."""
    if subscriber_ids:
        rows = [{"subscriber_id": one, "sequence_id": sequence_id, "started_at": now} for one in sorted(subscriber_ids)]
        insert_rows(session.connection(), Enrollment, rows)


def newest_of(session: Session, subscriber_id: int, sequence_id: int | None = None) -> Enrollment | None:
    """Return a person's newest enrollment, in one sequence where one is named."""
    query = session.query(Enrollment).filter_by(subscriber_id=subscriber_id)
    if sequence_id is not None:
        query = query.filter_by(sequence_id=sequence_id)
    return query.order_by(Enrollment.id.desc()).first()
