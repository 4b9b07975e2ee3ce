"""Activities: what a person or a marketer did to a subscription, append-only, for the timeline."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name


class Activity(Base):
    """One thing that happened: paused, resumed, snoozed, hurt, went on, changed days, restarted …"""

    __tablename__ = "activity"
    __table_args__ = (Index("ix_activity_subscriber_id_id", "subscriber_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(Name(32))
    detail: Mapped[str] = mapped_column(Name(2000), default="")
    actor: Mapped[str] = mapped_column(Name(120), default="subscriber")


def add(
    session: Session, subscriber_id: int, now: datetime, kind: str, *, detail: str = "", actor: str = "subscriber"
) -> None:
    """Record that something happened at `now`."""
    session.add(Activity(subscriber_id=subscriber_id, at=now, kind=kind, detail=detail, actor=actor))


def of_subscriber(session: Session, subscriber_id: int) -> list[Activity]:
    """Return a person's activities, oldest first."""
    return session.query(Activity).filter_by(subscriber_id=subscriber_id).order_by(Activity.id).all()
