"""Suppressions: addresses that must not be written to, as keyed hashes, so that they outlive an erasure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache

from sqlalchemy import Executable, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.keyed_hash import KeyedHash
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.among import among_texts, among_texts_given
from leadmagnet.store.base import Base, Name

#: Rows that one statement writes.
_ROWS = 500


#: The reason of an address whose owner was erased without having left: nobody else may bring it back, and they may.
ERASED = "erased"


class Suppression(Base):
    """One address that stays stopped."""

    __tablename__ = "suppression"

    email_hash: Mapped[str] = mapped_column(Name(64), primary_key=True)
    reason: Mapped[str] = mapped_column(Name(32))
    at: Mapped[datetime]


@lru_cache(maxsize=8)
def _begun(key: str) -> KeyedHash:
    return KeyedHash(key.encode())


def email_hash(key: str, email_canonical: str) -> str:
    """Return the keyed hash (HMAC-SHA256, hex) of a canonical address."""
    return _begun(key).of(email_canonical.encode()).hex()


def suppressed(session: Session, key: str, email_canonical: str) -> Suppression | None:
    """Return why an address is suppressed, or None."""
    return session.get(Suppression, email_hash(key, email_canonical))


def reasons(session: Session, key: str, addresses: Collection[str]) -> dict[str, str]:
    """Return those of some canonical addresses that are suppressed, each with the reason."""
    if not addresses:
        return {}
    by_hash = {email_hash(key, address): address for address in addresses}
    rows = session.connection().execute(_reasons(), {"texts": by_hash})
    return {by_hash[hashed]: reason for hashed, reason in rows}


@cache
def _reasons() -> Executable:
    return select(Suppression.email_hash, Suppression.reason).where(among_texts_given(Suppression.email_hash))


def add(session: Session, key: str, addresses: Mapping[str, str], real_now: datetime) -> None:
    """Suppress canonical addresses, each for a reason; a complaint is written down over any other reason."""
    put(session, {email_hash(key, address): (str(reason), real_now) for address, reason in addresses.items()})


def put(session: Session, hashes: Mapping[str, tuple[str, datetime]]) -> None:
    """Keep hashes, each with a reason and an instant.

    What is known already keeps its reason and its instant, but that a complaint beats any other reason, and any other
    one an erasure.
    """
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rows = [{"email_hash": one, "reason": reason, "at": at} for one, (reason, at) in sorted(hashes.items())]
    for start in range(0, len(rows), _ROWS):
        statement = insert(Suppression).values(rows[start : start + _ROWS])
        graver = or_(statement.excluded.reason == SubscriberStatus.COMPLAINED, Suppression.reason == ERASED)
        set_ = {"reason": statement.excluded.reason}
        connection.execute(statement.on_conflict_do_update(index_elements=["email_hash"], set_=set_, where=graver))


def remove(session: Session, key: str, email_canonical: str) -> bool:
    """Take a canonical address off; False where it was not on."""
    gone = delete(Suppression).where(Suppression.email_hash == email_hash(key, email_canonical))
    return bool(session.connection().execute(gone.returning(Suppression.email_hash)).all())


def let_ask(session: Session, key: str, email_canonical: str) -> bool:
    """Keep a canonical address as one that was erased and not stopped; False where nothing stopped it."""
    mine = Suppression.email_hash == email_hash(key, email_canonical), Suppression.reason != ERASED
    kept = update(Suppression).where(*mine).values(reason=ERASED).returning(Suppression.email_hash)
    return bool(session.connection().execute(kept).all())


def known(session: Session, hashes: Collection[str]) -> set[str]:
    """Return those hashes that are kept already."""
    query = select(Suppression.email_hash).where(among_texts(Suppression.email_hash, hashes))
    return set(session.connection().execute(query).scalars())


def counts(session: Session) -> dict[str, int]:
    """Return how many addresses are suppressed, by reason."""
    query = select(Suppression.reason, func.count()).group_by(Suppression.reason).order_by(Suppression.reason)
    return dict(session.execute(query).all())


def every(session: Session, chunk: int = 1_000) -> Iterator[Suppression]:
    """Give all suppressions, in the order of their hashes."""
    last = ""
    while True:
        query = select(Suppression).where(Suppression.email_hash > last).order_by(Suppression.email_hash).limit(chunk)
        rows = session.scalars(query).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].email_hash
        session.expunge_all()
