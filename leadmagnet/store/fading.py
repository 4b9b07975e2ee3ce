"""Columns of the record that are blanked once they have had their time: the oldest rows first.

Must not know: how long a column stays.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from leadmagnet.store.consents import ConsentEvent


def fades(session: Session, column: InstrumentedAttribute[str], before: datetime) -> bool:
    """Say whether a column (`ip` or `user_agent`) holds anything from before an instant of the course clock."""
    return session.execute(_oldest(column, before, 1)).first() is not None


def fade(session: Session, column: InstrumentedAttribute[str], before: datetime, limit: int) -> int:
    """Blank a column in up to `limit` rows from before an instant, the oldest first; return how many."""
    table = column.class_
    statement = update(table).where(table.id.in_(_oldest(column, before, limit))).values({column.key: ""})
    done = session.execute(statement.returning(table.id).execution_options(synchronize_session=False))
    return len(done.all())


def _oldest(column: InstrumentedAttribute[str], before: datetime, limit: int) -> Select[int]:
    """Return the query of the oldest rows that still hold something, as the partial index has them."""
    table = column.class_
    at = table.at if table is ConsentEvent else table.asked_at
    filled = text(f"{table.__tablename__}.{column.key} <> ''")
    return select(table.id).where(filled, at < before).order_by(at).limit(limit)
