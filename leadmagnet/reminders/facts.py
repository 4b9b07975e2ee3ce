"""Gather, for a batch of people, everything that the decision about a reminder needs. A few queries a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Executable, bindparam, func, or_, select
from sqlalchemy.orm import Session

from leadmagnet.domain.reminders import Facts
from leadmagnet.domain.schedule import ONE_DAY, local_day, to_utc
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.domain.weeks import good_run
from leadmagnet.domain.zones import zone
from leadmagnet.store.among import among_given, fixed, one_of
from leadmagnet.store.base import Instant
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

#: No rule looks further back than this at reminders sent, or at weeks of exercise.
LOOK_BACK = timedelta(days=8)
WEEKS_BACK = timedelta(weeks=60)
#: One a day at most, so that these cover every rule.
NEWEST = 8
_COURSE = (DeliveryKind.VIDEO, DeliveryKind.FINISHED)


class Person(NamedTuple):
    """What the decision needs to know of somebody."""

    id: int
    status: str
    timezone: str
    leave_id: str
    exercise_days: str
    chosen_hour: int | None
    wants_reminders: bool
    remind_at: datetime
    unanswered: int
    paused_at: datetime | None
    snoozed_until: datetime | None
    hurt_at: datetime | None
    unreachable_at: datetime | None
    started_at: datetime | None
    last_active_at: datetime | None

    @property
    def days(self) -> frozenset[int]:
        """The chosen weekdays as numbers, Monday 0."""
        return frozenset(map(int, self.exercise_days))


@dataclass(slots=True)
class Recent:
    """What a person was sent of late, or is to get: as instants, because days depend on the person's zone."""

    course: list[datetime] = field(default_factory=list)
    reminders: list[datetime] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    """Days that have their one email, by the calendar of the zone in which it was planned: the ledger keeps those."""


def take_due(session: Session, now: datetime, limit: int) -> list[Person]:
    """Return up to `limit` people whose hour has come; on PostgreSQL locked, and locked ones passed over."""
    # As plain rows: to the session they would be objects to keep.
    return [Person._make(row) for row in session.connection().execute(_due(), {"now": now, "most": limit})]


@cache
def _due() -> Executable:
    columns = [getattr(Subscriber, name) for name in Person._fields]
    due = select(*columns).where(Subscriber.remind_at <= bindparam("now", type_=Instant()))
    ordered = due.order_by(Subscriber.remind_at, Subscriber.id).limit(bindparam("most"))
    return ordered.with_for_update(skip_locked=True)


def gather(
    session: Session, people: Sequence[Person], resting: Container[int], now: datetime
) -> dict[int, tuple[Facts, Recent]]:
    """Return the facts of each person, as they stand at `now`, by subscriber id.

    `resting`: people for whom every sequence they are on the way through is paused.
    """
    ids = [person.id for person in people]
    recent, done = _recent(session, ids, now), _check_in_days(session, ids, now)
    return {
        person.id: (
            _facts(person, recent[person.id], done.get(person.id, ()), now, sequence_paused=person.id in resting),
            recent[person.id],
        )
        for person in people
    }


@cache
def _sent_of_late() -> Executable:
    # An email on its way counts as sent: two in a day would be worse than none.
    instant = func.coalesce(Delivery.sent_at, Delivery.due_at)
    return (
        select(
            Delivery.subscriber_id,
            Delivery.kind,
            Delivery.text_slug,
            Delivery.sent_at,
            Delivery.due_at,
            Delivery.day,
            Delivery.held,
        )
        .where(
            among_given(Delivery.subscriber_id),
            one_of(Delivery.kind, (*_COURSE, DeliveryKind.REMINDER)),
            ~one_of(Delivery.status, (DeliveryStatus.SKIPPED, DeliveryStatus.FAILED)),
            or_(Delivery.kind == fixed(DeliveryKind.REMINDER), instant >= bindparam("since", type_=Instant())),
        )
        .order_by(Delivery.id)
    )


def _recent(session: Session, ids: list[int], now: datetime) -> dict[int, Recent]:
    given = {"ids": ids, "since": now - LOOK_BACK}
    found: dict[int, Recent] = defaultdict(Recent)
    for subscriber_id, kind, text, sent_at, due_at, day, held in session.connection().execute(_sent_of_late(), given):
        recent = found[subscriber_id]
        if day is not None:
            recent.days.add(day)
        if held is not None:
            continue
        if kind == DeliveryKind.REMINDER:
            recent.reminders.append(sent_at or due_at)
            recent.texts.append(text)
        else:
            recent.course.append(sent_at or due_at)
    return found


@cache
def _exercised() -> Executable:
    return select(CheckIn.subscriber_id, CheckIn.day).where(
        among_given(CheckIn.subscriber_id), CheckIn.day >= bindparam("since")
    )


def _check_in_days(session: Session, ids: list[int], now: datetime) -> dict[int, list[date]]:
    given = {"ids": ids, "since": (now - WEEKS_BACK).date()}
    found: dict[int, list[date]] = defaultdict(list)
    for subscriber_id, day in session.connection().execute(_exercised(), given):
        found[subscriber_id].append(day)
    return found


def _facts(
    person: Person, recent: Recent, check_in_days: Collection[date], now: datetime, *, sequence_paused: bool
) -> Facts:
    where, days = zone(person.timezone), person.days
    today = local_day(now, where)
    snoozed = person.snoozed_until
    return Facts(
        today=today,
        exercise_days=days,
        active=person.status == SubscriberStatus.ACTIVE,
        wants_reminders=person.wants_reminders,
        started=person.started_at is not None,
        paused=person.paused_at is not None,
        sequence_paused=sequence_paused,
        snoozed_until=_day_after(snoozed, where) if snoozed and snoozed > now else None,
        hurt=person.hurt_at is not None,
        unreachable=person.unreachable_at is not None,
        checked_in_today=today in check_in_days,
        video_today=any(local_day(at, where) == today for at in recent.course),
        mailed_today=today in recent.days,
        recent=tuple(local_day(at, where) for at in recent.reminders[-NEWEST:]),
        unanswered=person.unanswered,
        last_active_on=local_day(person.last_active_at, where) if person.last_active_at else None,
        good_weeks=good_run(check_in_days, len(days), today) if check_in_days else 0,
    )


def _day_after(instant: datetime, where: ZoneInfo) -> date:
    """Return the first local day that begins at or after an instant.

    A snooze ends with a day of the zone in which it was chosen; whoever has moved since may be in the midst of one.
    """
    day = local_day(instant, where)
    return day if to_utc(day, 0, where) >= instant else day + ONE_DAY
