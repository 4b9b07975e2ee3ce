"""Decisions: why a reminder was not sent. A run of the same reason is one row with a count."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Executable, ForeignKey, Index, bindparam, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import SkipReason
from leadmagnet.store.among import among_given
from leadmagnet.store.base import Base, Name
from leadmagnet.store.insert_rows import insert_rows


class Decision(Base):
    """A run of days on which a reminder stayed away for one reason."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_subscriber_id_id", "subscriber_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(Name(32))
    at: Mapped[datetime]
    """When the run began."""
    first_day: Mapped[date]
    last_day: Mapped[date]
    times: Mapped[int] = mapped_column(default=1)


class Run(NamedTuple):
    """A run of days as it stands, or is to be written; `id` is None where it is new."""

    id: int | None
    reason: str
    at: datetime
    first_day: date
    last_day: date
    times: int


def newest(session: Session, subscriber_ids: Collection[int]) -> dict[int, Run]:
    """Return the newest run of each of these people, by subscriber id."""
    # As plain rows: to the session they would be objects to keep.
    rows = session.connection().execute(_newest(), {"ids": subscriber_ids})
    return {row[0]: Run._make(row[1:]) for row in rows}


@cache
def _newest() -> Executable:
    last = (
        select(func.max(Decision.id).label("id"))
        .where(among_given(Decision.subscriber_id))
        .group_by(Decision.subscriber_id)
        .subquery()
    )
    columns = [getattr(Decision, name) for name in Run._fields]
    return select(Decision.subscriber_id, *columns).join(last, last.c.id == Decision.id)


@cache
def _longer() -> Executable:
    longer = update(Decision.__table__).where(Decision.id == bindparam("run_id"))  # type: ignore[arg-type]  # declared as FromClause, is a Table
    return longer.values({"last_day": bindparam("new_day"), "times": bindparam("new_times")})


def after(last: Run | None, reason: SkipReason, now: datetime, day: date) -> Run:
    """Return the run that holds once a reminder stayed away on `day`: the last one, longer, or a new one."""
    if last is None or last.reason != reason:
        return Run(None, str(reason), now, day, day, 1)
    return last if last.last_day == day else last._replace(last_day=day, times=last.times + 1)


def keep(session: Session, runs: Mapping[int, Sequence[Run]]) -> None:
    """Write runs by subscriber id: those that have an id are longer now, the others are new."""
    told = [(subscriber_id, run) for subscriber_id, mine in runs.items() for run in mine]
    new = [
        {
            "subscriber_id": subscriber_id,
            "reason": run.reason,
            "at": run.at,
            "first_day": run.first_day,
            "last_day": run.last_day,
            "times": run.times,
        }
        for subscriber_id, run in told
        if run.id is None
    ]
    longer = [
        {"run_id": run.id, "new_day": run.last_day, "new_times": run.times} for _, run in told if run.id is not None
    ]
    connection = session.connection()
    if new:
        insert_rows(connection, Decision, new)
    if longer:
        connection.execute(_longer(), longer)


def of_subscriber(session: Session, subscriber_id: int) -> list[Decision]:
    """Return a person's runs, oldest first."""
    return session.query(Decision).filter_by(subscriber_id=subscriber_id).order_by(Decision.id).all()
