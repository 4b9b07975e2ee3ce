"""Consent: wordings that never change, and an append-only record of who agreed to which, when, where and how.

Triggers hold that (migration 0011): an event is never changed, but for the network address and the browser, which may
be blanked, and goes only with its person. What a person wants now is also kept beside them, for the claim to read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, ForeignKey, Index, bindparam, delete, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.consent import COURSE, NOWHERE, Channel, ConsentKind, Origin, Purpose, wording_id, written
from leadmagnet.store.among import among_given, fixed
from leadmagnet.store.base import Base, Name, filled, one_of
from leadmagnet.store.insert_rows import insert_rows
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber


class Wording(Base):
    """The exact words somebody agreed to. Its id is a hash of them, so that a changed text is another wording."""

    __tablename__ = "wording"

    id: Mapped[str] = mapped_column(Name(64), primary_key=True)
    text: Mapped[str]
    language: Mapped[str] = mapped_column(Name(12))
    version: Mapped[str] = mapped_column(Name(24), default="")
    """The number that the text's file gives it, for people; empty for an import's."""
    first_used_at: Mapped[datetime]


class ConsentEvent(Base):
    """One step of a consent: requested, confirmed, withdrawn or stopped. Rows are never changed."""

    __tablename__ = "consent_event"
    __table_args__ = (
        one_of("kind", ConsentKind),
        Index("ix_consent_event_subscriber_id_id", "subscriber_id", "id"),
        # What may still be blanked, the oldest first.
        Index("ix_consent_event_ip", "at", **filled("ip")),
        Index("ix_consent_event_user_agent", "at", **filled("user_agent")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(Name(320), default="")
    """The person's address at that moment."""
    kind: Mapped[str] = mapped_column(Name(16))
    purposes: Mapped[str] = mapped_column(Name(64), default=written(COURSE))
    wording_id: Mapped[str | None] = mapped_column(ForeignKey("wording.id"))
    at: Mapped[datetime]
    """When the person did it."""
    effective_at: Mapped[datetime | None]
    """When it took effect here. Empty for a request, which has none."""
    channel: Mapped[str] = mapped_column(Name(32))
    form: Mapped[str] = mapped_column(Name(64), default="")
    page: Mapped[str] = mapped_column(Name(500), default="")
    """The address of the page that carried the form."""
    ip: Mapped[str] = mapped_column(Name(45), default="")
    user_agent: Mapped[str] = mapped_column(Name(300), default="")
    token_id: Mapped[str] = mapped_column(Name(64), default="")
    """The id of the link that was used: a hash of its token, so that whoever holds the email can show that it fits."""
    detail: Mapped[str] = mapped_column(Name(300), default="")


@cache
def _kept() -> Executable:
    return select(Wording.id).where(Wording.id == bindparam("id"))


def keep_wording(session: Session, words: str, language: str, now: datetime, version: str = "") -> str:
    """Store a wording if it is new and return its id."""
    identity = wording_id(words, language)
    if session.connection().execute(_kept(), {"id": identity}).first() is None:
        # Two may be the first with it at the same moment.
        row = {"id": identity, "text": words, "language": language, "version": version[:24], "first_used_at": now}
        insert_rows(session.connection(), Wording, [row], meets=True)
    return identity


class Said(NamedTuple):
    """Whose record an event goes into, for which kinds of emails, and on what it rests."""

    person: Subscriber
    purposes: Collection[Purpose]
    wording_id: str | None = None
    form: str = ""
    page: str = ""
    detail: str = ""


def record(
    session: Session,
    person: Subscriber,
    kind: ConsentKind,
    purposes: Collection[Purpose],
    now: datetime,
    *,
    channel: str,
    origin: Origin = NOWHERE,
    asked_at: datetime | None = None,
    wording_id: str | None = None,
    form: str = "",
    page: str = "",
    detail: str = "",
) -> None:
    """Add an event to a person's record, and bring what the person wants now up to date.

    `now` is when it takes effect (course clock), `asked_at` when the person did it, where that was before.
    """
    said = Said(person, purposes, wording_id, form, page, detail)
    record_all(session, kind, [said], now, channel=channel, origin=origin, asked_at=asked_at)


