"""The pace of sending: one row that all workers share. On the real clock. Only there where a limit is set."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.rates import Pace
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.among import fixed
from leadmagnet.store.base import Base
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.in_hand import IN_FLIGHT


class SendingPace(Base):
    """At most one row."""

    __tablename__ = "sending_pace"

    id: Mapped[int] = mapped_column(primary_key=True)
    tokens: Mapped[float]
    at: Mapped[datetime]
    day: Mapped[date]
    sent: Mapped[int] = mapped_column(default=0)
    """Emails of that day whose call has begun and was not refused."""
    ramp_began: Mapped[date | None]


def current(session: Session) -> Pace | None:
    """Return the pace as it was last written down; None where no email has gone out under a limit yet."""
    row = session.get(SendingPace, 1)
    return _pace(row) if row else None


def lock(session: Session, now: datetime, today: date) -> Pace:
    """Return the pace, which is ours until the transaction ends: nobody else claims under the same limits meanwhile."""
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    first = {"id": 1, "tokens": 1.0, "at": now, "day": today, "sent": 0}
    session.execute(insert(SendingPace).values(first).on_conflict_do_nothing())
    return _pace(session.scalars(select(SendingPace).with_for_update()).one())


def write(session: Session, pace: Pace) -> None:
    """Write the pace down."""
    row = session.get_one(SendingPace, 1)
    row.tokens, row.at, row.day, row.sent, row.ramp_began = (
        pace.tokens,
        pace.at,
        pace.day,
        pace.sent,
        pace.ramp_began,
    )
    session.flush()


def in_hand(session: Session) -> int:
    """Return how many emails are claimed and their call has not begun; answers to people, which do not wait, aside."""
    waiting = Delivery.status == fixed(DeliveryStatus.CLAIMED), Delivery.call_begun_at.is_(None), Delivery.lane != 0
    return session.scalar(select(func.count()).select_from(Delivery).where(IN_FLIGHT, *waiting)) or 0


def _pace(row: SendingPace) -> Pace:
    return Pace(row.tokens, row.at, row.day, row.sent, row.ramp_began)
