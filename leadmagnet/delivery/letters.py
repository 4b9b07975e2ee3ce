"""Claimed deliveries become batches of letters: one content each, with the values of every reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.content import film_seconds
from leadmagnet.domain import schedule, sequence
from leadmagnet.domain.message import Batch, Content, Letter
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.domain.weeks import good_run
from leadmagnet.domain.zones import zone
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.document import parse
from leadmagnet.rendering.email import compile_email
from leadmagnet.rendering.headers import headers_for, message_id
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.phrases import safe_name
from leadmagnet.rendering.values import Reader, values_for
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.sequences import Sequence as Course
from leadmagnet.store.sequences import Step
from leadmagnet.store.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One batch and the ids of its deliveries in the ledger, in the order of its letters."""

    batch: Batch
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StepInHand:
    """What letters need to know of one step."""

    rule: sequence.Step
    course: Course
    source: str
    title: str
    number: int
    seconds: float | None


class Desk:
    """Everything a batch of claimed deliveries needs from the database, read once."""

    def __init__(self, session: Session, rows: Sequence[Delivery]) -> None:
        """Read the people, steps, texts and check-ins behind these deliveries."""
        ids = {row.subscriber_id for row in rows}
        self.people = {p.id: p for p in session.scalars(select(Subscriber).where(Subscriber.id.in_(ids)))}
        self.texts = {text.slug: text for text in session.scalars(select(EmailText))}
        self.steps = _steps(session)
        reminded = [row.subscriber_id for row in rows if row.kind == DeliveryKind.REMINDER]
        self.in_hand = _newest_videos(session, reminded, self.steps)
        self.check_ins = _check_ins(session, reminded)

    def step_of(self, row: Delivery) -> StepInHand | None:
        """Return the step that a delivery carries, or for a reminder the exercise in hand."""
        step_id = row.step_id if row.step_id is not None else self.in_hand.get(row.subscriber_id)
        return self.steps.get(step_id) if step_id is not None else None

    def course_of(self, row: Delivery) -> tuple[str, int]:
        """Return title and number of videos of the course that a delivery belongs to."""
        step = self.step_of(row) or next(iter(self.steps.values()))
        videos = [s for s in self.steps.values() if s.course.id == step.course.id and s.rule.kind is DeliveryKind.VIDEO]
        return step.course.title, sum(not video.rule.removed for video in videos)

    def source_of(self, row: Delivery) -> str:
        """Return the text of a delivery: its step's newest published revision, or the email text of its kind."""
        if row.step_id is not None:
            return self.steps[row.step_id].source
        if row.text_slug:
            return self.texts[row.text_slug].source
        return next(text.source for text in self.texts.values() if text.kind == row.kind and not text.removed)


def _steps(session: Session) -> dict[int, StepInHand]:
    found: dict[int, StepInHand] = {}
    for course in session.scalars(select(Course)):
        revisions = store.sequences.revisions_of(session, course.id)
        number = 0
        for step in store.sequences.steps_of(session, course.id):
            number += step.kind == DeliveryKind.VIDEO and not step.removed
            if step.id in revisions:
                found[step.id] = _in_hand(step, course, revisions[step.id].source, number)
    return found


def _in_hand(step: Step, course: Course, source: str, number: int) -> StepInHand:
    front = parse(source).front
    # The text itself says "Video 4"; where it does not, the place in the course counts.
    written = front.get("number")
    number = written if isinstance(written, int) else number
    return StepInHand(step.rule(), course, source, str(front.get("title", "")), number, film_seconds(dict(front)))


def _newest_videos(session: Session, subscriber_ids: list[int], steps: dict[int, StepInHand]) -> dict[int, int]:
    """Return the newest video that each person was sent, by subscriber id."""
    query = (
        select(Delivery.subscriber_id, func.max(Delivery.id))
        .where(
            Delivery.subscriber_id.in_(subscriber_ids), Delivery.kind == DeliveryKind.VIDEO, Delivery.status.in_(OUT)
        )
        .group_by(Delivery.subscriber_id)
    )
    newest = {row_id: subscriber_id for subscriber_id, row_id in session.execute(query)}
    rows = session.execute(select(Delivery.id, Delivery.step_id).where(Delivery.id.in_(newest)))
    return {newest[row_id]: step_id for row_id, step_id in rows if step_id in steps}


