"""Look at everybody whose reminder hour has come: make a reminder due, or record why there is none.

A batch is decided person by person and written by the set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.reminders import Facts, Send, decide, pick
from leadmagnet.domain.status import DeliveryKind, EnrollmentStatus, SkipReason
from leadmagnet.domain.zones import zone
from leadmagnet.reminders.facts import Person, Recent, gather, take_due
from leadmagnet.store.among import among_given
from leadmagnet.store.decisions import Run
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.sequences import Sequence as Course
from leadmagnet.store.subscribers import Subscriber

# Each batch asks these: put together once.
_COURSES = select(Course)
_WORDINGS = (
    select(EmailText.state, EmailText.slug)
    .where(EmailText.kind == DeliveryKind.REMINDER, EmailText.removed.is_(False))
    .order_by(EmailText.slug)
)


@dataclass(slots=True)
class Outcome:
    """What a batch comes to, written in a few statements at its end."""

    new: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[int, list[Run]] = field(default_factory=lambda: defaultdict(list))
    """The runs of each person that are new or longer, oldest first; the newest may have been there before."""
    next: dict[datetime | None, list[int]] = field(default_factory=lambda: defaultdict(list))
    """People by the instant at which they are looked at again."""


class Calendar:
    """The slots of one batch: people who share zone, days and minute share the answer."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._known: dict[tuple[datetime, str, int, str], datetime] = {}

    def slot(self, after: datetime, person: Person, minute: int) -> datetime:
        """Return the first exercise hour of a person after an instant."""
        key = (after, person.exercise_days, minute, person.timezone)
        if key not in self._known:
            self._known[key] = schedule.next_on_days(after, person.days, minute, zone(person.timezone))
        return self._known[key]


def remind(session: Session, now: datetime, limit: int = 1000) -> int:
    """Consider up to `limit` people whose hour has come and return how many there were."""
    people = take_due(session, now, limit)
    if not people:
        return 0
    rhythms, resting = _rhythms(session, people)
    last = store.decisions.newest(session, [person.id for person in people])
    outcome, calendar, open_now = Outcome(), Calendar(), []
    for person in people:
        rhythm = rhythms.get(person.id)
        if rhythm is None:
            outcome.next[None].append(person.id)
            continue
        if _open_slot(outcome, calendar, person, rhythm, last, now):
            open_now.append(person)
        outcome.next[calendar.slot(now, person, _minute(person, rhythm))].append(person.id)
    if open_now:
        facts, texts = gather(session, open_now, resting, now), _texts(session)
        for person in open_now:
            _consider(outcome, person, rhythms[person.id], *facts[person.id], texts, last, now)
    _write(session, outcome, last, now)
    return len(people)


def _rhythms(session: Session, people: Sequence[Person]) -> tuple[dict[int, schedule.Rhythm], set[int]]:
    """Return each person's rhythm, from the sequence of the newest enrollment; and for whom no sequence runs on.

    That is who is on the way through paused sequences only. Whoever has finished has all the videos, and is reminded.
    """
    rows = session.connection().execute(_enrollments(), {"ids": [person.id for person in people]}).all()
    newest = {row[0]: row[1] for row in rows}
    courses = {course.id: course for course in session.scalars(_COURSES)} if newest else {}
    ways = [(row[0], courses[row[1]].paused_at is None) for row in rows if row[2] == EnrollmentStatus.ACTIVE]
    resting = {one for one, _ in ways} - {one for one, runs in ways if runs}
    known: dict[tuple[int, int | None], schedule.Rhythm] = {}
    found: dict[int, schedule.Rhythm] = {}
    for person in people:
        if (sequence_id := newest.get(person.id)) is not None:
            key = (sequence_id, person.chosen_hour)
            if key not in known:
                known[key] = courses[sequence_id].rhythm(person.chosen_hour)
            found[person.id] = known[key]
    return found, resting


@cache
def _enrollments() -> Executable:
    query = select(Enrollment.subscriber_id, Enrollment.sequence_id, Enrollment.status)
    return query.where(among_given(Enrollment.subscriber_id)).order_by(Enrollment.id)


