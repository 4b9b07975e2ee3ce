"""Claims that were handed out and whose call has not begun: how many there are, and how they come back.

The database stays the truth: whatever becomes of a message that carries a claim's id, these statements decide.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, TextClause, bindparam, distinct, func, select, text, update
from sqlalchemy.orm import Session

from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.base import Instant
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.pauses import hold_again

#: As the partial index says it: with parameters in it, SQLite would not use that index.
_IN_FLIGHT = text("delivery.status IN ('claimed', 'unknown')")
_NOT_BEGUN: tuple[TextClause | ColumnElement[bool], ...] = (
    _IN_FLIGHT,
    Delivery.status == DeliveryStatus.CLAIMED,
    Delivery.call_begun_at.is_(None),
)
_DUE_AGAIN: dict[str, Any] = {"status": DeliveryStatus.DUE, "claim_id": None, "lease_until": None}


def batches(session: Session, lane: int) -> int:
    """Return how many claims of a lane still hold a row whose call has not begun."""
    query = select(func.count(distinct(Delivery.claim_id))).where(*_NOT_BEGUN, Delivery.lane == lane)
    return session.scalar(query) or 0


def take_up(session: Session, claim_id: str, real_now: datetime, lease_until: datetime) -> int:
    """Give a claim a fresh lease, because somebody begins to work on it; return how many rows may be begun.

    0 where the claim has run out, was swept, or is done.
    """
    alive = Delivery.lease_until > real_now
    statement = update(Delivery).where(*_NOT_BEGUN, Delivery.claim_id == claim_id, alive)
    return len(_ids(session, statement.values(lease_until=lease_until)))


def give_back(session: Session, claim_id: str) -> int:
    """Make the rows of a claim whose call has not begun due again, at no attempt; return how many."""
    return _due_again(session, update(Delivery).where(*_NOT_BEGUN, Delivery.claim_id == claim_id))


def reopen(session: Session, real_now: datetime, limit: int) -> int:
    """Make up to `limit` rows due again whose lease is over and whose call has not begun; return how many.

    In one statement, so that nobody can begin the call between the look and the change.
    """
    given = {"moment": real_now, "most": limit}
    back = list(session.connection().execute(_reopen(), given).scalars().all())
    hold_again(session, back)
    return len(back)


@cache
def _reopen() -> Executable:
    over = select(Delivery.id).where(*_NOT_BEGUN, Delivery.lease_until <= bindparam("moment", type_=Instant()))
    chosen = over.limit(bindparam("most")).with_for_update(skip_locked=True).cte("chosen")
    statement = update(Delivery).where(Delivery.id.in_(select(chosen.c.id)), Delivery.call_begun_at.is_(None))
    again = statement.where(Delivery.status == DeliveryStatus.CLAIMED).values(**_DUE_AGAIN)
    return again.returning(Delivery.id)


def _due_again(session: Session, statement: Any) -> int:
    """Make rows due again, held where their sequence has been paused since; return how many."""
    back = _ids(session, statement.values(**_DUE_AGAIN))
    hold_again(session, back)
    return len(back)


def _ids(session: Session, statement: Any) -> list[int]:
    # Counted by what comes back: SQLite knows no row count of a statement that begins with a CTE.
    statement = statement.returning(Delivery.id).execution_options(synchronize_session=False)
    return list(session.execute(statement).scalars().all())
