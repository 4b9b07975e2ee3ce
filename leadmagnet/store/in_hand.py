"""What of the ledger is due or claimed, read with its readers, for whoever writes and sends the letters.

And the condition under which a delivery may go out right now. Nothing here changes a row: that is in claims.py.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, Select, and_, bindparam, or_, select, text
from sqlalchemy.orm import Session

from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.store.among import among_given, fixed, one_of
from leadmagnet.store.base import Instant
from leadmagnet.store.deliveries import TRIED_AGAIN, Delivery
from leadmagnet.store.pauses import rests
from leadmagnet.store.subscribers import Subscriber

#: Who may be sent what they have asked for on their own page.
AT_AN_ADDRESS = (SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED)
#: As the partial index says it: with parameters in it, no database would use that index.
IN_FLIGHT = text("delivery.status IN ('claimed', 'unknown')")


def held_under(claim_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which a row stands claimed under this id."""
    return Delivery.claim_id == claim_id, Delivery.status == fixed(DeliveryStatus.CLAIMED)


def due() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which a row of a lane may be claimed, the instants as parameters."""
    now, real_now = bindparam("now", type_=Instant()), bindparam("real_now", type_=Instant())
    return (
        Delivery.status == fixed(DeliveryStatus.DUE),
        Delivery.held.is_(None),
        Delivery.lane == bindparam("of_lane"),
        Delivery.due_at <= now,
        or_(Delivery.retry_at.is_(None), Delivery.retry_at <= real_now),
        or_(Delivery.closes_at.is_(None), Delivery.closes_at > now),
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
    email_canonical: str
    first_name: str
    timezone: str
    leave_id: str
    signed_up_at: datetime
    exercise_days: str
    chosen_hour: int | None
    pace: str
    resent: int
    """How often it was sent again because nobody could say whether the call before had arrived."""
    tried_again: bool
    """Whether it had failed and goes out once more because the clinic says so: later ones may be out already."""
    confirmed: bool
    unreminded: bool
    """Whether their reminders have not begun: the first video that is out begins them."""
    allowed: bool
    """Whether the reader may be sent it, as things stood when this was read."""


def claimed(session: Session, claim_id: str, ids: Collection[int] | None = None) -> list[Claimed]:
    """Return what stands claimed under this id and is not begun, in the order in which it was due.

    `ids`, where the caller knows them, spare a look through all that is claimed.
    """
    told: dict[str, Any] = {"claim": claim_id} | ({"ids": ids} if ids is not None else {})
    return _as_claimed(session, _claimed(known=ids is not None), told)


@cache
def _claimed(*, known: bool) -> Executable:
    these = among_given(Delivery.id) if known else IN_FLIGHT
    query = _with_readers().where(these, *held_under(bindparam("claim")), Delivery.call_begun_at.is_(None))
    return query.order_by(Delivery.due_at, Delivery.id)


def look(session: Session, *, now: datetime, real_now: datetime, lane: int, limit: int) -> list[Claimed]:
    """Return up to `limit` rows of a lane that are due at `now`, oldest first, for `begin_due` or `keep`.

    On PostgreSQL they are locked until the transaction ends, and rows that another has locked are passed over. On
    SQLite nobody else writes during a transaction that was opened for writing.
    """
    return _as_claimed(session, _look(), {"now": now, "real_now": real_now, "of_lane": lane, "most": limit})


@cache
def _look() -> Executable:
    query = _with_readers().where(*due()).order_by(Delivery.due_at, Delivery.id).limit(bindparam("most"))
    return query.with_for_update(of=Delivery, skip_locked=True)


def _with_readers() -> Select[*tuple[Any, ...]]:
    return select(
        Delivery.id,
        Delivery.public_id,
        Delivery.subscriber_id,
        Delivery.enrollment_id,
        Delivery.step_id,
        Delivery.kind,
        Delivery.text_slug,
        Delivery.day,
        Subscriber.email,
        Subscriber.email_canonical,
        Subscriber.first_name,
        Subscriber.timezone,
        Subscriber.leave_id,
        Subscriber.created_at,
        Subscriber.exercise_days,
        Subscriber.chosen_hour,
        Subscriber.pace,
        Delivery.resent,
        Delivery.reason == fixed(TRIED_AGAIN),
        Subscriber.confirmed_at.is_not(None),
        Subscriber.remind_at.is_(None),
        may_receive(),
    ).join(Subscriber, Subscriber.id == Delivery.subscriber_id)


def _as_claimed(session: Session, query: Executable, told: dict[str, Any]) -> list[Claimed]:
    # As plain rows: to the session they would be objects to keep.
    return [Claimed._make(row) for row in session.connection().execute(query, told).all()]


class Stopped(NamedTuple):
    """What stands in the way of a claimed delivery."""

    id: int
    enrollment_id: int | None
    kind: str
    person_status: str
    hurt: bool
    paused: bool
    unreachable: bool
    sequence_paused: bool
    wanted: bool
    """Whether the reader has agreed to emails of this kind."""
    allowed: bool
    """Nothing: what stood there a moment ago is gone."""


def stopped(session: Session, claim_id: str, ids: Collection[int]) -> list[Stopped]:
    """Return what stands in the way of deliveries that are claimed under this id and not begun."""
    rows = session.connection().execute(_stopped(), {"claim": claim_id, "ids": ids}).all()
    return sorted(Stopped._make(row) for row in rows)


@cache
def _stopped() -> Executable:
    held = Subscriber.hurt_at, Subscriber.paused_at, Subscriber.unreachable_at
    reasons = Subscriber.status, *(reason.is_not(None) for reason in held), rests(), _wanted(), may_receive()
    query = select(Delivery.id, Delivery.enrollment_id, Delivery.kind, *reasons).join(
        Subscriber, Subscriber.id == Delivery.subscriber_id
    )
    mine = *held_under(bindparam("claim")), Delivery.call_begun_at.is_(None)
    return query.where(among_given(Delivery.id), *mine)


@cache
def _wanted() -> ColumnElement[bool]:
    """Return the condition that the reader has agreed to emails of a delivery's kind. Answers need no consent."""
    course = one_of(Delivery.kind, (DeliveryKind.VIDEO, DeliveryKind.FINISHED))
    reminder = Delivery.kind == fixed(DeliveryKind.REMINDER)
    return and_(or_(~course, Subscriber.wants_videos), or_(~reminder, Subscriber.wants_reminders))


