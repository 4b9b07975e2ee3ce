"""Lanes of the ledger for domains that have had their share: what waits there is in nobody's way.

A due row of such a domain moves, once, from the lane that all share into one of its own, and from there it is claimed
as the domain's rate allows. The index of the claim serves these lanes, too, so the ledger needs neither a column nor an
index for it. `domain_pace` gives each domain its number, and holds what may go out to it. Only there where DOMAIN_RATE
is set; whoever calls holds the lock of `rates.lock`. Must not know: the rates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, delete, exists, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.among import among, fixed
from leadmagnet.store.base import Base, BigId, Name
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

#: Lanes 0 (answers) and 1 are everybody's. The domain with the number n has 2n for answers and 2n + 1.
FIRST_OWN = 2


class DomainPace(Base):
    """One domain: `tokens` are the emails that might go out to it at `at` (real clock)."""

    __tablename__ = "domain_pace"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    domain: Mapped[str] = mapped_column(Name(255), unique=True)
    tokens: Mapped[float]
    at: Mapped[datetime]
    next_at: Mapped[datetime]
    """When one whole email may go out to it (real clock)."""
    has_lane: Mapped[bool] = mapped_column(default=False)
    """Whether its lanes may hold rows. Then its number is not given to another."""


class Bucket(NamedTuple):
    """What may go out to a domain, as it was last written down. `waits`: its own lane holds rows that are due."""

    id: int
    domain: str
    tokens: float
    at: datetime
    waits: bool


def look(session: Session, now: datetime, real_now: datetime, lane: int, limit: int) -> list[tuple[int, str]]:
    """Return the first `limit` rows of a shared lane that are due, oldest first, each with its reader's domain.

    They are locked until the transaction ends; on PostgreSQL rows that somebody else has locked are passed over.
    """
    chosen = _first(_ready(now, real_now), Delivery.lane == lane, limit).cte("chosen")
    query = (
        select(Delivery.id, Subscriber.email_canonical)
        .join(chosen, chosen.c.id == Delivery.id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .order_by(Delivery.due_at, Delivery.id)
    )
    return [(row_id, email.rpartition("@")[2]) for row_id, email in session.connection().execute(query)]


def waiting(session: Session, now: datetime, real_now: datetime, lane: int, limit: int) -> list[Bucket]:
    """Return up to `limit` domains that may get an email and have some in their own lane, the longest free first."""
    query = select(*_COLUMNS, true()).where(*_may_go(now, real_now, lane)).order_by(DomainPace.next_at, DomainPace.id)
    return [Bucket._make(row) for row in session.execute(query.limit(limit))]


def buckets(
    session: Session, now: datetime, real_now: datetime, lane: int, domains: Collection[str]
) -> dict[str, Bucket]:
    """Return what is written down of some domains."""
    query = select(*_COLUMNS, _holds(now, real_now, lane)).where(DomainPace.domain.in_(domains))
    return {row[1]: Bucket._make(row) for row in session.execute(query)} if domains else {}


def first_of(session: Session, now: datetime, real_now: datetime, lane: int, bucket: Bucket, limit: int) -> list[int]:
    """Return the first rows of a domain's own lane that are due, locked."""
    own = Delivery.lane == FIRST_OWN * bucket.id + lane
    return list(session.scalars(_first(_ready(now, real_now), own, limit)))


def claim(session: Session, ids: Collection[int], lane: int, claim_id: str, lease_until: datetime) -> list[int]:
    """Claim rows that were chosen; they stand in the shared lane again. Return the ids that were still due."""
    values = {"status": DeliveryStatus.CLAIMED, "claim_id": claim_id, "lease_until": lease_until, "call_begun_at": None}
    statement = update(Delivery).where(among(Delivery.id, ids), *_OPEN).values(lane=lane, **values)
    statement = statement.returning(Delivery.id).execution_options(synchronize_session=False)
    return list(session.connection().execute(statement).scalars()) if ids else []


def park(session: Session, lane: int, waiting: Mapping[int, Collection[int]]) -> None:
    """Move due rows into their domains' own lanes; `waiting`: ids by the domain's number."""
    for number, ids in waiting.items():
        moved = update(Delivery).where(among(Delivery.id, ids), *_OPEN).values(lane=FIRST_OWN * number + lane)
        session.execute(moved.execution_options(synchronize_session=False))
    if waiting:
        marked = update(DomainPace).where(among(DomainPace.id, waiting)).values(has_lane=True)
        session.execute(marked.execution_options(synchronize_session=False))


