"""Watching: how far a person has seen a video. Only the furthest point is kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import ForeignKey, Select, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.among import among_given
from leadmagnet.store.base import Base, Name


class Watch(Base):
    """One person and one video, named by the slug of its step."""

    __tablename__ = "watch"
    __table_args__ = (UniqueConstraint("subscriber_id", "step_slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    step_slug: Mapped[str] = mapped_column(Name())
    percent: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


def of_subscriber(session: Session, subscriber_id: int) -> list[Watch]:
    """Return what a person has watched, oldest first."""
    return session.query(Watch).filter_by(subscriber_id=subscriber_id).order_by(Watch.first_at).all()


@cache
def _of_people() -> Select[Watch]:
    return select(Watch).where(among_given(Watch.subscriber_id))


def of_people(session: Session, subscriber_ids: Collection[int]) -> dict[tuple[int, str], Watch]:
    """Return what these people have watched, by subscriber id and slug."""
    rows = session.scalars(_of_people(), {"ids": subscriber_ids})
    return {(row.subscriber_id, row.step_slug): row for row in rows}
