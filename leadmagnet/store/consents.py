"""Consent: wordings that never change, and an append-only record of who agreed to which, when, where and how."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.consent import ConsentKind, wording_id
from leadmagnet.store.base import Base, Name, one_of
from leadmagnet.store.insert_all import insert_all


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


def keep_wording(session: Session, text: str, language: str, now: datetime) -> str:
    """Store a wording if it is new and return its id."""
    identity = wording_id(text, language)
    if session.get(Wording, identity) is None:
        # Two may be the first with it at the same moment.
        row = {"id": identity, "text": text, "language": language, "first_used_at": now}
        session.execute(insert_all(Wording, [row], session.connection().dialect).on_conflict_do_nothing())
    return identity


def events_of(session: Session, subscriber_id: int) -> list[ConsentEvent]:
    """Return a person's consent events, oldest first."""
    return session.query(ConsentEvent).filter_by(subscriber_id=subscriber_id).order_by(ConsentEvent.id).all()
