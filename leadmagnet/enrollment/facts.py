"""What a batch of plans needs to know, each kind read in one statement. Must not know: the rules of the schedule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import repeat
from typing import NamedTuple

from sqlalchemy import Executable, bindparam, null, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.among import among_given, fixed
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment, Wanting
from leadmagnet.store.gathered import gathered
from leadmagnet.store.subscribers import Subscriber


class Situation(NamedTuple):
    """What the plan of an email needs to know of its reader, but who it is."""

    status: str
    timezone: str
    chosen_hour: int | None
    hurt: bool
    paused: bool
    unreachable: bool
    wants_videos: bool
    pace: str


class Person(NamedTuple):
    """A reader, for the plan of an email."""

    id: int
    leave_id: str
    situation: Situation


class Member(NamedTuple):
    """An enrollment among those that are alike."""

    enrollment_id: int
    subscriber_id: int
    leave_id: str
    """Empty where nobody's hour hangs on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Enrollments that stand alike, in one sequence, of readers in the same situation. Only itself is equal to it."""

    sequence_id: int
    status: str
    situation: Situation
    members: Sequence[Member]


class Standing(NamedTuple):
    """One unskipped delivery of an enrollment."""

    enrollment_id: int
    id: int
    step_id: int | None
    status: str
    day: date | None
    asked_for: bool
    """Whether the reader has asked on the own page to have it now."""
    tried_again: bool
    """Whether the clinic sends it once more, after it had failed."""
    held: str | None
    created_at: datetime
    sent_at: datetime | None


_SITUATION = (
    Subscriber.status,
    Subscriber.timezone,
    Subscriber.chosen_hour,
    Subscriber.hurt_at.is_not(None),
    Subscriber.paused_at.is_not(None),
    Subscriber.unreachable_at.is_not(None),
    Subscriber.wants_videos,
    Subscriber.pace,
)


def alike(session: Session, enrollment_ids: Collection[int], *, spread: bool) -> list[Alike]:
    """Return enrollments by id, those together that stand alike; nothing is taken off them.

    A batch has few situations, so few rows come back. `spread`: hours hang on who somebody is.
    """
    found = []
    rows = session.connection().execute(_alike(spread=spread), {"ids": enrollment_ids}).all()
    for enrollments, readers, leave_ids, sequence_id, status, *situation in rows:
        members = [*map(Member, enrollments, readers, leave_ids or repeat(""))]
        found.append(Alike(sequence_id, status, Situation._make(situation), members))
    return found


@cache
def _alike(*, spread: bool) -> Executable:
    same = Enrollment.sequence_id, Enrollment.status, *_SITUATION
    leave_ids = gathered(Subscriber.leave_id) if spread else null()
    members = gathered(Enrollment.id), gathered(Subscriber.id), leave_ids
    query = select(*members, *same).join(Subscriber, Subscriber.id == Enrollment.subscriber_id)
    return query.where(among_given(Enrollment.id)).group_by(*same)


def people_of(session: Session, waiting: Sequence[Wanting]) -> dict[int, Person]:
    """Return the readers of these enrollments, by subscriber id."""
    ids = {enrollment.subscriber_id for enrollment in waiting}
    # As plain rows: to the session they would be objects to keep.
    rows = session.connection().execute(_people(), {"ids": ids}).all()
    return {row[0]: Person(row[0], row[1], Situation._make(row[2:])) for row in rows}


@cache
def _people() -> Executable:
    return select(Subscriber.id, Subscriber.leave_id, *_SITUATION).where(among_given(Subscriber.id))


def rows_of(session: Session, waiting: Sequence[Wanting]) -> dict[int, list[Standing]]:
    """Return the unskipped deliveries of each enrollment, oldest first."""
    ids = [enrollment.id for enrollment in waiting]
    found: dict[int, list[Standing]] = defaultdict(list)
    for row in session.connection().execute(_rows(), {"ids": ids}).all():
        found[row[0] or 0].append(Standing._make(row))
    for rows in found.values():
        rows.sort()
    return found


@cache
def _rows() -> Executable:
    asked_for = Delivery.reason == fixed(store.deliveries.ASKED_FOR)
    row = Delivery.enrollment_id, Delivery.id, Delivery.step_id, Delivery.status, Delivery.day
    again = Delivery.reason == fixed(store.deliveries.TRIED_AGAIN)
    return select(*row, asked_for, again, Delivery.held, Delivery.created_at, Delivery.sent_at).where(
        among_given(Delivery.enrollment_id),
        Delivery.status != fixed(DeliveryStatus.SKIPPED),
    )


@cache
def _taken_days() -> Executable:
    recent = among_given(Delivery.subscriber_id), Delivery.day >= bindparam("oldest"), store.deliveries.ONE_A_DAY
    return select(Delivery.subscriber_id, Delivery.day, Delivery.id).where(*recent)


def taken_days(session: Session, people: Iterable[Person], now: datetime) -> dict[int, dict[date, int]]:
    """Return each person's local days, from yesterday on, that have their one automatic email, with that row's id."""
    found: dict[int, dict[date, int]] = {person.id: {} for person in people}
    # The zone farthest behind is 12 hours behind UTC: days before that are over for everybody.
    oldest = (now - schedule.ONE_DAY).date()
    told = {"ids": found.keys(), "oldest": oldest}
    for subscriber_id, day, row_id in session.connection().execute(_taken_days(), told).all():
        if day is not None:
            found[subscriber_id][day] = row_id
    return found
