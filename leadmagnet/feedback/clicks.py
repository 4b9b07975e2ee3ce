"""A link of an email was followed: kept as a fact and judged, with everything else that is known of that email.

Nothing else changes: no reminder, no date, no state hangs on it. Must not know: HTTP, tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.clicks import LOOK_AGAIN_AFTER, Why, agent_of, fetched_ahead, judge
from leadmagnet.store.clicks import LinkClick
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.links import Link
from leadmagnet.store.subscribers import Subscriber

#: After so many follows of one email no more are kept: whoever has a link could fill the table with it.
MOST_OF_ONE_EMAIL = 100


@dataclass(frozen=True, slots=True)
class Follow:
    """How a link was followed: method, User-Agent and Purpose headers."""

    method: str
    user_agent: str
    purpose: str = ""


def where_to(session: Session, link_id: int) -> str | None:
    """Return the stored address of a link, None where there is none with this id."""
    return session.scalar(select(Link.url).where(Link.id == link_id))


def reader_of(session: Session, delivery_id: int) -> int | None:
    """Return whose email this is, None where it may not be kept that a link of it was followed."""
    mine = select(Delivery.subscriber_id).join(Subscriber, Subscriber.id == Delivery.subscriber_id)
    return session.scalar(mine.where(Delivery.id == delivery_id, Subscriber.track_links))


def keep(session: Session, delivery_id: int, link_id: int, follow: Follow, now: Now) -> bool:
    """Keep that a link was followed, and judge all follows of the email anew. False where nothing may be kept."""
    reader = reader_of(session, delivery_id)
    if reader is None or len(store.clicks.of_delivery(session, delivery_id)) >= MOST_OF_ONE_EMAIL:
        return False
    session.add(
        LinkClick(
            subscriber_id=reader,
            delivery_id=delivery_id,
            link_id=link_id,
            at=now.course,
            real_at=now.real,
            method=follow.method[:8],
            agent=agent_of(follow.user_agent),
            ahead=fetched_ahead(follow.purpose),
        )
    )
    session.flush()
    _judge(session, [delivery_id])
    return True


def look_again(session: Session, now: Now, limit: int = 500) -> int:
    """Judge follows once more when all is known that will be, and return how many there were."""
    rows = store.clicks.waiting(session, now.real - LOOK_AGAIN_AFTER, limit)
    _judge(session, {row.delivery_id for row in rows if row.delivery_id is not None})
    store.clicks.looked_again(session, [row.id for row in rows])
    return len(rows)


def stop_counting(session: Session, person: Subscriber) -> None:
    """Keep no follows of this person from now on, and forget those that were kept."""
    person.track_links = False
    store.clicks.forget(session, person.id)


def _judge(session: Session, delivery_ids: Collection[int]) -> None:
    by_email: dict[int | None, list[LinkClick]] = defaultdict(list)
    for row in store.clicks.of_deliveries(session, delivery_ids):
        by_email[row.delivery_id].append(row)
    delivered = store.clicks.delivered_at(session, delivery_ids)
    changed: dict[Why, list[int]] = defaultdict(list)
    for delivery_id, rows in by_email.items():
        found = judge([store.clicks.as_fact(row) for row in rows], delivered.get(delivery_id or 0))
        for row in rows:
            if found[row.id] != row.machine:
                changed[found[row.id]].append(row.id)
    store.clicks.judged(session, changed)