def record_all(
    session: Session,
    kind: ConsentKind,
    said: Sequence[Said],
    now: datetime,
    *,
    channel: str,
    origin: Origin = NOWHERE,
    asked_at: datetime | None = None,
) -> None:
    """Add an event of one kind to the record of each of these people, as `record` does."""
    at, effective_at = asked_at or now, None if kind is ConsentKind.REQUESTED else now
    add_all(
        session,
        [
            {
                "subscriber_id": one.person.id,
                "email": one.person.email,
                "kind": str(kind),
                "purposes": written(one.purposes),
                "wording_id": one.wording_id,
                "at": at,
                "effective_at": effective_at,
                "channel": str(channel),
                "form": one.form[:64],
                "page": one.page[:500],
                "ip": origin.ip[:45],
                "user_agent": origin.user_agent[:300],
                "token_id": origin.token_id[:64],
                "detail": one.detail[:300],
            }
            for one in said
        ],
    )
    for one in said:
        if kind is ConsentKind.CONFIRMED:
            one.person.want(one.person.wanted | frozenset(one.purposes))
        elif kind is ConsentKind.WITHDRAWN:
            one.person.want(one.person.wanted - frozenset(one.purposes))


def add_all(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add events as they are, each with the same columns. What people want is not touched: see `record_all`."""
    if rows:
        insert_rows(session.connection(), ConsentEvent, rows)


def events_of(session: Session, subscriber_id: int) -> list[ConsentEvent]:
    """Return a person's consent events, oldest first."""
    return session.query(ConsentEvent).filter_by(subscriber_id=subscriber_id).order_by(ConsentEvent.id).all()


class Requested(NamedTuple):
    """A request of somebody's consent, by a form."""

    id: int
    wording_id: str | None
    form: str
    page: str
    purposes: str


@cache
def _requests() -> Executable:
    columns = [getattr(ConsentEvent, name) for name in Requested._fields]
    asked = among_given(ConsentEvent.subscriber_id), ConsentEvent.kind == fixed(ConsentKind.REQUESTED)
    return select(ConsentEvent.subscriber_id, *columns).where(*asked).order_by(ConsentEvent.id)


def requests_of(session: Session, chosen: Mapping[int, int | None]) -> dict[int, Requested]:
    """Return a request of each of these people, by subscriber id: the one of the id that is given, else the newest."""
    found: dict[int, Requested] = {}
    for subscriber_id, *row in session.connection().execute(_requests(), {"ids": chosen.keys()}).all():
        before, this = found.get(subscriber_id), Requested._make(row)
        if before is None or before.id != chosen[subscriber_id]:
            found[subscriber_id] = this
    return found


def addresses_of(session: Session, subscriber_id: int) -> set[str]:
    """Return every address at which the record has known a person, as written then."""
    query = select(ConsentEvent.email).where(ConsentEvent.subscriber_id == subscriber_id, ConsentEvent.email != "")
    return set(session.scalars(query))


def import_wordings_of(session: Session, subscriber_id: int) -> set[str]:
    """Return the wordings that imports brought for a person: such a text may name them."""
    query = select(ConsentEvent.wording_id).where(
        ConsentEvent.subscriber_id == subscriber_id,
        ConsentEvent.channel == Channel.IMPORT,
        ConsentEvent.wording_id.is_not(None),
    )
    return {identity for identity in session.scalars(query) if identity}


def forget_unused(session: Session, wording_ids: Collection[str]) -> None:
    """Delete those of these wordings that nobody's record and no sign-up names any more."""
    used = exists().where(ConsentEvent.wording_id == Wording.id), exists().where(SignUp.wording_id == Wording.id)
    statement = delete(Wording).where(Wording.id.in_(wording_ids), *(~one for one in used))
    session.execute(statement.execution_options(synchronize_session=False))
