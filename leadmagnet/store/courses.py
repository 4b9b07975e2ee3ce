"""Sequences with their steps as plain rows, for those who plan or write a thousand emails at a time.

One statement for all of it, and values that a cache can hang on: as rows of a session, what hardly ever changes took a
small batch longer than its letters. Must not know: what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet.domain import schedule
from leadmagnet.domain.sequence import Step as StepRule
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.store.sequences import Sequence, Step, StepRevision


class Course(NamedTuple):
    """A sequence."""

    id: int
    slug: str
    title: str
    hour: int
    opens: int
    closes: int
    weekdays: str
    spread_minutes: int
    paused: bool

    def rhythm(self, chosen_hour: int | None) -> schedule.Rhythm:
        """Return the rhythm for a subscriber, with the hour that this person chose, where one was chosen."""
        day = self.hour, self.opens, self.closes, self.weekdays, self.spread_minutes
        return schedule.Rhythm.of(*day, chosen_hour)


class CourseStep(NamedTuple):
    """A step of a sequence, and what it says: nothing where that was not asked for, or was never published."""

    id: int
    slug: str
    position: int
    kind: str
    delay: str
    removed: bool
    source: str | None

    def rule(self) -> StepRule:
        """Return what the pure rules need to know of this step."""
        kind, delay = DeliveryKind(self.kind), schedule.parse_delay(self.delay)
        return StepRule(self.id, self.slug, self.position, kind, delay, self.removed)


#: Each sequence with its steps in order, the removed ones among them. It can be the key of a cache.
Courses = tuple[tuple[Course, tuple[CourseStep, ...]], ...]

_COURSE = (
    Sequence.id,
    Sequence.slug,
    Sequence.title,
    Sequence.hour,
    Sequence.opens,
    Sequence.closes,
    Sequence.weekdays,
    Sequence.spread_minutes,
    Sequence.paused_at.is_not(None),
)
_STEP = Step.id, Step.slug, Step.position, Step.kind, Step.delay, Step.removed
_ALL = select(*_COURSE, *_STEP).outerjoin(Step, Step.sequence_id == Sequence.id)
_IN_ORDER = Sequence.id, Step.position, Step.id
_FOR_PLANS = _ALL.order_by(*_IN_ORDER).with_for_update(read=True, of=Sequence)
_AS_SENT = (
    _ALL.add_columns(StepRevision.source)
    .outerjoin(StepRevision, StepRevision.id == Step.revision_id)
    .order_by(*_IN_ORDER)
)


def for_plans(session: Session) -> Courses:
    """Return all sequences for somebody who plans: a pause or its end waits until this transaction is over.

    To be called before enrollments are taken, so that all lock in one order. What the steps say is left out.
    """
    return _grouped((*row, None) for row in session.connection().execute(_FOR_PLANS).all())


def as_sent(session: Session) -> Courses:
    """Return all sequences, with what their steps say now."""
    return _grouped(tuple(row) for row in session.connection().execute(_AS_SENT).all())


def _grouped(rows: Iterable[tuple[object, ...]]) -> Courses:
    width = len(_COURSE)
    return tuple(
        (Course._make(head), tuple(CourseStep._make(row[width:]) for row in group if row[width] is not None))
        for head, group in groupby(rows, key=lambda row: row[:width])
    )
