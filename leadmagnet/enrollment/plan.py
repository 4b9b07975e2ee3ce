"""Plan the next email of each enrollment that asks for it.

One mechanism serves all. After a delivery is settled, after an edit of the sequence, a pause, a changed hour or zone,
and when a video could not go out on its day, somebody sets `wants_plan`; the planner works out what is next and when,
and writes or moves the one due row of the enrollment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.sequence import Step, delay_before, next_step
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, EnrollmentStatus, SkipReason, SubscriberStatus
from leadmagnet.domain.zones import zone
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

#: Held rows wait without a date until the person says go on.
HELD_FOR_HURT, HELD_FOR_PAUSE = "hurt", "paused"


def plan_enrollments(session: Session, now: datetime, limit: int = 500) -> int:
    """Plan for up to `limit` enrollments that want it and return how many there were."""
    waiting = store.enrollments.wanting_plan(session, limit)
    if not waiting:
        return 0
    people = _people(session, waiting)
    rows = _rows(session, waiting)
    courses: dict[int, tuple[store.sequences.Sequence, list[Step]]] = {}
    for enrollment in waiting:
        enrollment.wants_plan = False
        course = _course(session, enrollment.sequence_id, courses)
        _plan(session, enrollment, people[enrollment.subscriber_id], rows.get(enrollment.id, []), course, now)
    session.flush()
    return len(waiting)


def overdue_want_plan(session: Session, now: datetime) -> int:
    """Ask for a new plan for videos that could not go out on their day; reminders of a day gone by expire."""
    late = (Delivery.closes_at <= now) & Delivery.held.is_(None)
    expired = store.claims.skip_due(
        session, SkipReason.EXPIRED, late & (Delivery.kind == DeliveryKind.REMINDER) & (Delivery.due_at <= now)
    )
    overdue = select(Delivery.enrollment_id).where(
        Delivery.status == DeliveryStatus.DUE, late, Delivery.due_at <= now, Delivery.enrollment_id.is_not(None)
    )
    session.execute(
        update(Enrollment)
        .where(Enrollment.id.in_(overdue.scalar_subquery()))
        .values(wants_plan=True)
        .execution_options(synchronize_session=False)
    )
    return expired


def _people(session: Session, waiting: Sequence[Enrollment]) -> dict[int, Subscriber]:
    ids = {enrollment.subscriber_id for enrollment in waiting}
    return {person.id: person for person in session.scalars(select(Subscriber).where(Subscriber.id.in_(ids)))}


def _rows(session: Session, waiting: Sequence[Enrollment]) -> dict[int, list[Delivery]]:
    """Return the unskipped deliveries of each enrollment, oldest first."""
    query = select(Delivery).where(
        Delivery.enrollment_id.in_([enrollment.id for enrollment in waiting]), Delivery.status != DeliveryStatus.SKIPPED
    )
    found: dict[int, list[Delivery]] = {}
    for row in session.scalars(query.order_by(Delivery.id)):
        found.setdefault(row.enrollment_id or 0, []).append(row)
    return found


def _course(
    session: Session, sequence_id: int, courses: dict[int, tuple[store.sequences.Sequence, list[Step]]]
) -> tuple[store.sequences.Sequence, list[Step]]:
    if sequence_id not in courses:
        sequence = session.get_one(store.sequences.Sequence, sequence_id)
        courses[sequence_id] = (sequence, [step.rule() for step in store.sequences.steps_of(session, sequence_id)])
    return courses[sequence_id]


def _plan(
    session: Session,
    enrollment: Enrollment,
    person: Subscriber,
    rows: list[Delivery],
    course: tuple[store.sequences.Sequence, list[Step]],
    now: datetime,
) -> None:
    if enrollment.status != EnrollmentStatus.ACTIVE or person.status != SubscriberStatus.ACTIVE:
        return
    if any(row.status in (DeliveryStatus.CLAIMED, DeliveryStatus.UNKNOWN) for row in rows):
        return  # its settling asks for a plan again
    open_row = next((row for row in rows if row.status == DeliveryStatus.DUE), None)
    out = [row for row in rows if row.status in OUT and row.step_id is not None]
    sequence, steps = course
    step = next_step(steps, [row.step_id for row in out if row.step_id is not None])
    if step is None:
        if open_row is not None:
            gone = {"status": DeliveryStatus.SKIPPED, "skip_reason": SkipReason.STEP_REMOVED}
            store.claims.change(session, [open_row.id], DeliveryStatus.DUE, **gone)
        enrollment.status, enrollment.finished_at = EnrollmentStatus.FINISHED, now
        return
    taken = taken_days(session, person.id, now, zone(person.timezone), except_id=open_row.id if open_row else None)
    values = _dated(enrollment, person, step, out, sequence, taken, now)
    if open_row is None:
        people = {"subscriber_id": person.id, "enrollment_id": enrollment.id, "created_at": now}
        session.add(Delivery(status=DeliveryStatus.DUE, **people, **values))
    else:
        # Somebody else may have claimed the row since it was read; then it stays as it is and its settling plans anew.
        store.claims.change(session, [open_row.id], DeliveryStatus.DUE, **values)


def _dated(
    enrollment: Enrollment,
    person: Subscriber,
    step: Step,
    out: list[Delivery],
    sequence: store.sequences.Sequence,
    taken: set[date],
    now: datetime,
) -> dict[str, Any]:
    """Return step, instants, day and reason of the due row."""
    held = HELD_FOR_HURT if person.hurt_at else HELD_FOR_PAUSE if person.paused_at else None
    values: dict[str, Any] = {"step_id": step.id, "kind": step.kind, "held": held}
    delay = delay_before(step, [row.step_id for row in out if row.step_id is not None])
    previous = enrollment.last_settled_at or enrollment.started_at
    if delay.unit is schedule.DelayUnit.AT_ONCE:
        at_once = {"lane": 0, "due_at": min(previous, now), "closes_at": None, "day": None}
        return values | at_once | {"reason": "at confirmation, whatever the hour"}
    where, rhythm = zone(person.timezone), sequence.rhythm(person.chosen_hour)
    share, counts = schedule.spread_share(person.leave_id), bool(out) and out[-1].day is not None
    due = schedule.due_at(previous, delay, rhythm, where, share=share, taken=taken, previous_counts=counts)
    reason = f"{delay.words()} after the previous email"
    if due < now:
        due = schedule.opens_at(now, rhythm, where, taken=taken)
        reason = "overdue: the first moment inside the window"
    closes = schedule.closes_at(due, rhythm, where)
    day = schedule.local_day(due, where)
    return values | {"lane": 1, "due_at": due, "closes_at": closes, "day": day, "reason": reason}


def taken_days(
    session: Session, subscriber_id: int, now: datetime, where: ZoneInfo, except_id: int | None = None
) -> set[date]:
    """Return the person's local days, from today on, that have their one automatic email already."""
    today = schedule.local_day(now, where)
    query = select(Delivery.day).where(
        Delivery.subscriber_id == subscriber_id,
        Delivery.day >= today,
        Delivery.status.not_in([DeliveryStatus.SKIPPED, DeliveryStatus.FAILED]),
    )
    if except_id is not None:
        query = query.where(Delivery.id != except_id)
    return {day for day in session.scalars(query) if day is not None}
