"""Consent: wordings that never change, and an append-only record of who agreed to which, when, where and how."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, ForeignKey, Index, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.consent import ConsentKind, wording_id
from leadmagnet.store.among import among_given, fixed
from leadmagnet.store.base import Base, Name, one_of
from leadmagnet.store.insert_kept import insert_rows


class Wording(Base):
    """The exact words somebody agreed to. Its id is a hash of them, so that a changed text is another wording."""

    __tablename__ = "wording"

    id: Mapped[str] = mapped_column(Name(64), primary_key=True)
    text: Mapped[str]
    language: Mapped[str] = mapped_column(Name(12))
    first_used_at: Mapped[datetime]


class ConsentEvent(Base):
    """One step of a consent: requested, confirmed or withdrawn. Rows are never changed."""

    __tablename__ = "consent_event"
    __table_args__ = (one_of("kind", ConsentKind), Index("ix_consent_event_subscriber_id_id", "subscriber_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Name(16))
    purposes: Mapped[str] = mapped_column(Name(64), default="videos reminders")
    wording_id: Mapped[str | None] = mapped_column(ForeignKey("wording.id"))
    at: Mapped[datetime]
    channel: Mapped[str] = mapped_column(Name(32))
    """form, confirmation link, one-click, unsubscribe page, import, command, provider …"""
    form: Mapped[str] = mapped_column(Name(64), default="")
    page: Mapped[str] = mapped_column(Name(500), default="")
    ip: Mapped[str] = mapped_column(Name(45), default="")
    user_agent: Mapped[str] = mapped_column(Name(300), default="")
    detail: Mapped[str] = mapped_column(Name(300), default="")


@cache
def _kept() -> Executable:
    return select(Wording.id).where(Wording.id == bindparam("id"))


def keep_wording(session: Session, text: str, language: str, now: datetime) -> str:
    """Store a wording if it is new and return its id."""
    identity = wording_id(text, language)
    if session.connection().execute(_kept(), {"id": identity}).first() is None:
        session.add(Wording(id=identity, text=text, language=language, first_used_at=now))
        session.flush()
    return identity


def add_all(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add consent events, each with the same columns."""
    if rows:
        insert_rows(session.connection(), ConsentEvent, rows)


def events_of(session: Session, subscriber_id: int) -> list[ConsentEvent]:
    """Return a person's consent events, oldest first."""
    return session.query(ConsentEvent).filter_by(subscriber_id=subscriber_id).order_by(ConsentEvent.id).all()


class Requested(NamedTuple):
    """The newest request of somebody's consent."""

    wording_id: str | None
    form: str
    page: str


@cache
def _requests() -> Executable:
    columns = ConsentEvent.subscriber_id, ConsentEvent.wording_id, ConsentEvent.form, ConsentEvent.page
    asked = among_given(ConsentEvent.subscriber_id), ConsentEvent.kind == fixed(ConsentKind.REQUESTED)
    return select(*columns).where(*asked).order_by(ConsentEvent.id)


def newest_requests(session: Session, subscriber_ids: Collection[int]) -> dict[int, Requested]:
    """Return the newest request of each of these people, by subscriber id."""
    rows = session.connection().execute(_requests(), {"ids": subscriber_ids}).all()
    return {row[0]: Requested._make(row[1:]) for row in rows}
