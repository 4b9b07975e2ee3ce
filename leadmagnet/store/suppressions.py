"""Suppressions: addresses that must not be written to, as keyed hashes, so that they outlive an erasure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name


class Suppression(Base):
    """One address that stays stopped."""

    __tablename__ = "suppression"

    email_hash: Mapped[str] = mapped_column(Name(64), primary_key=True)
    reason: Mapped[str] = mapped_column(Name(32))
    at: Mapped[datetime]


def email_hash(key: str, email_canonical: str) -> str:
    """Return the keyed hash (HMAC-SHA256, hex) of a canonical address."""
    return hmac.new(key.encode(), email_canonical.encode(), hashlib.sha256).hexdigest()


def suppressed(session: Session, key: str, email_canonical: str) -> Suppression | None:
    """Return why an address is suppressed, or None."""
    return session.get(Suppression, email_hash(key, email_canonical))


@cache
def _known() -> Executable:
    return select(Suppression.email_hash).where(Suppression.email_hash.in_(bindparam("hashes", expanding=True)))


def among_addresses(session: Session, key: str, addresses: Collection[str]) -> set[str]:
    """Return those of these canonical addresses that are suppressed."""
    hashes = {email_hash(key, address): address for address in addresses}
    if not hashes:
        return set()
    found = session.connection().execute(_known(), {"hashes": list(hashes)}).scalars()
    return {hashes[known] for known in found}
