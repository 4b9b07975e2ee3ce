"""Check-ins: 'I did it', with how it felt. One a local day for each exercise; the day's last word counts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum
from functools import cache

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.among import among_given
from leadmagnet.store.base import Base, Name, one_of


class Felt(StrEnum):
    """How an exercise felt."""

    EASY = "easy"
    RIGHT = "right"
    HARD = "hard"
    HURT = "hurt"


class CheckIn(Base):
    """One person, one exercise, one local day."""

    __tablename__ = "check_in"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "day", "step_slug"),
        one_of("felt", Felt),
        Index("ix_check_in_day", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    step_slug: Mapped[str] = mapped_column(Name())
    day: Mapped[date]
    at: Mapped[datetime]
    felt: Mapped[str] = mapped_column(Name(8))
    note: Mapped[str] = mapped_column(Name(2000), default="")


def of_subscriber(session: Session, subscriber_id: int) -> list[CheckIn]:
    """Return a person's check-ins, oldest first."""
    return session.query(CheckIn).filter_by(subscriber_id=subscriber_id).order_by(CheckIn.at).all()


@cache
def _since() -> Select[CheckIn]:
    return select(CheckIn).where(among_given(CheckIn.subscriber_id), CheckIn.day >= bindparam("since"))


def since(session: Session, subscriber_ids: Collection[int], day: date) -> dict[tuple[int, str, date], CheckIn]:
    """Return the check-ins of these people from a day on, by subscriber id, slug and day."""
    rows = session.scalars(_since(), {"ids": subscriber_ids, "since": day})
    return {(row.subscriber_id, row.step_slug, row.day): row for row in rows}
