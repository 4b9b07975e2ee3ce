"""Consent: wordings that never change, and an append-only record of who agreed to which, when, where and how.

Triggers hold that (migration 0012): an event is never changed, but for the network address and the browser, which may
be blanked, and goes only with its person. What a person wants now is also kept beside them, for the claim to read.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Select, delete, exists, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from leadmagnet.domain.consent import COURSE, NOWHERE, Channel, ConsentKind, Origin, Purpose, wording_id, written
from leadmagnet.store.base import Base, Name, filled, one_of
from leadmagnet.store.insert_all import insert_all
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


def keep_wording(session: Session, words: str, language: str, now: datetime, version: str = "") -> str:
    """Store a wording if it is new and return its id."""
    identity = wording_id(words, language)
    if session.get(Wording, identity) is None:
        # Two may be the first with it at the same moment.
        row = {"id": identity, "text": words, "language": language, "version": version[:24], "first_used_at": now}
        session.execute(insert_all(Wording, [row], session.connection().dialect).on_conflict_do_nothing())
    return identity


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
    session.add(
        ConsentEvent(
            subscriber_id=person.id,
            email=person.email,
            kind=kind,
            purposes=written(purposes),
            wording_id=wording_id,
            at=asked_at or now,
            effective_at=None if kind is ConsentKind.REQUESTED else now,
            channel=channel,
            form=form[:64],
            page=page[:500],
            ip=origin.ip[:45],
            user_agent=origin.user_agent[:300],
            token_id=origin.token_id[:64],
            detail=detail[:300],
        )
    )
    if kind is ConsentKind.CONFIRMED:
        person.want(person.wanted | frozenset(purposes))
    elif kind is ConsentKind.WITHDRAWN:
        person.want(person.wanted - frozenset(purposes))


def events_of(session: Session, subscriber_id: int) -> list[ConsentEvent]:
    """Return a person's consent events, oldest first."""
    return session.query(ConsentEvent).filter_by(subscriber_id=subscriber_id).order_by(ConsentEvent.id).all()


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