def enter(session: Session, standing: Mapping[str, tuple[float, datetime]], real_now: datetime) -> None:
    """Write down what may go out to some domains at `real_now`, and when the next one may; new ones get a number."""
    if not standing:
        return
    dialect = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    new = dialect.insert(DomainPace)
    known = new.on_conflict_do_update(
        index_elements=["domain"], set_={name: new.excluded[name] for name in ("tokens", "at", "next_at")}
    )
    rows = [
        {"domain": domain, "tokens": tokens, "at": real_now, "next_at": next_at, "has_lane": False}
        for domain, (tokens, next_at) in sorted(standing.items())
    ]
    session.connection().execute(known, rows)


def numbers(session: Session, domains: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those domains that have one."""
    query = select(DomainPace.domain, DomainPace.id).where(DomainPace.domain.in_(list(domains)))
    return {row.domain: row.id for row in session.execute(query)}


def any_waits(session: Session, now: datetime, real_now: datetime, lane: int) -> bool:
    """Say whether a row in any domain's own lane may go now."""
    return bool(session.scalar(select(exists(select(DomainPace.id).where(*_may_go(now, real_now, lane))))))


def any_late(session: Session, now: datetime) -> bool:
    """Say whether a row in any domain's own lane has missed its day."""
    late = [exists().where(*_OPEN, Delivery.lane == own, Delivery.closes_at <= now) for own in _OWN]
    return bool(session.scalar(select(exists(select(DomainPace.id).where(DomainPace.has_lane, or_(*late))))))


def asleep(session: Session, real_now: datetime) -> list[DomainPace]:
    """Return the domains with a lane of their own to which nothing may go yet."""
    return list(session.scalars(select(DomainPace).where(DomainPace.has_lane, DomainPace.next_at > real_now)))


def tidy_up(session: Session, full_before: datetime) -> None:
    """Forget domains to which nothing has gone since `full_before` (real clock), and whose lanes are empty."""
    empty = [~exists().where(*_OPEN, Delivery.lane == own) for own in _OWN]
    cleared = update(DomainPace).where(DomainPace.has_lane, *empty).values(has_lane=False)
    session.execute(cleared.execution_options(synchronize_session=False))
    gone = delete(DomainPace).where(DomainPace.has_lane.is_(False), DomainPace.at < full_before)
    session.execute(gone.execution_options(synchronize_session=False))


def left_over(session: Session) -> bool:
    """Say whether any row stands in a domain's own lane."""
    return session.connection().execute(_left_over()).first() is not None


@cache
def _left_over() -> Select[int]:
    return _any_own().limit(1)


def bring_back(session: Session, limit: int) -> int:
    """Move up to `limit` rows from the domains' own lanes into the shared ones; return how many."""
    own = _any_own().order_by(Delivery.lane, Delivery.due_at, Delivery.id).limit(limit)
    ids = session.scalars(own.with_for_update(skip_locked=True)).all()
    back = update(Delivery).where(among(Delivery.id, ids), *_OPEN).values(lane=Delivery.lane % FIRST_OWN)
    session.execute(back.execution_options(synchronize_session=False))
    return len(ids)


_OPEN = (Delivery.status == fixed(DeliveryStatus.DUE), Delivery.held.is_(None))
_COLUMNS = (DomainPace.id, DomainPace.domain, DomainPace.tokens, DomainPace.at)
_OWN = (DomainPace.id * FIRST_OWN, DomainPace.id * FIRST_OWN + 1)


def _any_own() -> Select[int]:
    return select(Delivery.id).where(*_OPEN, Delivery.lane >= fixed(FIRST_OWN))


def _ready(now: datetime, real_now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a claim."""
    return (
        *_OPEN,
        Delivery.due_at <= now,
        or_(Delivery.retry_at.is_(None), Delivery.retry_at <= real_now),
        or_(Delivery.closes_at.is_(None), Delivery.closes_at > now),
    )


def _first(ready: Sequence[ColumnElement[bool]], lane: ColumnElement[bool], limit: int) -> Select[int]:
    query = select(Delivery.id).where(*ready, lane).order_by(Delivery.due_at, Delivery.id).limit(limit)
    return query.with_for_update(skip_locked=True)


def _may_go(now: datetime, real_now: datetime, lane: int) -> tuple[ColumnElement[bool], ...]:
    return DomainPace.has_lane.is_(True), DomainPace.next_at <= real_now, _holds(now, real_now, lane)


def _holds(now: datetime, real_now: datetime, lane: int) -> ColumnElement[bool]:
    """Return whether a domain's own lane holds a row that is due, asked for in the order of the index."""
    own = Delivery.lane == DomainPace.id * FIRST_OWN + lane
    first = select(Delivery.id).where(*_ready(now, real_now), own).order_by(Delivery.due_at, Delivery.id).limit(1)
    return first.correlate(DomainPace).scalar_subquery().is_not(None)
