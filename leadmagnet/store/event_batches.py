"""Batches of provider events as they came over HTTP: kept whole until the worker takes them in, then gone.

To sort out a full batch takes longer than the provider should wait. Must not know: what is in them.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import LargeBinary, delete, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, BigId, Name


class EventBatch(Base):
    """One signed body, compressed. It names people, so it lives for seconds."""

    __tablename__ = "event_batch"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str] = mapped_column(Name(24))
    received_at: Mapped[datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary)


# Each claim and each call ask this: put together once.
_WAIT = select(exists(select(EventBatch.id)))


class Batch(NamedTuple):
    """A body as it came."""

    provider: str
    received_at: datetime
    body: bytes


def add(session: Session, provider: str, body: bytes, real_now: datetime) -> None:
    """Keep a body until it is taken in."""
    session.add(EventBatch(provider=provider, received_at=real_now, body=zlib.compress(body, 1)))


def wait(session: Session) -> bool:
    """Say whether any batch is to be taken in."""
    return bool(session.connection().execute(_WAIT).scalar())


def take(session: Session, most: int) -> list[Batch]:
    """Take the oldest batches out.

    On PostgreSQL whoever comes second waits here: what was received before is in effect once it goes on.
    """
    oldest = select(EventBatch.id).order_by(EventBatch.id).limit(most).with_for_update()
    ids = session.connection().execute(oldest).scalars().all()
    if not ids:
        return []
    columns = EventBatch.id, EventBatch.provider, EventBatch.received_at, EventBatch.body
    gone = delete(EventBatch).where(EventBatch.id.in_(ids)).returning(*columns)
    rows = sorted(session.connection().execute(gone), key=lambda row: row.id)
    return [Batch(row.provider, row.received_at, zlib.decompress(row.body)) for row in rows]