@cache
def may_receive() -> ColumnElement[bool]:
    """Return the condition under which a delivery may go out right now: consent always wins, and a pause holds."""
    waiting = one_of(Subscriber.status, (SubscriberStatus.PENDING, SubscriberStatus.UNSUBSCRIBED))
    active = Subscriber.status == fixed(SubscriberStatus.ACTIVE)
    held = Subscriber.paused_at, Subscriber.hurt_at, Subscriber.unreachable_at
    steered = and_(active, *(reason.is_(None) for reason in held))
    wanted = and_(steered, _wanted())
    return or_(
        # Closed, where its reader has said no after all while it was in somebody's hands.
        and_(Delivery.kind == fixed(DeliveryKind.CONFIRMATION), waiting, Delivery.closes_at.is_(None)),
        and_(one_of(Delivery.kind, (DeliveryKind.ALREADY_SUBSCRIBED, DeliveryKind.NEW_ADDRESS)), active),
        # A copy and an erasure are also for who has left; pauses hold no answer.
        and_(Delivery.kind == fixed(DeliveryKind.FRESH_LINK), one_of(Subscriber.status, AT_AN_ADDRESS)),
        and_(one_of(Delivery.kind, (DeliveryKind.VIDEO, DeliveryKind.FINISHED)), wanted, ~rests()),
        and_(Delivery.kind == fixed(DeliveryKind.REMINDER), wanted),
    )
