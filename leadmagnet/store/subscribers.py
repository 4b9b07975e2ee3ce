"""Subscribers: who they are, where they stand, and what they have asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, Index, Select, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.consent import Purpose
from leadmagnet.domain.sequence import Pace
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.among import among_given, among_texts, among_texts_given
from leadmagnet.store.base import Base, Name, one_of, random_id
from leadmagnet.store.insert_rows import insert_rows


class Subscriber(Base):
    """A person who has signed up, at one address."""

    __tablename__ = "subscriber"
    __table_args__ = (
        UniqueConstraint("email_canonical"),
        UniqueConstraint("leave_id"),
        one_of("status", SubscriberStatus),
        one_of("pace", Pace),
        Index("ix_subscriber_status_id", "status", "id"),
        Index("ix_subscriber_created_at_id", "created_at", "id"),
        Index(
            "ix_subscriber_pending",
            "created_at",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_subscriber_unreachable",
            "id",
            sqlite_where=text("unreachable_at IS NOT NULL"),
            postgresql_where=text("unreachable_at IS NOT NULL"),
        ),
        Index("ix_subscriber_remind_at", "remind_at"),
        Index("ix_subscriber_paused_until", "paused_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Name(320))
    """As typed, with the normal spelling of the domain."""
    email_canonical: Mapped[str] = mapped_column(Name(320))
    """Lower case, domain in punycode: what two spellings of one address share."""
    first_name: Mapped[str] = mapped_column(Name(80), default="")
    status: Mapped[str] = mapped_column(Name(16), default=SubscriberStatus.PENDING)
    timezone: Mapped[str] = mapped_column(Name(64))
    source: Mapped[str] = mapped_column(Name(120), default="")
    """The form or file they came from."""
    leave_id: Mapped[str] = mapped_column(Name(32), default=random_id)
    """The random id of the unsubscribe link: stored, so that it outlives SECRET_KEY."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    """When the emails stopped for good: unsubscribed, bounced or complained."""
    left_real_at: Mapped[datetime | None]
    """The same on the real clock: confirmation links issued before it are dead."""

    paused_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    """With paused_at set and this empty, the pause lasts until the person comes back."""
    snoozed_until: Mapped[datetime | None]
    """Reminders, not videos, wait until then."""
    hurt_at: Mapped[datetime | None]
    """Said 'it hurt' and has not said 'go on': no reminders, no next video."""
    unreachable_at: Mapped[datetime | None]
    """Five emails in a row came back because the mailbox was full or away (real clock); one that arrives lifts it."""

    exercise_days: Mapped[str] = mapped_column(Name(7), default="024")
    """Weekday digits, Monday 0."""
    chosen_hour: Mapped[int | None]
    """Local hour the person picked, 0 to 23; empty means the sequence's."""
    wants_videos: Mapped[bool] = mapped_column(default=True)
    """What the consent record adds up to, kept here for the claim; so are the next two. It counts while active."""
    pace: Mapped[str] = mapped_column(Name(8), default=Pace.USUAL, server_default=Pace.USUAL)
    """How fast the videos come, beside the course's own delays."""
    wants_reminders: Mapped[bool] = mapped_column(default=True)
    wants_news: Mapped[bool] = mapped_column(default=False)
    remind_at: Mapped[datetime | None]
    """The next instant at which a reminder may be considered."""
    unanswered: Mapped[int] = mapped_column(default=0)
    """Reminders sent since the last answer."""
    last_active_at: Mapped[datetime | None]
    """Last check-in, watched quarter, or act on the own page."""
    started_at: Mapped[datetime | None]
    """First check-in or first quarter of a video watched."""
    track_links: Mapped[bool] = mapped_column(default=False)
    """Whether it may be kept that a link was followed: told so at the sign-up, and no objection since."""
    asked_first_at: Mapped[datetime | None]
    """When the 'ask first if' list before video 1 was acknowledged."""

    @property
    def days(self) -> frozenset[int]:
        """The chosen weekdays as numbers, Monday 0."""
        return frozenset(int(digit) for digit in self.exercise_days)

    @property
    def wanted(self) -> frozenset[Purpose]:
        """The kinds of emails that the person has agreed to."""
        wants = {
            Purpose.VIDEOS: self.wants_videos,
            Purpose.REMINDERS: self.wants_reminders,
            Purpose.NEWS: self.wants_news,
        }
        return frozenset(purpose for purpose, wanted in wants.items() if wanted)

    def want(self, purposes: Collection[Purpose]) -> None:
        """Note what the person has agreed to: these and no others. The record is written by store/consents.py."""
        self.wants_videos = Purpose.VIDEOS in purposes
        self.wants_reminders = Purpose.REMINDERS in purposes
        self.wants_news = Purpose.NEWS in purposes


def by_canonical(session: Session, email_canonical: str) -> Subscriber | None:
    """Return the subscriber at a canonical address."""
    return session.query(Subscriber).filter_by(email_canonical=email_canonical).one_or_none()


def lock(session: Session, email_canonical: str) -> Subscriber | None:
    """Return the subscriber at a canonical address; on PostgreSQL the row is locked."""
    return session.query(Subscriber).filter_by(email_canonical=email_canonical).with_for_update().one_or_none()


def by_leave_ids(session: Session, leave_ids: Collection[str]) -> list[Subscriber]:
    """Return the subscribers whose unsubscribe links these are."""
    return session.query(Subscriber).filter(among_texts(Subscriber.leave_id, leave_ids)).order_by(Subscriber.id).all()


def by_leave_id(session: Session, leave_id: str) -> Subscriber | None:
    """Return the subscriber whose unsubscribe link this is."""
    return session.query(Subscriber).filter_by(leave_id=leave_id).one_or_none()


class Known(NamedTuple):
    """Somebody at an address, and where they stand."""

    id: int
    status: str
    email: str
    left_real_at: datetime | None
    """When they said last that they want no more emails (real clock)."""


@cache
def _by_addresses() -> Executable:
    known = Subscriber.id, Subscriber.status, Subscriber.email, Subscriber.left_real_at
    query = select(Subscriber.email_canonical, *known).where(among_texts_given(Subscriber.email_canonical))
    # In one order, so that two workers cannot wait for each other.
    return query.order_by(Subscriber.id).with_for_update()


def lock_by_canonical(session: Session, addresses: Collection[str]) -> dict[str, Known]:
    """Return who is at these canonical addresses, by address; on PostgreSQL they are locked."""
    if not addresses:
        return {}
    rows = session.connection().execute(_by_addresses(), {"texts": addresses}).all()
    return {row[0]: Known._make(row[1:]) for row in rows}


def add_all(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add pending subscribers, each with the same columns; one whose address is known already is left out."""
    insert_rows(session.connection(), Subscriber, rows, meets=True)


@cache
def _locked() -> Select[Subscriber]:
    query = select(Subscriber).where(among_given(Subscriber.id)).order_by(Subscriber.id).with_for_update()
    return query.execution_options(populate_existing=True)


def locked(session: Session, ids: Collection[int]) -> dict[int, Subscriber]:
    """Return people by id, on PostgreSQL locked, as they stand once the lock is ours."""
    return {person.id: person for person in session.scalars(_locked(), {"ids": ids})}
