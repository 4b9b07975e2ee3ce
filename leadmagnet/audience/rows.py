"""What the list shows beside a person: the path, the last thing that happened, the next email. A few queries a page.

Must not know: how these are worded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from leadmagnet.audience.listing import SENT
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.activities import Activity
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.watching import Watch


@dataclass(frozen=True, slots=True)
class Happened:
    """The last thing: a kind, an instant, and a step or a word that belongs to it."""

    kind: str
    at: datetime
    what: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    person: Subscriber
    videos_sent: int
    last: Happened
    next: Delivery | None


def rows_of(session: Session, people: Sequence[Subscriber]) -> list[Row]:
    """Return the lines for these people, in their order."""
    ids = [person.id for person in people]
    sent, last, coming = _videos_sent(session, ids), _last_things(session, people), _next_emails(session, ids)
    return [Row(person, sent.get(person.id, 0), last[person.id], coming.get(person.id)) for person in people]


def _videos_sent(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Count the videos of each person's newest enrollment."""
    query = (
        select(Delivery.subscriber_id, Delivery.enrollment_id, func.count())
        .where(Delivery.subscriber_id.in_(ids), Delivery.kind == DeliveryKind.VIDEO, Delivery.status.in_(SENT))
        .group_by(Delivery.subscriber_id, Delivery.enrollment_id)
        .order_by(Delivery.enrollment_id)
    )
    return {subscriber: number for subscriber, _, number in session.execute(query)}


def _last_things(session: Session, people: Sequence[Subscriber]) -> dict[int, Happened]:
    found = {person.id: _standing(person) for person in people}
    for subscriber, at, kind, what in session.execute(_newest([person.id for person in people])):
        if at >= found[subscriber].at:
            found[subscriber] = Happened(kind, at, what)
    return found


def _standing(person: Subscriber) -> Happened:
    """Return the newest of what the person's own row tells."""
    if person.left_at:
        return Happened(person.status, person.left_at)
    return Happened("confirmed", person.confirmed_at) if person.confirmed_at else Happened("sign_up", person.created_at)


def _newest(ids: Sequence[int]) -> Select[int, datetime, str, str]:
    """Return each person's newest watching, act or check-in; in the same moment a check-in says most."""
    happened = union_all(
        select(
            Watch.subscriber_id,
            Watch.last_at.label("at"),
            literal("watch").label("kind"),
            Watch.step_slug.label("what"),
        )
        .add_columns(literal(3).label("weight"))
        .where(Watch.subscriber_id.in_(ids)),
        select(Activity.subscriber_id, Activity.at, Activity.kind, Activity.detail, literal(2)).where(
            Activity.subscriber_id.in_(ids)
        ),
        select(CheckIn.subscriber_id, CheckIn.at, literal("felt ") + CheckIn.felt, CheckIn.step_slug, literal(1)).where(
            CheckIn.subscriber_id.in_(ids)
        ),
    ).subquery()
    place = func.row_number().over(
        partition_by=happened.c.subscriber_id, order_by=(happened.c.at.desc(), happened.c.weight)
    )
    ranked = select(happened, place.label("place")).subquery()
    columns = ranked.c.subscriber_id, ranked.c.at, ranked.c.kind, ranked.c.what
    return select(*columns).where(ranked.c.place == 1)


def _next_emails(session: Session, ids: Sequence[int]) -> dict[int, Delivery]:
    query = select(Delivery).where(Delivery.subscriber_id.in_(ids), Delivery.status == DeliveryStatus.DUE)
    found: dict[int, Delivery] = {}
    for delivery in session.scalars(query.order_by(Delivery.due_at, Delivery.id)):
        found.setdefault(delivery.subscriber_id, delivery)
    return found