def _check_ins(session: Session, subscriber_ids: list[int]) -> dict[int, list[date]]:
    found: dict[int, list[date]] = defaultdict(list)
    query = select(CheckIn.subscriber_id, CheckIn.day).where(CheckIn.subscriber_id.in_(subscriber_ids))
    for subscriber_id, day in session.execute(query):
        found[subscriber_id].append(day)
    return found


def reader_of(row: Delivery, desk: Desk, now: Now) -> Reader:
    """Return what one letter needs to know of its reader."""
    person, step = desk.people[row.subscriber_id], desk.step_of(row)
    where = zone(person.timezone)
    following = _following(step, row, desk, now.course) if row.kind == DeliveryKind.VIDEO else None
    today = schedule.local_day(now.course, where)
    return Reader(
        subscriber_id=person.id,
        leave_id=person.leave_id,
        first_name=person.first_name,
        timezone=where,
        signed_up_at=person.created_at,
        kind=DeliveryKind(row.kind),
        issued_real=now.real,
        confirmed=person.confirmed_at is not None,
        step_id=step.rule.id if step else None,
        step_slug=step.rule.slug if step and step.rule.kind is DeliveryKind.VIDEO else "",
        step_title=step.title if step else "",
        step_number=step.number if step else 0,
        film_seconds=step.seconds if step else None,
        exercise_days=person.days,
        goal=len(person.days),
        good_weeks=good_run(desk.check_ins.get(person.id, []), len(person.days), today),
        next_title=following[0] if following else None,
        next_at=following[1] if following else None,
        sequence_slug=step.course.slug if step else "six-core-videos",
        sequence_title=step.course.title if step else "Six core videos",
    )


def _following(step: StepInHand | None, row: Delivery, desk: Desk, now: datetime) -> tuple[str, datetime] | None:
    """Return title and foreseen instant of the video after this one."""
    if step is None:
        return None
    person = desk.people[row.subscriber_id]
    rules = [other.rule for other in desk.steps.values() if other.course.id == step.course.id]
    coming = sequence.next_step(rules, [step.rule.id])
    if coming is None or coming.kind is not DeliveryKind.VIDEO:
        return None
    due = schedule.due_at(
        now,
        sequence.delay_before(coming, [step.rule.id]),
        step.course.rhythm(person.chosen_hour),
        zone(person.timezone),
        share=schedule.spread_share(person.leave_id),
        previous_counts=row.day is not None,
    )
    return desk.steps[coming.id].title, due


def batches(
    desk: Desk, rows: Sequence[Delivery], now: Now, *, clinic: Clinic, links: Links, most: int
) -> list[Outgoing]:
    """Group deliveries by content and return batches of at most `most` letters."""
    groups: dict[tuple[str, str, int], list[Delivery]] = defaultdict(list)
    for row in rows:
        groups[desk.source_of(row), *desk.course_of(row)].append(row)
    found: list[Outgoing] = []
    for (source, title, videos), group in groups.items():
        content = compile_email(source, clinic, links.public_url, home_title=title, videos=videos)
        found.extend(
            _outgoing(content, group[start : start + most], desk, now, clinic, links)
            for start in range(0, len(group), most)
        )
    return found


def _outgoing(
    content: Content, rows: Sequence[Delivery], desk: Desk, now: Now, clinic: Clinic, links: Links
) -> Outgoing:
    letters = tuple(_letter(row, desk, now, clinic, links) for row in rows)
    batch = Batch(content, clinic.mail_from, clinic.name, clinic.reply_to, letters)
    return Outgoing(batch, tuple(row.id for row in rows))


def _letter(row: Delivery, desk: Desk, now: Now, clinic: Clinic, links: Links) -> Letter:
    reader, person = reader_of(row, desk, now), desk.people[row.subscriber_id]
    return Letter(
        delivery_id=row.public_id,
        to_email=person.email,
        # The confirmation carries no name: whoever typed the address could have typed anything there.
        to_name="" if row.kind == DeliveryKind.CONFIRMATION else safe_name(person.first_name),
        message_id=message_id(row.public_id, clinic),
        date=now.course,
        values=values_for(reader, links, now.course),
        headers=headers_for(reader, clinic, links, row.public_id),
    )
