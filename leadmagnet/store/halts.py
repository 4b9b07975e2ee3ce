"""A halt of all sending, after the provider refused us as a whole (a wrong key, a barred sender). On the real clock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name


class Halt(Base):
    """At most one row: nothing is claimed before `until`; then one careful try."""

    __tablename__ = "halt"

    id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(Name(300))
    since: Mapped[datetime]
    until: Mapped[datetime]


def current(session: Session) -> Halt | None:
    """Return the halt in force or on trial, if any."""
    return session.get(Halt, 1)


def stop(session: Session, reason: str, real_now: datetime, until: datetime) -> None:
    """Halt all sending until `until`; an earlier beginning is kept."""
    halt = session.get(Halt, 1)
    if halt is None:
        session.add(Halt(id=1, reason=reason[:300], since=real_now, until=until))
    else:
        halt.reason, halt.until = reason[:300], until


def lift(session: Session) -> None:
    """Let sending go on."""
    session.execute(delete(Halt))
