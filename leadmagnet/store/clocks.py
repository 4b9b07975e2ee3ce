"""The anchor of the course clock: where a fast clock stands, kept over a restart."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.clock import Anchor
from leadmagnet.store.base import Base


class CourseClock(Base):
    """One row: at the real instant `real_at` the course clock showed `course_at`, and it ran `rate` times as fast."""

    __tablename__ = "course_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    real_at: Mapped[datetime]
    course_at: Mapped[datetime]
    rate: Mapped[float]


def standing(session: Session, rate: float | None) -> tuple[bool, Anchor | None]:
    """Say whether the clock stands as this rate wants it, so that nothing is to be written, and its anchor.

    Without a rate the clock is taken as it is found.
    """
    row = session.get(CourseClock, 1)
    if row is None:
        return rate in (None, 1), None
    return rate in (None, row.rate), Anchor(row.real_at, row.course_at, row.rate)


def anchor(session: Session, real_now: datetime, rate: float) -> Anchor | None:
    """Return the anchor for this rate, storing a new one where the rate has changed; None for a clock never moved.

    The course clock never goes back: after a time lapse, a start at the ordinary rate goes on from where it stood.
    """
    row = session.get(CourseClock, 1)
    if row is None:
        if rate == 1:
            return None
        row = CourseClock(id=1, real_at=real_now, course_at=real_now, rate=rate)
        session.add(row)
    elif row.rate != rate:
        row.course_at = Anchor(row.real_at, row.course_at, row.rate).course(real_now)
        row.real_at, row.rate = real_now, rate
    return Anchor(row.real_at, row.course_at, row.rate)
