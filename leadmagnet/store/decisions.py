"""Decisions: why a reminder was not sent. A run of the same reason is one row with a count."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import SkipReason
from leadmagnet.store.base import Base, Name


class Decision(Base):
    """A run of days on which a reminder stayed away for one reason."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_subscriber_id_id", "subscriber_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(Name(32))
    at: Mapped[datetime]
    """When the run began."""
    first_day: Mapped[date]
    last_day: Mapped[date]
    times: Mapped[int] = mapped_column(default=1)


def newest(session: Session, subscriber_ids: list[int]) -> dict[int, Decision]:
    """Return the newest run of each of these people, by subscriber id."""
    rows = session.query(Decision).filter(Decision.subscriber_id.in_(subscriber_ids)).order_by(Decision.id)
    return {row.subscriber_id: row for row in rows}


def record(
    session: Session, last: Decision | None, subscriber_id: int, reason: SkipReason, now: datetime, day: date
) -> Decision:
    """Lengthen the run when the reason is the same as before, else begin a new one; return the run."""
    if last is None or last.reason != reason:
        run = Decision(subscriber_id=subscriber_id, reason=reason, at=now, first_day=day, last_day=day, times=1)
        session.add(run)
        return run
    if last.last_day != day:
        last.last_day, last.times = day, last.times + 1
    return last


def of_subscriber(session: Session, subscriber_id: int) -> list[Decision]:
    """Return a person's runs, oldest first."""
    return session.query(Decision).filter_by(subscriber_id=subscriber_id).order_by(Decision.id).all()
