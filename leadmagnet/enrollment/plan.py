"""Plan the next email of each enrollment that asks for it.

One mechanism serves all. After a delivery is settled, after an edit of the sequence, a pause, a changed hour or zone,
and when a video could not go out on its day, somebody sets `wants_plan`; the planner works out what is next and when,
and writes or moves the one due row of the enrollment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.status import DeliveryStatus, EnrollmentStatus, SkipReason, SubscriberStatus
from leadmagnet.enrollment.dates import NO_DAYS, Calendar, Course, Settled, courses_of, held_for
from leadmagnet.enrollment.facts import Person, Situation, Standing, alike, people_of, rows_of, taken_days
from leadmagnet.store.among import among
from leadmagnet.store.deliveries import Delivery, Following
from leadmagnet.store.enrollments import Enrollment, Wanting

_DUE, _IN_HAND = str(DeliveryStatus.DUE), (str(DeliveryStatus.CLAIMED), str(DeliveryStatus.UNKNOWN))


@dataclass(slots=True)
class Plans:
    """What a batch of plans comes to, written in a few statements at its end."""

    new: list[Following] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    #: Second tries that have met a pause: they have failed once more.
    failed: list[int] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)
    #: Held without a reason that still holds, and dated as they were.
    freed: list[int] = field(default_factory=list)


def plan_enrollments(session: Session, now: datetime, limit: int = 1000) -> int:
    """Plan for up to `limit` enrollments that want it and return how many there were."""
    courses = courses_of(store.courses.for_plans(session))
    return _plan_all(session, store.enrollments.take_wanting(session, limit), courses, now)


def plan_settled(session: Session, settled: Iterable[Settled], now: datetime) -> int:
    """Plan the next email of enrollments one of whose emails has just come to its end; return how many there were.

    In the transaction that writes the end down. An enrollment has one email ahead of it, so the one that is over now
    was its last and none is left: where it stands is known. A step that it was sent before, and a day that has its
    email, are refused by the ledger's unique indexes; who meets one is planned anew with all that there is to know.
    A wish for a plan stays: what it was put up for may be newer than what is read here.
    """
    courses = courses_of(store.courses.for_plans(session))
    over = {row.enrollment_id: row for row in settled if row.enrollment_id is not None}
    plans, calendar, again, found = Plans(), Calendar(now), [], 0
    for one in alike(session, over.keys(), spread=any(course.spreads for course in courses.values())):
        course, active = courses[one.sequence_id], _is_active(one.status, one.situation)
        found += len(one.members)
        for enrollment_id, reader_id, leave_id in one.members:
            last = over[enrollment_id]
            if last.tried_again:
                again.append(Wanting(enrollment_id, reader_id, one.sequence_id, one.status, now))
            elif active:
                following = calendar.following(one, course.share(leave_id), last, course)
                if following is None:
                    plans.finished.append(enrollment_id)
                else:
                    plans.new.append(Following(enrollment_id, reader_id, following))
    plans.new.sort(key=itemgetter(0))
    late = _write(session, plans, now)
    _plan_all(session, sorted(again), courses, now)
    store.enrollments.note_end(session, [one.id for one in again], now)
    return found - late


def _plan_all(session: Session, waiting: Sequence[Wanting], courses: Mapping[int, Course], now: datetime) -> int:
    if not waiting:
        return 0
    people = people_of(session, waiting)
    rows = rows_of(session, waiting)
    taken = taken_days(session, people.values(), now)
    plans, calendar = Plans(), Calendar(now)
    for enrollment in waiting:
        person, mine = people[enrollment.subscriber_id], rows.get(enrollment.id, [])
        # While an email is in hand, its settling plans what follows.
        if _is_active(enrollment.status, person.situation) and not any(_goes_out(row) for row in mine):
            place = _place(enrollment, mine)
            _plan(plans, calendar, enrollment, person, place, taken[person.id], courses[enrollment.sequence_id])
    # Who has met another row is none of those that are done: else one who always does would keep a pass for ever.
    return len(waiting) - _write(session, plans, now)


def overdue_want_plan(session: Session, now: datetime) -> int:
    """Ask for a new plan for videos that could not go out on their day; reminders of a day gone by expire.

    So do confirmations that were closed, because their readers said no, while somebody had them in hand.
    """
    late = (Delivery.closes_at <= now) & Delivery.held.is_(None)
    expired = store.claims.skip_due(
        session, SkipReason.EXPIRED, late & Delivery.enrollment_id.is_(None) & (Delivery.due_at <= now)
    )
    overdue = select(Delivery.enrollment_id).where(
        Delivery.status == DeliveryStatus.DUE, late, Delivery.due_at <= now, Delivery.enrollment_id.is_not(None)
    )
    session.execute(
        update(Enrollment)
        .where(Enrollment.id.in_(overdue))
        .values(wants_plan=True)
        .execution_options(synchronize_session=False)
    )
    return expired


def _is_active(enrollment_status: str, reader: Situation) -> bool:
    return enrollment_status == EnrollmentStatus.ACTIVE and reader.status == SubscriberStatus.ACTIVE


class Place(NamedTuple):
    """Where an enrollment stands."""

    sent: tuple[int, ...]
    """The steps that are out, oldest first."""
    counts: bool
    """Whether the last one counts towards one email a day."""
    previous_at: datetime
    """When the last one was over, or when the enrollment began: the next delay counts from here."""
    open_id: int | None = None
    """The email that is due or held, if there is one."""
    asked_for: int | None = None
    """Its step, where the reader has asked to have it now."""
    held: str | None = None
    """Why it waits without a date."""
    given_up: tuple[int, ...] = ()
    """Second tries that a pause has held, beside it."""


def _goes_out(row: Standing) -> bool:
    return row.status in _IN_HAND or (row.status == _DUE and row.tried_again and row.held is None)


def _place(enrollment: Wanting, rows: Iterable[Standing]) -> Place:
    """Return where an enrollment stands by all its unskipped emails, oldest first."""
    sent, counts, previous_at = [], False, enrollment.previous_at
    # What had failed and is tried again is the one ahead only where there is no other.
    due = sorted((row for row in rows if row.status == _DUE), key=lambda row: (row.tried_again, row.id))
    ahead = due[0] if due else None
    given_up = tuple(row.id for row in due[1:] if row.tried_again)
    for row in rows:
        if (row.status != _DUE or row.id in given_up) and row.step_id is not None:
            sent.append(row.step_id)
            counts = row.day is not None
            # The one ahead was planned when the last one was over. What is heard later of one that had failed is late.
            if row.sent_at and (ahead is None or row.sent_at <= ahead.created_at):
                previous_at = max(previous_at, row.sent_at)
    if ahead is None:
        return Place(tuple(sent), counts, previous_at)
    asked_for = ahead.step_id if ahead.asked_for else None
    return Place(tuple(sent), counts, previous_at, ahead.id, asked_for, ahead.held, given_up)


def _plan(
    plans: Plans,
    calendar: Calendar,
    enrollment: Wanting,
    person: Person,
    place: Place,
    taken: Mapping[date, int],
    course: Course,
) -> None:
    plans.failed += place.given_up
    coming, open_id = calendar.coming(course, place.sent), place.open_id
    if coming is None:
        if open_id is not None:
            plans.dropped.append(open_id)
        plans.finished.append(enrollment.id)
        return
    days = frozenset([day for day, row_id in taken.items() if row_id != open_id]) if taken else NO_DAYS
    held = held_for(person.situation, course)
    if held is None and place.asked_for == coming[0].id:
        # A wish from before (the end of a pause, another hour) must not put off what was asked for now.
        if open_id is not None and place.held is not None:
            plans.freed.append(open_id)
        return
    dated = calendar.dated(
        place.previous_at, coming, person.situation, course.share(person.leave_id), course, days, counts=place.counts
    )
    if open_id is None:
        plans.new.append(Following(enrollment.id, person.id, {"held": held, **dated}))
    else:
        plans.moved.append({"row_id": open_id, "for_enrollment": enrollment.id, "held": held, **dated})


def _write(session: Session, plans: Plans, now: datetime) -> int:
    """Write it, and return how many met another row and are to be planned anew."""
    if plans.dropped:
        gone = {"status": DeliveryStatus.SKIPPED, "skip_reason": SkipReason.STEP_REMOVED}
        store.claims.change(session, plans.dropped, DeliveryStatus.DUE, **gone)
    store.claims.change(session, plans.failed, DeliveryStatus.DUE, status=str(DeliveryStatus.FAILED), held=None)
    store.claims.change(session, plans.freed, DeliveryStatus.DUE, held=None)
    if plans.finished:
        over = update(Enrollment).where(among(Enrollment.id, plans.finished))
        values = {"status": EnrollmentStatus.FINISHED, "finished_at": now}
        session.execute(over.values(**values).execution_options(synchronize_session=False))
    # A day that another worker has taken since it was looked at: those are planned anew, with that day known.
    again = store.deliveries.move(session, plans.moved)
    again |= store.deliveries.add(session, plans.new, now)
    if again:
        store.enrollments.want_plan(session, again)
    return len(again)
