"""What a person may steer: pause, snooze, days and hour, next video now, start again, go on after it hurt.

Each act is an answer, is recorded, and lets the enrollment room date the next email anew: never a burst.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.sequence import Pace, next_step
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, EnrollmentStatus, SkipReason, SubscriberStatus
from leadmagnet.domain.zones import zone
from leadmagnet.feedback.answers import answered, close_in_hand, drop_reminders, want_plan, want_plans
from leadmagnet.store.deliveries import ASKED_FOR, OUT, Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SUBSCRIBER = "subscriber"


def pause(session: Session, person: Subscriber, now: datetime, until: datetime | None, actor: str = SUBSCRIBER) -> None:
    """Pause all emails, until an instant or (None) until somebody resumes."""
    person.paused_at, person.paused_until = now, until
    words = f"until {schedule.local_day(until, zone(person.timezone))}" if until else "until further notice"
    _done(session, person, now, "paused", words, actor)
    drop_reminders(session, person.id, SkipReason.PAUSED)
    want_plan(session, person.id)


def resume(session: Session, person: Subscriber, now: datetime, actor: str = SUBSCRIBER) -> None:
    """End a pause. What was due meanwhile comes once, at the next moment inside the window."""
    if person.paused_at is None:
        return
    person.paused_at = person.paused_until = None
    _done(session, person, now, "resumed", "", actor)
    want_plan(session, person.id)


def end_pauses(session: Session, now: datetime, limit: int = 500) -> int:
    """End the pauses whose day has come and return how many there were. Their end is no answer of the person's."""
    over = select(Subscriber).where(Subscriber.paused_until <= now).limit(limit).with_for_update(skip_locked=True)
    people = session.scalars(over).all()
    for person in people:
        person.paused_at = person.paused_until = None
        store.activities.add(session, person.id, now, "resumed", detail="the pause was over", actor="schedule")
    want_plans(session, [person.id for person in people])
    return len(people)


def snooze(session: Session, person: Subscriber, now: datetime, until: datetime) -> None:
    """Keep reminders away until an instant; videos go on."""
    person.snoozed_until = until
    _done(session, person, now, "snoozed", f"until {schedule.local_day(until, zone(person.timezone))}", SUBSCRIBER)
    drop_reminders(session, person.id, SkipReason.SNOOZED)


def set_rhythm(
    session: Session, person: Subscriber, now: datetime, *, days: frozenset[int], hour: int | None, timezone: str | None
) -> None:
    """Set exercise days (Monday 0), local hour (None: the course's) and time zone (None: unchanged).

    Raises ValueError when no day is left or the hour is none, UnknownZone for a zone nobody knows.
    """
    if not days or not days <= schedule.EVERY_DAY:
        raise ValueError("Choose at least one day.")
    if hour is not None and not 0 <= hour <= 23:
        raise ValueError("Choose an hour from 0 to 23.")
    if timezone is not None:
        person.timezone = str(zone(timezone))
    person.exercise_days = "".join(str(day) for day in sorted(days))
    person.chosen_hour = hour
    if person.remind_at is not None:
        person.remind_at = now  # the reminders room finds the next day anew
    # One that waits, for a provider that is away say, has its hours from the days, hour or zone that were.
    drop_reminders(session, person.id, SkipReason.SUPERSEDED)
    close_in_hand(session, person.id, now)
    named = " ".join(DAY_NAMES[day] for day in sorted(days))
    when = "the usual hour" if hour is None else f"{hour:02}:00"
    _done(session, person, now, "changed days", f"{named}, {when}, {person.timezone}", SUBSCRIBER)
    want_plan(session, person.id)


def set_pace(session: Session, person: Subscriber, now: datetime, pace: Pace) -> None:
    """Let the videos come faster or slower than the course has it."""
    person.pace = pace
    _done(session, person, now, "changed pace", pace, SUBSCRIBER)
    want_plan(session, person.id)


def go_on(session: Session, person: Subscriber, now: datetime, actor: str = SUBSCRIBER) -> None:
    """After 'it hurt': let reminders and videos come again."""
    if person.hurt_at is None:
        return
    person.hurt_at = None
    _done(session, person, now, "went on", "", actor)
    want_plan(session, person.id)


def keep_reminding(session: Session, person: Subscriber, now: datetime) -> None:
    """Answer "shall we go on?" with yes: reminders come on the exercise days again, a snooze is over."""
    person.snoozed_until = None
    _done(session, person, now, "asked for reminders", "", SUBSCRIBER)


def next_now(session: Session, person: Subscriber, now: datetime) -> bool:
    """Send the next video at once. False when there is none, or when emails are stopped or held."""
    enrollment = store.enrollments.newest_of(session, person.id)
    if enrollment is None or not _may_be_sent(person) or enrollment.status != EnrollmentStatus.ACTIVE:
        return False
    if session.get_one(store.sequences.Sequence, enrollment.sequence_id).paused_at is not None:
        return False
    rows = _unskipped(session, enrollment)
    steps = [step.rule() for step in store.sequences.steps_of(session, enrollment.sequence_id)]
    step = next_step(steps, [row.step_id for row in rows if row.status in OUT and row.step_id is not None])
    row = next((row for row in rows if row.status == DeliveryStatus.DUE), None)
    if step is None or row is None or step.kind is not DeliveryKind.VIDEO or row.step_id != step.id:
        return False
    # An answer to what the person did: it does not count towards one automatic email a day.
    at_once = {"lane": 0, "due_at": now, "closes_at": None, "day": None, "reason": ASKED_FOR, "held": None}
    if not store.claims.change(session, [row.id], DeliveryStatus.DUE, **at_once):
        return False  # it is on its way this moment
    _done(session, person, now, "next video now", step.slug, SUBSCRIBER)
    return True


def restart(session: Session, person: Subscriber, now: datetime) -> bool:
    """Begin the six videos again, as a new enrollment. False unless the person is active and has finished."""
    last = store.enrollments.newest_of(session, person.id)
    if last is None or not _may_be_sent(person) or last.status != EnrollmentStatus.FINISHED:
        return False
    session.add(
        Enrollment(subscriber_id=person.id, sequence_id=last.sequence_id, number=last.number + 1, started_at=now)
    )
    _done(session, person, now, "started again", "", SUBSCRIBER)
    return True


def _may_be_sent(person: Subscriber) -> bool:
    steered = person.status == SubscriberStatus.ACTIVE and person.paused_at is None and person.hurt_at is None
    return steered and person.wants_videos


def _unskipped(session: Session, enrollment: Enrollment) -> list[Delivery]:
    query = select(Delivery).where(Delivery.enrollment_id == enrollment.id, Delivery.status != DeliveryStatus.SKIPPED)
    return list(session.scalars(query.order_by(Delivery.id)))


def _done(session: Session, person: Subscriber, now: datetime, kind: str, detail: str, actor: str) -> None:
    if actor == SUBSCRIBER:
        answered(person, now)
    store.activities.add(session, person.id, now, kind, detail=detail, actor=actor)
