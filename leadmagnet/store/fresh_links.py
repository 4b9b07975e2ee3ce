"""Fresh links: asked for on the own page, sent by email, used once. All instants here are on the real clock.

Must not know: how a link looks, what it opens does.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.base import Base, Name, one_of, random_id
from leadmagnet.store.deliveries import Delivery

#: As many random bits as a token's number has room for. SQLite would use a counted number again after a deletion.
ID_BITS = 63


def _random_number() -> int:
    return secrets.randbits(ID_BITS)


class FreshLink(Base):
    """One link on request. Its letter makes the token, so the hour counts from when the letter was written."""

    __tablename__ = "fresh_link"
    __table_args__ = (
        UniqueConstraint("public_id"),
        one_of("opens", Opens),
        Index("ix_fresh_link_subscriber_id", "subscriber_id"),
        Index("ix_fresh_link_asked_at", "asked_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=_random_number)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    opens: Mapped[str] = mapped_column(Name(16))
    public_id: Mapped[str] = mapped_column(Name(32), default=random_id)
    """The delivery that carries it, by its opaque id: a row of the ledger may go before this one does."""
    asked_at: Mapped[datetime]
    taken: Mapped[str] = mapped_column(Name(32), default="")
    """What has been taken with it, words with a space between."""
    void_at: Mapped[datetime | None]
    """When it stopped working for another reason: the address has changed."""
    new_email: Mapped[str] = mapped_column(Name(320), default="")
    new_canonical: Mapped[str] = mapped_column(Name(320), default="")
    """For NEW_ADDRESS: the address that it was sent to, in both spellings."""

    @property
    def parts(self) -> frozenset[str]:
        """What has been taken with it."""
        return frozenset(self.taken.split())

    def take(self, part: str) -> None:
        """Note that something has been taken with it."""
        self.taken = " ".join(sorted({*self.parts, part}))


def asked(session: Session, subscriber_id: int, opens: Opens, since: datetime) -> list[datetime]:
    """Return when a person asked for links to one thing since an instant."""
    query = select(FreshLink.asked_at).where(
        FreshLink.subscriber_id == subscriber_id, FreshLink.opens == opens, FreshLink.asked_at > since
    )
    return list(session.scalars(query))


def held(session: Session, link_id: int) -> FreshLink | None:
    """Return a link, locked: of two who press at once, one is first."""
    return session.scalar(select(FreshLink).where(FreshLink.id == link_id).with_for_update())


def of_deliveries(session: Session, public_ids: Collection[str]) -> dict[str, FreshLink]:
    """Return the links that these deliveries carry, by the deliveries' opaque ids."""
    query = select(FreshLink).where(FreshLink.public_id.in_(public_ids))
    return {link.public_id: link for link in session.scalars(query)}


def make_void(session: Session, subscriber_id: int, now: datetime) -> None:
    """Make all links of a person void."""
    mine = update(FreshLink).where(FreshLink.subscriber_id == subscriber_id, FreshLink.void_at.is_(None))
    session.execute(mine.values(void_at=now).execution_options(synchronize_session=False))


def forgettable(asked_before: Any) -> ColumnElement[bool]:
    """Return the condition under which a link has served: it is old, and its letter is neither waiting nor young.

    `asked_before` is an instant, or a parameter that will hold one.
    """
    waiting = [DeliveryStatus.DUE, DeliveryStatus.CLAIMED, DeliveryStatus.UNKNOWN]
    young = or_(Delivery.status.in_(waiting), Delivery.settled_at > asked_before)
    open_letter = exists().where(Delivery.public_id == FreshLink.public_id, young)
    return and_(FreshLink.asked_at <= asked_before, ~open_letter.correlate(FreshLink))


def forget_old(session: Session, asked_before: datetime, limit: int) -> int:
    """Delete up to `limit` links that have served; return how many."""
    old = select(FreshLink.id).where(forgettable(asked_before)).order_by(FreshLink.asked_at).limit(limit)
    gone = delete(FreshLink).where(FreshLink.id.in_(old)).returning(FreshLink.id)
    return len(session.execute(gone.execution_options(synchronize_session=False)).all())


def forget_new(session: Session, addresses: Collection[str]) -> None:
    """Delete links that were sent to these addresses (as they are compared), whoever has asked for them."""
    statement = delete(FreshLink).where(FreshLink.new_canonical.in_(addresses))
    session.execute(statement.execution_options(synchronize_session=False))
