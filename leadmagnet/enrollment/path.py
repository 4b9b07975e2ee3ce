"""The path of a person: which videos are behind, which is in hand, when the others come. For pages; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.sequence import Pace, Step, ahead, at_pace, delay_before
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, EnrollmentStatus
from leadmagnet.domain.zones import zone
from leadmagnet.rendering.document import parse
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Station:
    """One video on the path. `at`: when it was sent, or when it comes; empty while emails are paused."""

    step_id: int
    slug: str
    number: int
    title: str
    state: str
    at: datetime | None
    watched: int = 0
    checked_in: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """The six videos of a person, and what comes next. `resting`: on the way, and the sequence is paused."""

    stations: list[Station] = field(default_factory=list)
    finished: bool = False
    next: Station | None = None
    resting: bool = False


def path_of(session: Session, person: Subscriber, now: datetime) -> Path:
    """Return the path of the person's newest enrollment; an empty one where there is none."""
    enrollment = store.enrollments.newest_of(session, person.id)
    if enrollment is None:
        return Path()
    steps = store.sequences.steps_of(session, enrollment.sequence_id)
    revisions = store.sequences.revisions_of(session, enrollment.sequence_id)
    rows = _rows(session, enrollment)
    sequence = session.get_one(store.sequences.Sequence, enrollment.sequence_id)
    resting = enrollment.status == EnrollmentStatus.ACTIVE and sequence.paused_at is not None
    dates = _dates(person, enrollment, sequence, [step.rule() for step in steps], rows, now)
    watched = {watch.step_slug: watch.percent for watch in store.watching.of_subscriber(session, person.id)}
    done = {check.step_slug for check in store.check_ins.of_subscriber(session, person.id)}
    sent = [row.step_id for row in rows if row.status in OUT]
    videos = [step for step in steps if step.kind == DeliveryKind.VIDEO and (not step.removed or step.id in sent)]
    newest = next((step_id for step_id in reversed(sent) if any(video.id == step_id for video in videos)), None)
    stations = [
        Station(
            step_id=step.id,
            slug=step.slug,
            number=number,
            title=str(parse(revisions[step.id].source).front["title"]),
            state="next" if step.id not in sent else "here" if step.id == newest else "done",
            at=dates.get(step.id),
            watched=watched.get(step.slug, 0),
            checked_in=step.slug in done,
        )
        for number, step in enumerate(videos, 1)
        if step.id in revisions
    ]
    coming = next((station for station in stations if station.state == "next"), None)
    return Path(stations, enrollment.status == EnrollmentStatus.FINISHED, coming, resting)


def _rows(session: Session, enrollment: Enrollment) -> list[Delivery]:
    query = select(Delivery).where(
        Delivery.enrollment_id == enrollment.id,
        Delivery.status != DeliveryStatus.SKIPPED,
        Delivery.step_id.is_not(None),
    )
    return list(session.scalars(query.order_by(Delivery.id)))


def _dates(
    person: Subscriber,
    enrollment: Enrollment,
    sequence: store.sequences.Sequence,
    steps: list[Step],
    rows: list[Delivery],
    now: datetime,
) -> dict[int, datetime]:
    """Return when each step was sent or is foreseen, by step id."""
    dates = {row.step_id: row.sent_at for row in rows if row.status in OUT and row.sent_at and row.step_id}
    sent = [row.step_id for row in rows if row.status in OUT and row.step_id]
    held = person.paused_at or person.hurt_at or person.unreachable_at or sequence.paused_at
    if held or not person.wants_videos or enrollment.status != EnrollmentStatus.ACTIVE:
        return dates
    open_row = next((row for row in rows if row.status == DeliveryStatus.DUE), None)
    where, rhythm = zone(person.timezone), sequence.rhythm(person.chosen_hour)
    ends = [row.sent_at for row in rows if row.sent_at]
    previous = max(ends, default=enrollment.started_at)
    previous = max(previous, enrollment.last_settled_at or previous)
    for step in ahead(steps, sent):
        if open_row is not None and open_row.step_id == step.id:
            due = open_row.due_at
        else:
            share = schedule.spread_share(person.leave_id)
            delay, counts = at_pace(delay_before(step, sent), Pace(person.pace)), len(sent) > 1
            due = schedule.due_at(previous, delay, rhythm, where, share=share, previous_counts=counts)
        dates[step.id] = previous = max(due, now)
        sent.append(step.id)
    return dates
