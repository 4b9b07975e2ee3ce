"""Emails that answer a form: the confirmation, and "you are already in". Each at most once within its cool-down.

Must not know: why somebody is answered, how the email looks.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Executable, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from leadmagnet.clock import Now
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.among import among_given, one_of
from leadmagnet.store.base import Instant, random_id
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.insert_rows import insert_rows
from leadmagnet.store.subscribers import Subscriber

#: Real time between two confirmations to one address.
CONFIRMATION_COOL_DOWN = timedelta(minutes=10)
#: Real time between two 'you are already in' emails to one address.
ALREADY_COOL_DOWN = timedelta(days=1)
#: The day over which confirmations to one address are counted. Real time.
ADDRESS_WINDOW = timedelta(days=1)


def answer(session: Session, subscriber_id: int, kind: DeliveryKind, now: Now, cool_down: timedelta) -> str:
    """Answer one person; return what became of it, in words for the record."""
    return answer_all(session, [subscriber_id], kind, now, cool_down)[subscriber_id]


def answer_all(
    session: Session,
    subscriber_ids: Collection[int],
    kind: DeliveryKind,
    now: Now,
    cool_down: timedelta,
    most_a_day: int = 0,
) -> dict[int, str]:
    """Make an answering email due at once, unless one of its kind is on its way or went out within `cool_down`.

    With `most_a_day`, that many of a kind within a day are enough, too. Return, by subscriber id, what became of it, in
    words for the record.
    """
    if not subscriber_ids:
        return {}
    connection = session.connection()
    given = {"ids": subscriber_ids, "kind": str(kind), "since": now.real - cool_down}
    recent = set(connection.execute(_recent(), given).scalars().all())
    often: set[int] = set()
    if most_a_day:
        counted = given | {"since": now.real - ADDRESS_WINDOW, "most": most_a_day}
        often = set(connection.execute(_often(), counted).scalars().all())
    if rows := [_row(one, kind, now.course) for one in subscriber_ids if one not in recent | often]:
        insert_rows(connection, Delivery, rows)
    words = {one: str(kind) for one in subscriber_ids} | dict.fromkeys(often, f"{kind} cap")
    return words | dict.fromkeys(recent, f"{kind} cool-down")


@cache
def _recent() -> Executable:
    """Return the statement that finds who has an email of a kind on its way, or had one of late.

    One from before their last no does not count: its button works no more.
    """
    fresh = Delivery.settled_at >= bindparam("since", type_=Instant())
    still_good = or_(Subscriber.left_real_at.is_(None), Delivery.settled_at > Subscriber.left_real_at)
    on_its_way = one_of(Delivery.status, (DeliveryStatus.DUE, DeliveryStatus.CLAIMED)), Delivery.closes_at.is_(None)
    mine = among_given(Delivery.subscriber_id), Delivery.kind == bindparam("kind")
    query = select(Delivery.subscriber_id).join(Subscriber, Subscriber.id == Delivery.subscriber_id)
    return query.where(*mine, or_(and_(*on_its_way), and_(fresh, still_good)))


@cache
def _often() -> Executable:
    """Return the statement that finds who had as many emails of a kind since then as are enough."""
    mine = among_given(Delivery.subscriber_id), Delivery.kind == bindparam("kind")
    settled = select(Delivery.subscriber_id).where(*mine, Delivery.settled_at >= bindparam("since", type_=Instant()))
    return settled.group_by(Delivery.subscriber_id).having(func.count() >= bindparam("most"))


def _row(subscriber_id: int, kind: DeliveryKind, at: datetime) -> dict[str, object]:
    return {
        "public_id": random_id(),
        "subscriber_id": subscriber_id,
        "kind": str(kind),
        "status": str(DeliveryStatus.DUE),
        "lane": 0,
        "created_at": at,
        "due_at": at,
        "reason": "asked for on a form",
    }
