"""Gather, for a batch of people, everything that the decision about a reminder needs. Four queries a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from leadmagnet.domain.reminders import Facts
from leadmagnet.domain.schedule import local_day
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.domain.weeks import good_run
from leadmagnet.domain.zones import zone
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

#: No rule looks further back than this at reminders sent, or at weeks of exercise.
LOOK_BACK = timedelta(days=8)
WEEKS_BACK = timedelta(weeks=60)
_COURSE = (DeliveryKind.VIDEO, DeliveryKind.FINISHED)


@dataclass(slots=True)
class Recent:
    """What a person was sent of late, or is to get: as instants, because days depend on the person's zone."""

    course: list[datetime] = field(default_factory=list)
    reminders: list[datetime] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    """Days that have their one email, by the calendar of the zone in which it was planned: the ledger keeps those."""


def gather(session: Session, people: Sequence[Subscriber], now: datetime) -> dict[int, tuple[Facts, Recent]]:
    """Return the facts of each person, as they stand at `now`, by subscriber id."""
    ids = [person.id for person in people]
    recent, done = _recent(session, ids, now), _check_in_days(session, ids, now)
    return {
        person.id: (_facts(person, recent[person.id], done.get(person.id, []), now), recent[person.id])
        for person in people
    }


def _recent(session: Session, ids: list[int], now: datetime) -> dict[int, Recent]:
    # An email on its way counts as sent: two in a day would be worse than none.
    instant = func.coalesce(Delivery.sent_at, Delivery.due_at)
    query = (
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
            Delivery.subscriber_id.in_(ids),
            Delivery.kind.in_([*_COURSE, DeliveryKind.REMINDER]),
            Delivery.status.not_in([DeliveryStatus.SKIPPED, DeliveryStatus.FAILED]),
            or_(Delivery.kind == DeliveryKind.REMINDER, instant >= now - LOOK_BACK),
        )
        .order_by(Delivery.id)
    )
    found: dict[int, Recent] = defaultdict(Recent)
    for subscriber_id, kind, text, sent_at, due_at, day, held in session.execute(query):
        if day is not None:
            found[subscriber_id].days.add(day)
        if held is not None:
            continue
        if kind == DeliveryKind.REMINDER:
            found[subscriber_id].reminders.append(sent_at or due_at)
            found[subscriber_id].texts.append(text)
        else:
            found[subscriber_id].course.append(sent_at or due_at)
    return found


def _check_in_days(session: Session, ids: list[int], now: datetime) -> dict[int, list[date]]:
    query = select(CheckIn.subscriber_id, CheckIn.day).where(
        CheckIn.subscriber_id.in_(ids), CheckIn.day >= (now - WEEKS_BACK).date()
    )
    found: dict[int, list[date]] = defaultdict(list)
    for subscriber_id, day in session.execute(query):
        found[subscriber_id].append(day)
    return found


def _facts(person: Subscriber, recent: Recent, check_in_days: list[date], now: datetime) -> Facts:
    where = zone(person.timezone)
    today = local_day(now, where)
    snoozed = person.snoozed_until
    return Facts(
        today=today,
        exercise_days=person.days,
        active=person.status == SubscriberStatus.ACTIVE,
        wants_reminders=person.wants_reminders,
        started=person.started_at is not None,
        paused=person.paused_at is not None,
        snoozed_until=local_day(snoozed, where) if snoozed and snoozed > now else None,
        hurt=person.hurt_at is not None,
        checked_in_today=today in check_in_days,
        video_today=any(local_day(at, where) == today for at in recent.course),
        mailed_today=today in recent.days,
        recent=tuple(local_day(at, where) for at in recent.reminders),
        unanswered=person.unanswered,
        last_active_on=local_day(person.last_active_at, where) if person.last_active_at else None,
        good_weeks=good_run(check_in_days, len(person.days), today),
    )
