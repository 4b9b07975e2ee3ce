"""Leases: which process does what only one may do, and when it was last seen alive. On the real clock.

`leader` leads, `worker` is the heartbeat, `plan-…` are the planning tasks that a broker carries.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name


class Lease(Base):
    """One duty and who holds it. The name 'worker' is also the worker's heartbeat."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(Name(), primary_key=True)
    holder: Mapped[str] = mapped_column(Name(64))
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime]


def take(session: Session, name: str, holder: str, real_now: datetime, seconds: float) -> bool:
    """Take or renew a lease for `seconds`; False while another holds it."""
    values = {"holder": holder, "expires_at": real_now + timedelta(seconds=seconds), "seen_at": real_now}
    mine_or_over = or_(Lease.holder == holder, Lease.expires_at <= real_now)
    changed = session.execute(update(Lease).where(Lease.name == name, mine_or_over).values(**values))
    if changed.rowcount:  # type: ignore[attr-defined]  # CursorResult, which Session.execute does not promise
        return True
    if session.execute(select(Lease.name).where(Lease.name == name)).first():
        return False
    try:
        with session.begin_nested():
            session.execute(insert(Lease).values(name=name, **values))
    except IntegrityError:
        return False
    return True


def holder(session: Session, name: str, real_now: datetime) -> str | None:
    """Return who holds a duty at this instant; None where it is free."""
    return session.scalar(select(Lease.holder).where(Lease.name == name, Lease.expires_at > real_now))


def release(session: Session, name: str, holder: str, real_now: datetime) -> None:
    """Give a lease back, so that the next holder need not wait for its end."""
    session.execute(update(Lease).where(Lease.name == name, Lease.holder == holder).values(expires_at=real_now))


def last_seen(session: Session, name: str) -> datetime | None:
    """Return when the duty's holder was last seen alive."""
    return session.scalar(select(Lease.seen_at).where(Lease.name == name))
