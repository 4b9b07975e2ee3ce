"""How many emails left, and what came back of them, by the minutes in which they left. On the real clock.

The brake on bounces and complaints asks here: a share of what was sent lately, not of what is reported today about last
week. Must not know: how large a share is too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name

#: Emails that left within so many minutes are counted together.
SLOT = timedelta(minutes=10)
#: No question looks further back.
KEPT = timedelta(days=8)
SENT = "sent"


class OutcomeCount(Base):
    """How many emails that left in one slot met with one thing: sent, or a signal of the provider's."""

    __tablename__ = "outcome_count"

    slot: Mapped[datetime] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(Name(24), primary_key=True)
    number: Mapped[int]
    detail: Mapped[str] = mapped_column(Name(300), default="")
    """What was said the last time."""


class Told(NamedTuple):
    """How many emails met with something, and what was said last."""

    number: int
    detail: str


def slot_of(real_at: datetime) -> datetime:
    """Return the beginning of the slot in which an instant lies."""
    since = datetime.fromtimestamp(0, UTC)
    return since + (real_at - since) // SLOT * SLOT


def add(session: Session, counts: Mapping[tuple[datetime, str], Told]) -> None:
    """Add to the counts, by slot and by what happened. In one order, so that two who add do not block one another."""
    if not counts:
        return
    connection = session.connection()
    rows = [
        {"slot": slot, "what": what, "number": told.number, "detail": told.detail[:300]}
        for (slot, what), told in sorted(counts.items())
    ]
    connection.execute(_adding(connection.dialect.name), rows)


@cache
def _adding(dialect: str) -> Any:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(OutcomeCount)
    summed = {"number": OutcomeCount.number + statement.excluded.number, "detail": statement.excluded.detail}
    return statement.on_conflict_do_update(index_elements=["slot", "what"], set_=summed)


def sent(session: Session, number: int, real_now: datetime) -> None:
    """Count emails that have just left."""
    if number:
        add(session, {(slot_of(real_now), SENT): Told(number, "")})


def since(session: Session, real_at: datetime) -> dict[str, Told]:
    """Return how many emails of the slots that begin at an instant or later met with what."""
    query = (
        select(OutcomeCount.what, func.sum(OutcomeCount.number), func.max(OutcomeCount.detail))
        .where(OutcomeCount.slot >= real_at)
        .group_by(OutcomeCount.what)
    )
    return {what: Told(int(number), detail) for what, number, detail in session.execute(query)}


def forget(session: Session, real_now: datetime) -> None:
    """Delete counts that no question reaches any more."""
    session.execute(delete(OutcomeCount).where(OutcomeCount.slot < real_now - KEPT))
