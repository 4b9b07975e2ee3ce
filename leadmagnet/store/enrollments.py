"""Enrollments: a subscriber in a sequence. `wants_plan` marks the rows whose next email nobody has planned yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import EnrollmentStatus
from leadmagnet.store.base import Base, Name, one_of


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


def wanting_plan(session: Session, limit: int) -> list[Enrollment]:
    """Return enrollments whose next email is to be planned; on PostgreSQL locked ones are passed over."""
    query = session.query(Enrollment).filter(Enrollment.wants_plan).order_by(Enrollment.id).limit(limit)
    return query.with_for_update(skip_locked=True).all()


def newest_of(session: Session, subscriber_id: int, sequence_id: int | None = None) -> Enrollment | None:
    """Return a person's newest enrollment, in one sequence where one is named."""
    query = session.query(Enrollment).filter_by(subscriber_id=subscriber_id)
    if sequence_id is not None:
        query = query.filter_by(sequence_id=sequence_id)
    return query.order_by(Enrollment.id.desc()).first()
