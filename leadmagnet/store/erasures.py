"""Erasures whose copies outside the database are still to go: files of the outbox, rejected rows, SQLite's log.

A person is known here by the keyed hash of the address, and only until that is done. All instants are of the real
clock. Must not know: files.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Instant, Name


class Erasure(Base):
    """One address whose copies are to go. `until`: an email that was on its way may leave another copy till then."""

    __tablename__ = "erasure"

    id: Mapped[int] = mapped_column(primary_key=True)
    email_hash: Mapped[str] = mapped_column(Name(64))
    next_at: Mapped[datetime]
    until: Mapped[datetime]


# Each pass asks this: put together once.
_WAITING = select(Erasure).where(Erasure.next_at <= bindparam("moment", type_=Instant()))


def add(session: Session, email_hashes: Collection[str], now: datetime, until: datetime) -> None:
    """Note addresses whose copies are to go, at once and, where `until` is later, once more then."""
    session.add_all(Erasure(email_hash=one, next_at=now, until=until) for one in sorted(email_hashes))


def waiting(session: Session, now: datetime) -> list[Erasure]:
    """Return what is to be done at this instant."""
    return list(session.scalars(_WAITING, {"moment": now}))


def done(session: Session, erasures: Collection[Erasure], now: datetime) -> None:
    """Forget those that are done with, and put the others off to the end of their time."""
    ids = [one.id for one in erasures]
    session.execute(delete(Erasure).where(Erasure.id.in_(ids), Erasure.until <= now))
    session.execute(update(Erasure).where(Erasure.id.in_(ids)).values(next_at=Erasure.until))
