"""Suppressions: addresses that must not be written to, as keyed hashes, so that they outlive an erasure."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

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
