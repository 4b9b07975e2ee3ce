"""What a batch of plans needs to know, each kind read in one statement. Must not know: the rules of the schedule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.among import among, fixed
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Wanting
from leadmagnet.store.subscribers import Subscriber


class Person(NamedTuple):
    """What the plan of an email needs to know of its reader."""

    id: int
    status: str
    timezone: str
    chosen_hour: int | None
    leave_id: str
    hurt: bool
    paused: bool
    unreachable: bool


class Standing(NamedTuple):
    """One unskipped delivery of an enrollment."""

    enrollment_id: int
    id: int
    step_id: int | None
    status: str
    day: date | None


def people_of(session: Session, waiting: Sequence[Wanting]) -> dict[int, Person]:
    """Return the readers of these enrollments, by subscriber id."""
    query = select(
        Subscriber.id,
        Subscriber.status,
        Subscriber.timezone,
        Subscriber.chosen_hour,
        Subscriber.leave_id,
        Subscriber.hurt_at.is_not(None),
        Subscriber.paused_at.is_not(None),
        Subscriber.unreachable_at.is_not(None),
    ).where(among(Subscriber.id, {enrollment.subscriber_id for enrollment in waiting}))
    # As plain rows: to the session they would be objects to keep.
    return {row[0]: Person._make(row) for row in session.connection().execute(query).all()}


def rows_of(session: Session, waiting: Sequence[Wanting]) -> dict[int, list[Standing]]:
    """Return the unskipped deliveries of each enrollment, oldest first."""
    query = select(Delivery.enrollment_id, Delivery.id, Delivery.step_id, Delivery.status, Delivery.day).where(
        among(Delivery.enrollment_id, [enrollment.id for enrollment in waiting]),
        Delivery.status != fixed(DeliveryStatus.SKIPPED),
    )
    found: dict[int, list[Standing]] = defaultdict(list)
    for row in session.connection().execute(query).all():
        found[row[0] or 0].append(Standing._make(row))
    for rows in found.values():
        rows.sort()
    return found


def taken_days(session: Session, people: Iterable[Person], now: datetime) -> dict[int, dict[date, int]]:
    """Return each person's local days, from yesterday on, that have their one automatic email, with that row's id."""
    found: dict[int, dict[date, int]] = {person.id: {} for person in people}
    # The zone farthest behind is 12 hours behind UTC: days before that are over for everybody.
    oldest = (now - schedule.ONE_DAY).date()
    query = select(Delivery.subscriber_id, Delivery.day, Delivery.id).where(
        among(Delivery.subscriber_id, found), Delivery.day >= oldest, store.deliveries.ONE_A_DAY
    )
    for subscriber_id, day, row_id in session.connection().execute(query).all():
        if day is not None:
            found[subscriber_id][day] = row_id
    return found
