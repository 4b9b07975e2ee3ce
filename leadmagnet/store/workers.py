"""Worker processes that take work from the broker: who lives, and how much each takes at a time. Real clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name


class WorkerProcess(Base):
    """One process, from its start to its end. One that went without a word is forgotten by the others."""

    __tablename__ = "worker"

    holder: Mapped[str] = mapped_column(Name(64), primary_key=True)
    threads: Mapped[int]
    """How many batches it sends at the same time."""
    seen_at: Mapped[datetime]


class Force(NamedTuple):
    """What the living workers take at a time."""

    workers: int
    threads: int


def beat(session: Session, holder: str, threads: int, real_now: datetime) -> None:
    """Say that a process is alive."""
    values = {"threads": threads, "seen_at": real_now}
    changed = session.execute(update(WorkerProcess).where(WorkerProcess.holder == holder).values(**values))
    if not changed.rowcount:  # type: ignore[attr-defined]  # CursorResult, which Session.execute does not promise
        session.execute(insert(WorkerProcess).values(holder=holder, **values))


def leave(session: Session, holder: str) -> None:
    """Say that a process takes nothing more."""
    session.execute(delete(WorkerProcess).where(WorkerProcess.holder == holder))


def force(session: Session, real_now: datetime, seconds: float) -> Force:
    """Return how many processes were seen in the last `seconds`, and their threads together."""
    alive = WorkerProcess.seen_at > real_now - timedelta(seconds=seconds)
    query = select(func.count(), func.coalesce(func.sum(WorkerProcess.threads), 0)).where(alive)
    workers, threads = session.execute(query).one()
    return Force(workers, int(threads))


def forget(session: Session, before: datetime) -> None:
    """Forget processes that were not seen since then."""
    session.execute(delete(WorkerProcess).where(WorkerProcess.seen_at <= before))