def _texts(session: Session) -> dict[str, list[str]]:
    """Return the slugs of the wordings for each state."""
    found: dict[str, list[str]] = defaultdict(list)
    for state, slug in session.connection().execute(_WORDINGS):
        found[state].append(slug)
    return found


def _minute(person: Person, rhythm: schedule.Rhythm) -> int:
    return rhythm.minute(schedule.spread_share(person.leave_id) if rhythm.spread_minutes else 0.0)


def _open_slot(
    outcome: Outcome,
    calendar: Calendar,
    person: Person,
    rhythm: schedule.Rhythm,
    last: Mapping[int, Run],
    now: datetime,
) -> bool:
    """Say whether the hour of an exercise day is there now; record the ones that an outage let pass.

    `remind_at` may be any instant: video 1 or a change of days sets it to that moment. Only an hour that comes after it
    counts, so that nobody is reminded the moment they have chosen their days.
    """
    minute, where = _minute(person, rhythm), zone(person.timezone)
    # A second before, so that the hour itself counts where remind_at is just that.
    slot = calendar.slot(person.remind_at - timedelta(seconds=1), person, minute)
    while slot <= now and schedule.closes_at(slot, rhythm, where) <= now:
        _record(outcome, person.id, last.get(person.id), SkipReason.EXPIRED, now, schedule.local_day(slot, where))
        slot = calendar.slot(slot, person, minute)
    return slot <= now


def _record(
    outcome: Outcome, subscriber_id: int, last: Run | None, reason: SkipReason, now: datetime, day: date
) -> None:
    """Lengthen the newest run, one of this batch or `last`, or begin a new one."""
    runs = outcome.runs[subscriber_id]
    run = store.decisions.after(runs[-1] if runs else last, reason, now, day)
    if runs and runs[-1].id == run.id and runs[-1].at == run.at and runs[-1].reason == run.reason:
        runs[-1] = run
    else:
        runs.append(run)


def _consider(
    outcome: Outcome,
    person: Person,
    rhythm: schedule.Rhythm,
    facts: Facts,
    recent: Recent,
    texts: Mapping[str, Collection[str]],
    last: Mapping[int, Run],
    now: datetime,
) -> None:
    run = last.get(person.id)
    if run is not None and facts.recent and facts.recent[-1] > run.last_day:
        run = None  # a reminder went out since: that run is over
    decision = decide(facts)
    if not isinstance(decision, Send):
        _record(outcome, person.id, run, decision.reason, now, facts.today)
        return
    # A wording that a marketer has taken away altogether leaves the state without words: then the plain one serves.
    variants = list(texts.get(decision.state) or texts.get("active", ()))
    if not variants:
        _record(outcome, person.id, run, SkipReason.STEP_REMOVED, now, facts.today)
        return
    outcome.new.append(_reminder(person, rhythm, facts.today, pick(variants, recent.texts), decision.state, now))


def _reminder(
    person: Person, rhythm: schedule.Rhythm, day: date, text: str, state: str, now: datetime
) -> dict[str, Any]:
    return {
        "subscriber_id": person.id,
        "kind": str(DeliveryKind.REMINDER),
        "text_slug": text,
        "reason": f"exercise day, worded for: {state.replace('_', ' ')}",
        "lane": 1,
        "due_at": now,
        "closes_at": schedule.closes_at(now, rhythm, zone(person.timezone)),
        "day": day,
    }


def _write(session: Session, outcome: Outcome, last: Mapping[int, Run], now: datetime) -> None:
    # Another worker may have planned a video for the same day since we looked: the reminder gives way.
    late = store.deliveries.add_reminders(session, outcome.new, now)
    for row in outcome.new:
        if row["subscriber_id"] in late:
            subscriber_id, day = row["subscriber_id"], row["day"]
            _record(outcome, subscriber_id, last.get(subscriber_id), SkipReason.MAILED_TODAY, now, day)
    store.decisions.keep(session, outcome.runs)
    for at, ids in outcome.next.items():
        session.connection().execute(_look_again(), {"ids": ids, "moment": at})


@cache
def _look_again() -> Executable:
    return update(Subscriber).where(among_given(Subscriber.id)).values(remind_at=bindparam("moment"))
