"""What is left of erased people: how many there were of a kind, by day. No figure says which of them are one person.

A day is the clinic's, written as the instant at which it began; a local day of a person's own is written as its
midnight in UTC. Must not know: how a figure is worded, when somebody is erased.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name

#: Of figures that have no day.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


class Figure(StrEnum):
    """What is counted."""

    SIGNED_UP = "signed_up"  #: by day of the sign-up and source; so is the next
    CONFIRMED = "confirmed"
    DEPTH = "depth"  #: by day of the sign-up and stages of the funnel passed
    LEFT = "left"
    COMPLAINED = "complained"
    WATCHED = "watched"  #: by the last day with half a video or more
    EXERCISED = "exercised"  #: by the person's own day of the last check-in
    WATCHED_STEP = "watched_step"  #: by step, without a day; so is the next
    DID_STEP = "did_step"
    NOT_REMINDED = "not_reminded"  #: by the person's own day, and reason


class ErasedCount(Base):
    """People, or reminders that stayed away, that had all of this in common."""

    __tablename__ = "erased_count"

    figure: Mapped[str] = mapped_column(Name(24), primary_key=True)
    day: Mapped[datetime] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Name(120), primary_key=True)
    number: Mapped[int]


#: Figure, day, name.
Key = tuple[Figure, datetime, str]


def midnight(day: date) -> datetime:
    """Return a local day as it is written here."""
    return datetime.combine(day, time(), UTC)


def add(session: Session, counts: Mapping[Key, int]) -> None:
    """Add to the counters."""
    if not counts:
        return
    connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(ErasedCount)
    statement = insert.on_conflict_do_update(
        index_elements=["figure", "day", "name"], set_={"number": ErasedCount.number + insert.excluded.number}
    )
    rows = [{"figure": f, "day": day, "name": name, "number": counts[f, day, name]} for f, day, name in sorted(counts)]
    connection.execute(statement, rows)


def within(session: Session, figure: Figure, since: datetime, until: datetime) -> Counter[str]:
    """Count by name, over the days that began at `since` or later and before `until`."""
    return _counted(session, figure, ErasedCount.day >= since, ErasedCount.day < until)


def always(session: Session, figure: Figure) -> Counter[str]:
    """Count by name, whatever the day."""
    return _counted(session, figure)


def _counted(session: Session, figure: Figure, *where: ColumnElement[bool]) -> Counter[str]:
    query = select(ErasedCount.name, func.sum(ErasedCount.number)).where(ErasedCount.figure == figure, *where)
    return Counter({name: int(number) for name, number in session.execute(query.group_by(ErasedCount.name))})
