"""The claim and what follows it: set-based statements over the ledger, alike on SQLite and PostgreSQL.

due -> claimed (lease) -> call begun -> sent | failed | due again | unknown. Each function is one short transaction's
work; the caller commits between them and talks to the network with none open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, and_, bindparam, exists, or_, select, text, update
from sqlalchemy.orm import Session

from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.store.among import among, among_given, fixed, one_of
from leadmagnet.store.base import Instant
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.kept import given, plain, to_set
from leadmagnet.store.pauses import hold_again, rests
from leadmagnet.store.subscribers import Subscriber

#: What a delivery forgets when it becomes due again.
_UNCLAIMED: dict[str, Any] = {"claim_id": None, "lease_until": None, "call_begun_at": None}
#: As the partial index says it: with parameters in it, no database would use that index.
IN_FLIGHT = text("delivery.status IN ('claimed', 'unknown')")


def held_under(claim_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which a row stands claimed under this id."""
    return Delivery.claim_id == claim_id, Delivery.status == fixed(DeliveryStatus.CLAIMED)


def claim(
    session: Session, *, now: datetime, real_now: datetime, lease_until: datetime, claim_id: str, lane: int, limit: int
) -> list[int]:
    """Claim up to `limit` rows of a lane that are due at `now`, oldest first, and return their ids.

    On PostgreSQL locked rows are passed over; SQLite has one writer at a time and needs no lock.
    """
    given = {
        "now": now,
        "real_now": real_now,
        "lease": lease_until,
        "claim": claim_id,
        "of_lane": lane,
        "most": limit,
    }
    return sorted(session.connection().execute(_claim(), given).scalars().all())


