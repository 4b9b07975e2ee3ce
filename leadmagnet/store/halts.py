"""A halt of all sending. On the real clock.

Either the provider takes nothing (a wrong key, a barred sender, an outage): then one careful try after a while. Or
somebody of the clinic has stopped everything by hand, or the brake on bounces and complaints has: that lasts until
somebody lets it go on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name

#: Stands where a person's name would, so that a person has to let sending go on.
BRAKE = "the brake"


class Halt(Base):
    """At most one row: nothing is claimed before `until`; then one careful try. With `by` there is no such end."""

    __tablename__ = "halt"

    id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(Name(300))
    since: Mapped[datetime]
    until: Mapped[datetime]
    by: Mapped[str] = mapped_column(Name(120), default="")
    """Who has stopped everything by hand; empty where it was the program."""

    def blocks(self, real_now: datetime) -> bool:
        """Say whether nothing may go out now."""
        return bool(self.by) or self.until > real_now


class BrakeRelease(Base):
    """At most one row: when the brake stopped what somebody has let go on since. Emails from before count no more."""

    __tablename__ = "brake_release"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


# Each batch asks and lifts: put together once.
_CURRENT = select(Halt).where(Halt.id == 1)
_BY = select(Halt.by).where(Halt.id == 1)
_LIFT = delete(Halt).where(Halt.by == "")


def current(session: Session) -> Halt | None:
    """Return the halt in force or on trial, if any."""
    return session.scalars(_CURRENT).one_or_none()


def by_hand(session: Session) -> bool:
    """Say whether somebody has stopped everything by hand."""
    return bool(session.connection().execute(_BY).scalar())


def stop(session: Session, reason: str, real_now: datetime, until: datetime) -> None:
    """Halt all sending until `until`; an earlier beginning is kept, and a halt by hand stays as it is."""
    connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    first = dialect.insert(Halt).values(id=1, reason=reason[:300], since=real_now, until=until, by="")
    newer = {"reason": first.excluded.reason, "until": first.excluded.until}
    connection.execute(first.on_conflict_do_update(index_elements=["id"], set_=newer, where=Halt.by == ""))


def stop_by_hand(session: Session, reason: str, by: str, real_now: datetime) -> None:
    """Stop all sending until somebody lets it go on."""
    session.merge(Halt(id=1, reason=reason[:300], since=real_now, until=real_now, by=by[:120] or "somebody"))


def lift(session: Session) -> None:
    """Let sending go on, unless somebody has stopped it by hand."""
    session.connection().execute(_LIFT)


def brake(session: Session, reason: str, real_now: datetime) -> bool:
    """Stop all sending because of too many bounces or complaints; False where it is stopped by hand already."""
    if by_hand(session):
        return False
    stop_by_hand(session, reason, BRAKE, real_now)
    return True


def watched_since(session: Session, earliest: datetime) -> datetime:
    """Return from when on emails count for the brake: `earliest`, or when it stopped what has gone on since."""
    released = session.scalar(select(BrakeRelease.at))
    return max(earliest, released + timedelta(microseconds=1)) if released else earliest


def go(session: Session) -> bool:
    """Let sending go on, whoever has stopped it; say whether anything stood in its way."""
    gone = session.execute(delete(Halt).returning(Halt.by, Halt.since)).all()
    for by, since in gone:
        if by == BRAKE:
            session.merge(BrakeRelease(id=1, at=since))
    return bool(gone)
