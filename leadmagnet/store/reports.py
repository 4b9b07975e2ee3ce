"""The marketer's figures: counted by the database in sets, the same on SQLite and PostgreSQL.

Nothing here knows about opened emails: mail programs open by themselves, so such a figure would say nothing.
`since` and `until` are instants of the course clock; a period holds its beginning and not its end.
Old emails are numbers by the clinic's day (counters.py), and so are erased people (erased.py): there a day belongs to
the period in which it began.
Must not know: time zones, pages, how a figure is worded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, distinct, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.store import counters, erased
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.decisions import Decision
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.erased import Figure, midnight
from leadmagnet.store.sequences import Step
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.watching import Watch

#: The provider has it.
SENT = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED)
#: Still to go out, or on its way.
COMING = (DeliveryStatus.DUE, DeliveryStatus.CLAIMED, DeliveryStatus.UNKNOWN)
#: Share of a video, in percent, from which it counts as watched here. (Answering takes less, see domain/reminders.py.)
WATCHED = 50


@dataclass(frozen=True, slots=True)
class Joined:
    """People who signed up in one period, and how many of them have confirmed."""

    signed_up: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where people of one cohort came from, and what became of them."""

    slug: str
    signed_up: int
    confirmed: int
    exercising: int


@dataclass(frozen=True, slots=True)
class StepFigures:
    """One step: emails sent, people waiting for it, people who watched half of it, people who said 'I did it'."""

    sent: int = 0
    waiting: int = 0
    watched: int = 0
    did: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Emails that need a look."""

    failed: int
    bounced: int
    unknown: int
    sent_again: int
    overdue: int


def _within(column: InstrumentedAttribute[Any], since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(column >= since, column < until)


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Count the rows for which a condition holds, beside other counts."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def exercised(session: Session, since: date, until: date) -> int:
    """Count people with a check-in on the days from `since` to `until`, both among them. Days are the people's own.

    Of erased people only the last such day is known, so a period counts them all where it ends today.
    """
    query = select(func.count(distinct(CheckIn.subscriber_id))).where(CheckIn.day >= since, CheckIn.day <= until)
    gone = erased.within(session, Figure.EXERCISED, midnight(since), midnight(until) + timedelta(days=1))
    return session.scalars(query).one() + gone.total()


def joined(session: Session, since: datetime, until: datetime) -> Joined:
    """Count who signed up in a period, and who of these has confirmed since."""
    confirmed = _sum(Subscriber.confirmed_at.is_not(None))
    query = select(func.count(), confirmed).where(_within(Subscriber.created_at, since, until))
    signed_up, confirmed_people = session.execute(query).one()
    gone = [erased.within(session, one, since, until).total() for one in (Figure.SIGNED_UP, Figure.CONFIRMED)]
    return Joined(signed_up + gone[0], confirmed_people + gone[1])


def watched(session: Session, since: datetime, until: datetime) -> int:
    """Count people who in a period were last at a video of which they have seen half or more."""
    query = select(func.count(distinct(Watch.subscriber_id)))
    here = session.scalars(query.where(Watch.percent >= WATCHED, _within(Watch.last_at, since, until))).one()
    return here + erased.within(session, Figure.WATCHED, since, until).total()


def left(session: Session, since: datetime, until: datetime) -> tuple[int, int]:
    """Count whose emails stopped for good in a period, and how many of these complained."""
    complained = _sum(Subscriber.status == SubscriberStatus.COMPLAINED)
    stopped = Subscriber.status.in_(
        (SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)
    )
    query = select(func.count(), complained).where(stopped, _within(Subscriber.left_at, since, until))
    stopped_people, complaints = session.execute(query).one()
    gone = [erased.within(session, one, since, until).total() for one in (Figure.LEFT, Figure.COMPLAINED)]
    return stopped_people + gone[0], int(complaints) + gone[1]


def on_the_path(session: Session) -> int:
    """Count active subscribers, whatever they are doing."""
    return session.scalars(select(func.count()).where(Subscriber.status == SubscriberStatus.ACTIVE)).one()


def _exercising(recent: date) -> ColumnElement[bool]:
    """Return what 'still exercising' means, wherever it is shown: active, and a check-in on `recent` or later."""
    checked_in = select(CheckIn.id).where(CheckIn.subscriber_id == Subscriber.id, CheckIn.day >= recent)
    return and_(Subscriber.status == SubscriberStatus.ACTIVE, checked_in.exists())


def funnel(
    session: Session, since: datetime, until: datetime, first_video: str, last_video: str, recent: date
) -> list[int]:
    """Follow the people who signed up in a period, until now. Each number counts only people counted in the one before:

    signed up, confirmed, watched half of the first video, checked in once, were sent the last video. The last number
    stands for itself: all of them who are still exercising, as in `sources`, however far they have come.
    """
    half = select(Watch.id).where(
        Watch.subscriber_id == Subscriber.id, Watch.step_slug == first_video, Watch.percent >= WATCHED
    )
    once = select(CheckIn.id).where(CheckIn.subscriber_id == Subscriber.id)
    last = (
        select(Delivery.id)
        .join(Step, Step.id == Delivery.step_id)
        .where(Delivery.subscriber_id == Subscriber.id, Step.slug == last_video, Delivery.status.in_(SENT))
    )
    tests = (Subscriber.confirmed_at.is_not(None), half.exists(), once.exists(), last.exists())
    # One row a person: how far along the tests they come before the first one they do not meet.
    depth = case(*((~test, place) for place, test in enumerate(tests)), else_=len(tests)).label("depth")
    # Grouped by it, so that the database works it out once a person.
    people = (
        select(depth, case((_exercising(recent), 1), else_=0).label("exercising"))
        .where(_within(Subscriber.created_at, since, until))
        .subquery()
    )
    query = select(people.c.depth, func.count(), func.sum(people.c.exercising)).group_by(people.c.depth)
    rows = session.execute(query).all()
    gone = erased.within(session, Figure.DEPTH, since, until)
    depths = [(reached, number) for reached, number, _ in rows] + [(int(depth), gone[depth]) for depth in gone]
    stages = [sum(number for reached, number in depths if reached >= stage) for stage in range(len(tests) + 1)]
    return [*stages, sum(int(exercising) for *_, exercising in rows)]


def sources(session: Session, since: datetime, until: datetime, recent: date) -> list[Source]:
    """Count the people who signed up in a period by where they came from, the largest first."""
    people = (
        select(
            Subscriber.source.label("source"),
            case((Subscriber.confirmed_at.is_not(None), 1), else_=0).label("confirmed"),
            case((_exercising(recent), 1), else_=0).label("exercising"),
        )
        .where(_within(Subscriber.created_at, since, until))
        .subquery()
    )
    query = select(people.c.source, func.count(), func.sum(people.c.confirmed), func.sum(people.c.exercising))
    here = {source: figures for source, *figures in session.execute(query.group_by(people.c.source))}
    gone = [erased.within(session, one, since, until) for one in (Figure.SIGNED_UP, Figure.CONFIRMED)]
    found = []
    for source in here.keys() | gone[0].keys():
        number, confirmed, exercising = map(int, here.get(source, (0, 0, 0)))
        found.append(Source(source, number + gone[0][source], confirmed + gone[1][source], exercising))
    return sorted(found, key=lambda one: (-one.signed_up, one.slug))


def steps(session: Session, sequence_id: int) -> dict[int, StepFigures]:
    """Count for each step of a sequence, by step id. The queries read one index each, never a person's row.

    Emails are counted in enrollments: who started again counts twice. Watching and doing are counted in people.
    """
    of_sequence = Step.sequence_id == sequence_id
    ids = list(session.scalars(select(Step.id).where(of_sequence)))
    emails = select(Delivery.step_id, Delivery.status, func.count()).where(Delivery.step_id.in_(ids))
    sent, waiting = Counter[int | None](counters.of_steps(session, ids, SENT)), Counter[int | None]()
    for step_id, status, number in session.execute(emails.group_by(Delivery.step_id, Delivery.status)):
        if status in SENT:
            sent[step_id] += number
        elif status in COMING:
            waiting[step_id] += number
    seen = _by_step(session, Watch.step_slug, of_sequence, Watch.subscriber_id, Watch.percent >= WATCHED)
    done = _by_step(session, CheckIn.step_slug, of_sequence, CheckIn.subscriber_id, CheckIn.id > 0)
    slugs = dict(session.execute(select(Step.id, Step.slug).where(of_sequence)).all())
    gone = [erased.always(session, one) for one in (Figure.WATCHED_STEP, Figure.DID_STEP)]
    return {
        one: StepFigures(
            sent[one], waiting[one], seen.get(one, 0) + gone[0][slugs[one]], done.get(one, 0) + gone[1][slugs[one]]
        )
        for one in ids
    }


def _by_step(
    session: Session,
    slug: InstrumentedAttribute[str],
    of_sequence: ColumnElement[bool],
    person: InstrumentedAttribute[int],
    condition: ColumnElement[bool],
) -> dict[int, int]:
    """Count distinct people by step, over a table that names steps by their slug."""
    counted = select(slug.label("slug"), func.count(distinct(person)).label("people")).where(condition).group_by(slug)
    table = counted.subquery()
    query = select(Step.id, table.c.people).join(table, table.c.slug == Step.slug).where(of_sequence)
    return dict(session.execute(query).all())


def hurt(session: Session, limit: int) -> tuple[int, list[Subscriber]]:
    """Return how many people wait for an answer after 'it hurt', and the first of them, the newest at the top."""
    waiting = and_(Subscriber.status == SubscriberStatus.ACTIVE, Subscriber.hurt_at.is_not(None))
    number = session.scalars(select(func.count()).where(waiting)).one()
    people = session.scalars(
        select(Subscriber).where(waiting).order_by(Subscriber.hurt_at.desc(), Subscriber.id).limit(limit)
    )
    return number, list(people)


def trouble(session: Session, since: datetime, now: datetime) -> Trouble:
    """Count emails that failed or came back since an instant, are unknown now, or are due and have not gone out."""
    recent = Delivery.due_at >= since
    failed = and_(Delivery.status == DeliveryStatus.FAILED, recent)
    bounced = and_(Delivery.status == DeliveryStatus.BOUNCED, recent)
    unknown = Delivery.status == DeliveryStatus.UNKNOWN
    again = and_(Delivery.resent > 0, recent)
    overdue = and_(Delivery.status == DeliveryStatus.DUE, Delivery.held.is_(None), Delivery.due_at < now)
    query = select(_sum(failed), _sum(bounced), _sum(unknown), _sum(again), _sum(overdue))
    row = session.execute(query.where(or_(recent, unknown, overdue))).one()
    failed_before, bounced_before, again_before = counters.due_since(session, since)
    return Trouble(*map(sum, zip(map(int, row), (failed_before, bounced_before, 0, again_before, 0), strict=True)))


def day(session: Session, since: datetime, until: datetime) -> dict[str, tuple[int, int]]:
    """Count a day's course emails and reminders by kind: how many there are, and how many of them have gone out.

    What was sent counts on the day it was sent, what is still to come on the day it is due.
    """
    gone = and_(Delivery.status.in_(SENT), _within(Delivery.sent_at, since, until))
    coming = and_(Delivery.status.in_(COMING), Delivery.held.is_(None), Delivery.due_at < until)
    kinds = (DeliveryKind.VIDEO, DeliveryKind.FINISHED, DeliveryKind.REMINDER)
    query = select(Delivery.kind, _sum(or_(gone, coming)), _sum(gone)).where(
        Delivery.kind.in_(kinds), or_(gone, coming)
    )
    found = {kind: (int(all_), int(sent)) for kind, all_, sent in session.execute(query.group_by(Delivery.kind))}
    old = counters.sent_within(session, since, until, SENT)
    both = {kind.value: found.get(kind, (0, 0)) for kind in kinds}
    return {kind: (all_ + old.get(kind, 0), sent + old.get(kind, 0)) for kind, (all_, sent) in both.items()}


def not_reminded(session: Session, on: date) -> dict[str, int]:
    """Count reminders that stayed away on a day, by reason, the commonest first."""
    query = select(Decision.reason, func.count()).where(Decision.last_day == on).group_by(Decision.reason)
    gone = erased.within(session, Figure.NOT_REMINDED, midnight(on), midnight(on) + timedelta(days=1))
    reasons = Counter(dict(session.execute(query).all())) + gone
    return dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