@cache
def _claim() -> Executable:
    now, real_now = bindparam("now", type_=Instant()), bindparam("real_now", type_=Instant())
    chosen = (
        select(Delivery.id)
        .where(
            Delivery.status == fixed(DeliveryStatus.DUE),
            Delivery.held.is_(None),
            Delivery.lane == bindparam("of_lane"),
            Delivery.due_at <= now,
            or_(Delivery.retry_at.is_(None), Delivery.retry_at <= real_now),
            or_(Delivery.closes_at.is_(None), Delivery.closes_at > now),
        )
        .order_by(Delivery.due_at, Delivery.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        # A CTE that locks runs once; as a plain subquery PostgreSQL may run it again and claim more than the limit.
        .cte("chosen")
    )
    values: dict[str, Any] = {"status": DeliveryStatus.CLAIMED, "call_begun_at": None}
    return (
        update(Delivery)
        .where(Delivery.id.in_(select(chosen.c.id)), Delivery.status == fixed(DeliveryStatus.DUE))
        .values(lease_until=bindparam("lease"), claim_id=bindparam("claim"), **values)
        .returning(Delivery.id)
    )


class Claimed(NamedTuple):
    """A claimed delivery with what its letter needs to know of its reader."""

    id: int
    public_id: str
    subscriber_id: int
    enrollment_id: int | None
    step_id: int | None
    kind: str
    text_slug: str
    day: date | None
    email: str
    first_name: str
    timezone: str
    leave_id: str
    signed_up_at: datetime
    exercise_days: str
    chosen_hour: int | None
    confirmed: bool
    person_status: str
    hurt: bool
    paused: bool
    sequence_paused: bool
    allowed: bool
    """Whether the reader may be sent it, as things stood when this was read."""


def claimed(session: Session, claim_id: str, ids: Collection[int] | None = None) -> list[Claimed]:
    """Return what stands claimed under this id and is not begun, in the order in which it was due.

    `ids`, where the caller knows them, spare a look through all that is claimed.
    """
    given: dict[str, Any] = {"claim": claim_id} | ({"ids": ids} if ids is not None else {})
    # As plain rows: to the session they would be objects to keep.
    rows = session.connection().execute(_claimed(known=ids is not None), given).all()
    return [Claimed._make(row) for row in rows]


@cache
def _claimed(*, known: bool) -> Executable:
    mine = Delivery.status == fixed(DeliveryStatus.CLAIMED), Delivery.claim_id == bindparam("claim")
    these = among_given(Delivery.id) if known else IN_FLIGHT
    return (
        select(
            Delivery.id,
            Delivery.public_id,
            Delivery.subscriber_id,
            Delivery.enrollment_id,
            Delivery.step_id,
            Delivery.kind,
            Delivery.text_slug,
            Delivery.day,
            Subscriber.email,
            Subscriber.first_name,
            Subscriber.timezone,
            Subscriber.leave_id,
            Subscriber.created_at,
            Subscriber.exercise_days,
            Subscriber.chosen_hour,
            Subscriber.confirmed_at.is_not(None),
            Subscriber.status,
            Subscriber.hurt_at.is_not(None),
            Subscriber.paused_at.is_not(None),
            rests(),
            may_receive(),
        )
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(these, *mine, Delivery.call_begun_at.is_(None))
        .order_by(Delivery.due_at, Delivery.id)
    )


@cache
def may_receive() -> ColumnElement[bool]:
    """Return the condition under which a delivery may go out right now: consent always wins, and a pause holds."""
    waiting = one_of(Subscriber.status, (SubscriberStatus.PENDING, SubscriberStatus.UNSUBSCRIBED))
    active = Subscriber.status == fixed(SubscriberStatus.ACTIVE)
    steered = and_(active, Subscriber.paused_at.is_(None), Subscriber.hurt_at.is_(None))
    reminder = and_(steered, Subscriber.wants_reminders)
    return or_(
        and_(Delivery.kind == fixed(DeliveryKind.CONFIRMATION), waiting),
        and_(Delivery.kind == fixed(DeliveryKind.ALREADY_SUBSCRIBED), active),
        and_(one_of(Delivery.kind, (DeliveryKind.VIDEO, DeliveryKind.FINISHED)), steered, ~rests()),
        and_(Delivery.kind == fixed(DeliveryKind.REMINDER), reminder),
    )


@cache
def _allowed() -> ColumnElement[bool]:
    return exists().where(Subscriber.id == Delivery.subscriber_id, may_receive()).correlate(Delivery)


def begin_call(session: Session, claim_id: str, ids: Collection[int], real_now: datetime) -> set[int]:
    """Mark that the provider's call begins, for those who may still receive it; return their ids.

    This is the last look at consent before the network: who left a moment ago is not in the answer. A call begins once:
    whoever comes second with the same claim (a message delivered twice, say) gets nothing.
    """
    given = {"ids": ids, "claim": claim_id, "begun": real_now}
    return set(session.connection().execute(_begin_call(), given).scalars().all())


@cache
def _begin_call() -> Executable:
    mine = among_given(Delivery.id), *held_under(bindparam("claim"))
    begun = update(Delivery).where(*mine, Delivery.call_begun_at.is_(None), _allowed())
    return begun.values(call_begun_at=bindparam("begun")).returning(Delivery.id)


def settle(session: Session, claim_id: str, ids: Collection[int], /, **values: Any) -> set[int]:
    """Write the same outcome on claimed rows of one claim and return the ids that were still ours to settle."""
    if not ids:
        return set()
    connection = session.connection()
    if not plain(values):
        mine = among(Delivery.id, ids), *held_under(claim_id)
        statement = update(Delivery).where(*mine).values(**values).returning(Delivery.id)
        return set(connection.execute(statement).scalars().all())
    told = given(values, ids=ids, claim=claim_id)
    return set(connection.execute(_settle(tuple(values)), told).scalars().all())


@cache
def _settle(columns: tuple[str, ...]) -> Executable:
    mine = among_given(Delivery.id), *held_under(bindparam("claim"))
    return update(Delivery).where(*mine).values(to_set(columns)).returning(Delivery.id)


def give_back(session: Session, claim_id: str, ids: Collection[int], /, **values: Any) -> set[int]:
    """Make claimed rows due again; held, where their sequence has been paused since."""
    back = settle(session, claim_id, ids, status=DeliveryStatus.DUE, **_UNCLAIMED, **values)
    hold_again(session, back)
    return back


def leases_over(session: Session, real_now: datetime, limit: int) -> Sequence[Delivery]:
    """Return claimed and unknown rows whose time is over; on PostgreSQL locked ones are passed over."""
    query = select(Delivery).where(IN_FLIGHT, Delivery.lease_until <= real_now)
    return session.scalars(query.order_by(Delivery.lease_until).limit(limit).with_for_update(skip_locked=True)).all()


def end_claim(
    session: Session, row_id: int, before: DeliveryStatus, claim_id: str | None, /, **values: Any
) -> set[int]:
    """Change a row that still stands at `before` under the same claim; return its id if it was changed.

    A row that somebody has claimed anew since it was looked at is left alone.
    """
    statement = (
        update(Delivery)
        .where(Delivery.id == row_id, Delivery.status == before, Delivery.claim_id == claim_id)
        .values(**values)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return set(session.execute(statement).scalars().all())


def reopen(session: Session, row_id: int, before: DeliveryStatus, claim_id: str | None, /, **values: Any) -> set[int]:
    """Make a row due again, unless somebody has claimed it anew; held, where its sequence has been paused since."""
    back = end_claim(session, row_id, before, claim_id, status=DeliveryStatus.DUE, **_UNCLAIMED, **values)
    hold_again(session, back)
    return back


def change(session: Session, ids: Collection[int], before: DeliveryStatus, /, **values: Any) -> set[int]:
    """Change rows that still stand at `before`; return the ids that were changed."""
    if not ids:
        return set()
    told = given(values, ids=ids, before=str(before))
    return set(session.connection().execute(_change(tuple(values)), told).scalars().all())


@cache
def _change(columns: tuple[str, ...]) -> Executable:
    standing = among_given(Delivery.id), Delivery.status == bindparam("before")
    return update(Delivery).where(*standing).values(to_set(columns)).returning(Delivery.id)


def skip_due(session: Session, reason: str, where: ColumnElement[bool]) -> int:
    """Skip due rows that match, for a recorded reason; return how many."""
    statement = (
        update(Delivery)
        .where(Delivery.status == DeliveryStatus.DUE, where)
        .values(status=DeliveryStatus.SKIPPED, skip_reason=reason)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement).scalars().all())
