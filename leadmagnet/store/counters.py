"""What is left of old rows of the ledger: how many emails there were, by day and kind. No person is in it.

A day is the clinic's; it is written as the instant at which it began, so that whoever counts needs no time zone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Index, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.base import Base, BigId, Name, one_of


class DeliveryCount(Base):
    """Emails that had all of this in common. They are no longer in the ledger."""

    __tablename__ = "delivery_count"
    __table_args__ = (
        one_of("status", DeliveryStatus),
        one_of("kind", DeliveryKind),
        Index("ix_delivery_count_step_id", "step_id"),
    )

    sent_day: Mapped[datetime] = mapped_column(primary_key=True)
    """The day on which they went out; where they did not, the one on which they were due."""
    due_day: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Name(24), primary_key=True)
    step_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    """0 for what is no step."""
    text_slug: Mapped[str] = mapped_column(Name(), primary_key=True)
    status: Mapped[str] = mapped_column(Name(16), primary_key=True)
    skip_reason: Mapped[str] = mapped_column(Name(32), primary_key=True)
    provider: Mapped[str] = mapped_column(Name(24), primary_key=True)
    emails: Mapped[int]
    sent_again: Mapped[int]
    """How many of them went out more than once, because nobody could say whether the first had arrived."""


class Sort(NamedTuple):
    """What emails that are counted together have in common; the columns of the table's key, in its order."""

    sent_day: datetime
    due_day: datetime
    kind: str
    step_id: int
    text_slug: str
    status: str
    skip_reason: str
    provider: str


def add(session: Session, emails: Counter[Sort], sent_again: Counter[Sort]) -> None:
    """Add to the counters."""
    if not emails:
        return
    connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(DeliveryCount)
    statement = insert.on_conflict_do_update(
        index_elements=Sort._fields,
        set_={
            "emails": DeliveryCount.emails + insert.excluded.emails,
            "sent_again": DeliveryCount.sent_again + insert.excluded.sent_again,
        },
    )
    rows = [sort._asdict() | {"emails": emails[sort], "sent_again": sent_again[sort]} for sort in sorted(emails)]
    connection.execute(statement, rows)


def of_steps(session: Session, step_ids: Collection[int], statuses: Collection[DeliveryStatus]) -> dict[int, int]:
    """Count emails in one of some states, by step."""
    query = select(DeliveryCount.step_id, func.sum(DeliveryCount.emails)).where(
        DeliveryCount.step_id.in_(step_ids), DeliveryCount.status.in_(statuses)
    )
    return {step_id: int(number) for step_id, number in session.execute(query.group_by(DeliveryCount.step_id))}


def due_since(session: Session, since: datetime) -> tuple[int, int, int]:
    """Count emails of days that began at `since` or later: those that failed, that bounced, that went out again."""
    query = select(DeliveryCount.status, func.sum(DeliveryCount.emails), func.sum(DeliveryCount.sent_again)).where(
        DeliveryCount.due_day >= since
    )
    rows = session.execute(query.group_by(DeliveryCount.status)).all()
    emails = {status: int(number) for status, number, _ in rows}
    again = sum(int(number) for *_, number in rows)
    return emails.get(DeliveryStatus.FAILED, 0), emails.get(DeliveryStatus.BOUNCED, 0), again


def sent_within(
    session: Session, since: datetime, until: datetime, statuses: Collection[DeliveryStatus]
) -> dict[str, int]:
    """Count emails in one of some states, by kind, of the days that began within a period."""
    query = select(DeliveryCount.kind, func.sum(DeliveryCount.emails)).where(
        DeliveryCount.sent_day >= since, DeliveryCount.sent_day < until, DeliveryCount.status.in_(statuses)
    )
    return {kind: int(number) for kind, number in session.execute(query.group_by(DeliveryCount.kind))}
