"""Look at everybody whose reminder hour has come: make a reminder due, or record why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.reminders import Facts, Send, decide, pick
from leadmagnet.domain.status import DeliveryKind, SkipReason
from leadmagnet.domain.zones import zone
from leadmagnet.reminders.facts import Recent, gather
from leadmagnet.store.decisions import Decision
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.sequences import Sequence as Course
from leadmagnet.store.subscribers import Subscriber


def remind(session: Session, now: datetime, limit: int = 500) -> int:
    """Consider up to `limit` people whose hour has come and return how many there were."""
    due = select(Subscriber).where(Subscriber.remind_at <= now).order_by(Subscriber.remind_at).limit(limit)
    people = session.scalars(due.with_for_update(skip_locked=True)).all()
    if not people:
        return 0
    ids = [person.id for person in people]
    facts, last = gather(session, people, now), store.decisions.newest(session, ids)
    rhythms, texts = _rhythms(session, people), _texts(session)
    for person in people:
        rhythm = rhythms.get(person.id)
        if rhythm is None:
            person.remind_at = None
            continue
        is_open, run = _open_slot(session, person, rhythm, last.get(person.id), now)
        if is_open:
            fact, recent = facts[person.id]
            _consider(session, person, rhythm, fact, recent, texts, run, now)
        person.remind_at = _next(person, rhythm, now)
    session.flush()
    return len(people)


def _rhythms(session: Session, people: Sequence[Subscriber]) -> dict[int, schedule.Rhythm]:
    """Return each person's rhythm, from the sequence of the newest enrollment."""
    query = (
        select(Enrollment.subscriber_id, Course)
        .join(Course, Course.id == Enrollment.sequence_id)
        .where(Enrollment.subscriber_id.in_([person.id for person in people]))
        .order_by(Enrollment.id)
    )
    newest = {row[0]: row[1] for row in session.execute(query)}
    hours = {person.id: person.chosen_hour for person in people}
    return {subscriber_id: sequence.rhythm(hours[subscriber_id]) for subscriber_id, sequence in newest.items()}


def _texts(session: Session) -> dict[str, list[str]]:
    """Return the slugs of the wordings for each state."""
    found: dict[str, list[str]] = {}
    for text in store.email_texts.of_kind(session, DeliveryKind.REMINDER):
        found.setdefault(text.state, []).append(text.slug)
    return found


def _minute(person: Subscriber, rhythm: schedule.Rhythm) -> int:
    return rhythm.minute(schedule.spread_share(person.leave_id))


def _next(person: Subscriber, rhythm: schedule.Rhythm, now: datetime) -> datetime:
    return schedule.next_on_days(now, person.days, _minute(person, rhythm), zone(person.timezone))


def _open_slot(
    session: Session, person: Subscriber, rhythm: schedule.Rhythm, last: Decision | None, now: datetime
) -> tuple[bool, Decision | None]:
    """Say whether the hour of an exercise day is there now; record the ones that an outage let pass.

    `remind_at` may be any instant: video 1 or a change of days sets it to that moment. Only an hour that comes after it
    counts, so that nobody is reminded the moment they have chosen their days.
    """
    since, where = person.remind_at, zone(person.timezone)
    if since is None:
        return False, last
    minute = _minute(person, rhythm)
    # A second before, so that the hour itself counts where remind_at is just that.
    slot = schedule.next_on_days(since - timedelta(seconds=1), person.days, minute, where)
    while slot <= now and schedule.closes_at(slot, rhythm, where) <= now:
        day = schedule.local_day(slot, where)
        last = store.decisions.record(session, last, person.id, SkipReason.EXPIRED, now, day)
        slot = schedule.next_on_days(slot, person.days, minute, where)
    return slot <= now, last


def _consider(
    session: Session,
    person: Subscriber,
    rhythm: schedule.Rhythm,
    facts: Facts,
    recent: Recent,
    texts: Mapping[str, list[str]],
    last: Decision | None,
    now: datetime,
) -> None:
    if last is not None and facts.recent and facts.recent[-1] > last.last_day:
        last = None  # a reminder went out since: that run is over
    decision = decide(facts)
    if not isinstance(decision, Send):
        store.decisions.record(session, last, person.id, decision.reason, now, facts.today)
        return
    # A wording that a marketer has taken away altogether leaves the state without words: then the plain one serves.
    variants = texts.get(decision.state) or texts.get("active", [])
    if not variants:
        store.decisions.record(session, last, person.id, SkipReason.STEP_REMOVED, now, facts.today)
        return
    session.add(_reminder(person, rhythm, facts.today, pick(variants, recent.texts), decision.state, now))


def _reminder(person: Subscriber, rhythm: schedule.Rhythm, day: date, text: str, state: str, now: datetime) -> Delivery:
    closes = schedule.closes_at(now, rhythm, zone(person.timezone))
    return Delivery(
        subscriber_id=person.id,
        kind=DeliveryKind.REMINDER,
        text_slug=text,
        reason=f"exercise day, worded for: {state.replace('_', ' ')}",
        created_at=now,
        due_at=now,
        closes_at=closes,
        day=day,
    )
