"""Follows of links, each a fact of its own: which link of which email, when, by what kind of program.

No network address and no browser's name is kept. Must not know: how a follow is judged (domain/clicks.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Index, case, delete, distinct, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.clicks import Agent, Click, Why
from leadmagnet.domain.signals import Signal
from leadmagnet.store.among import among
from leadmagnet.store.base import Base, BigId, Name, one_of
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.events import ProviderEvent
from leadmagnet.store.links import Link
from leadmagnet.store.sequences import Step, StepRevision

#: As the partial index says it, so that the index serves it.
WAITING = text("looked_again = false")


class LinkClick(Base):
    """One follow of one link of one email."""

    __tablename__ = "link_click"
    __table_args__ = (
        one_of("agent", Agent),
        one_of("machine", Why),
        Index("ix_link_click_delivery_id", "delivery_id"),
        Index("ix_link_click_subscriber_id", "subscriber_id"),
        Index("ix_link_click_link_id", "link_id"),
        Index("ix_link_click_waiting", "real_at", sqlite_where=WAITING, postgresql_where=WAITING),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id", ondelete="SET NULL"))
    """The email; empty once it has become a number."""
    link_id: Mapped[int] = mapped_column(ForeignKey("link.id"))
    at: Mapped[datetime]
    real_at: Mapped[datetime]
    """The same on the real clock, by which machines are known."""
    method: Mapped[str] = mapped_column(Name(8))
    agent: Mapped[str] = mapped_column(Name(16))
    ahead: Mapped[bool] = mapped_column(default=False)
    """The browser said that it loads the page before anybody asks for it."""
    machine: Mapped[str] = mapped_column(Name(16), default=Why.PERSON)
    """By what a machine was known; empty where nothing speaks against a person."""
    looked_again: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """One address of a step's email: people who followed it, follows by machines, whether it is in the text today."""

    url: str
    people: int
    machine: int
    current: bool


def of_delivery(session: Session, delivery_id: int) -> list[LinkClick]:
    """Return what is known of one email, in order."""
    return session.query(LinkClick).filter_by(delivery_id=delivery_id).order_by(LinkClick.id).all()


def as_fact(row: LinkClick) -> Click:
    """Return a row as the rules want it."""
    return Click(row.id, row.link_id, row.real_at, row.method, row.agent, row.ahead)


def waiting(session: Session, before: datetime, limit: int) -> list[LinkClick]:
    """Return follows from before an instant (real clock) that nobody has looked at again; locked on PostgreSQL."""
    query = select(LinkClick).where(WAITING, LinkClick.real_at <= before).order_by(LinkClick.real_at).limit(limit)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def of_deliveries(session: Session, ids: Collection[int]) -> list[LinkClick]:
    """Return what is known of these emails."""
    return list(session.scalars(select(LinkClick).where(among(LinkClick.delivery_id, ids)).order_by(LinkClick.id)))


def delivered_at(session: Session, ids: Collection[int]) -> Mapping[int, datetime]:
    """Return when these emails were delivered: as the provider told, else when it took them (real clock)."""
    told = (
        select(func.min(ProviderEvent.at))
        .where(ProviderEvent.public_id == Delivery.public_id, ProviderEvent.signal == Signal.DELIVERED)
        .correlate(Delivery)
        .scalar_subquery()
    )
    query = select(Delivery.id, told, Delivery.settled_at, Delivery.call_begun_at).where(among(Delivery.id, ids))
    rows = session.execute(query)
    known = {row_id: event or settled or begun for row_id, event, settled, begun in rows}
    return {row_id: at for row_id, at in known.items() if at is not None}


def judged(session: Session, changed: Mapping[Why, Collection[int]]) -> None:
    """Write judgements: the ids of follows by what they were found to be."""
    for why, ids in changed.items():
        statement = update(LinkClick).where(among(LinkClick.id, ids)).values(machine=why)
        session.execute(statement.execution_options(synchronize_session=False))


def looked_again(session: Session, ids: Collection[int]) -> None:
    """Mark follows whose judgement stands."""
    statement = update(LinkClick).where(among(LinkClick.id, ids)).values(looked_again=True)
    session.execute(statement.execution_options(synchronize_session=False))


def forget(session: Session, subscriber_id: int) -> None:
    """Delete what is known of a person's follows."""
    statement = delete(LinkClick).where(LinkClick.subscriber_id == subscriber_id)
    session.execute(statement.execution_options(synchronize_session=False))


def by_people(session: Session, subscriber_id: int) -> list[tuple[datetime, str, Delivery | None]]:
    """Return what a person followed, machines aside, oldest first: when (course clock), the address, the email."""
    query = (
        select(LinkClick.at, Link.url, Delivery)
        .join(Link, Link.id == LinkClick.link_id)
        .join(Delivery, Delivery.id == LinkClick.delivery_id, isouter=True)
        .where(LinkClick.subscriber_id == subscriber_id, LinkClick.machine == Why.PERSON)
        .order_by(LinkClick.id)
    )
    return [(at, url, delivery) for at, url, delivery in session.execute(query)]


def of_step(session: Session, step_id: int) -> list[LinkFigures]:
    """Count follows of a step's links over all its revisions, by address; those of the text as it is come first."""
    person = case((LinkClick.machine == Why.PERSON, LinkClick.subscriber_id))
    machine = case((LinkClick.machine != Why.PERSON, LinkClick.id))
    current = func.max(case((StepRevision.id == Step.revision_id, 1), else_=0))
    query = (
        select(Link.url, func.count(distinct(person)), func.count(machine), current, func.max(Link.id))
        .select_from(Link)
        .join(StepRevision, StepRevision.id == Link.revision_id)
        .join(Step, Step.id == StepRevision.step_id)
        .join(LinkClick, LinkClick.link_id == Link.id, isouter=True)
        .where(Step.id == step_id)
        .group_by(Link.url)
        .order_by(current.desc(), func.max(Link.id))
    )
    rows = session.execute(query)
    return [LinkFigures(url, people, machines, bool(now)) for url, people, machines, now, _ in rows]
