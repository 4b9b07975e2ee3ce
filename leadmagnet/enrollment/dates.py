"""What follows in a sequence, and when: for a batch of people, most of whom share the answer.

Must not know: which rows of the ledger there are, who asks for a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol

from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.sequence import Pace, Step, at_pace, delay_before, next_step
from leadmagnet.domain.status import SkipReason
from leadmagnet.domain.zones import zone
from leadmagnet.enrollment.facts import Alike, Situation

#: Held rows wait without a date until the person says go on. A pause of the sequence holds those of all others.
HELD_FOR_HURT, HELD_FOR_PAUSE, UNREACHABLE = "hurt", "paused", "unreachable"
NOT_WANTED = str(SkipReason.NO_CONSENT)
NO_DAYS: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Course:
    """A sequence as a batch of plans needs it."""

    id: int
    head: store.courses.Course
    steps: list[Step]
    spreads: bool
    paused: bool

    def share(self, leave_id: str) -> float:
        """Return where in the spread of its hour somebody's email stands, from 0 up to 1."""
        return schedule.spread_share(leave_id) if self.spreads else 0.0


class Settled(Protocol):
    """An email of an enrollment that has just come to its end."""

    @property
    def enrollment_id(self) -> int | None:
        """The enrollment that goes on after it."""

    @property
    def step_id(self) -> int | None:
        """The step that it was."""

    @property
    def day(self) -> date | None:
        """The local day for which it counts, if it does."""

    @property
    def tried_again(self) -> bool:
        """Whether it had failed before and the clinic has sent it once more: then later ones may be out."""


class Calendar:
    """The steps and dates of one batch: people who share zone, hour, step and previous instant share the answer."""

    def __init__(self, now: datetime) -> None:
        """Take the instant from which nothing may be planned backwards."""
        self.now = now
        self._known: dict[tuple[object, ...], dict[str, Any]] = {}
        self._coming: dict[tuple[int, tuple[int, ...]], tuple[Step, schedule.Delay] | None] = {}
        self._following: dict[tuple[object, ...], dict[str, Any] | None] = {}

    def following(self, alike: Alike, share: float, last: Settled, course: Course) -> dict[str, Any] | None:
        """Return what follows an email that is over now, as a due row without its reader; None for nothing."""
        counts = last.day is not None
        key = alike, share, last.step_id, counts
        if key not in self._following:
            self._following[key] = None
            if coming := self.coming(course, () if last.step_id is None else (last.step_id,)):
                situation = alike.situation
                dated = self.dated(self.now, coming, situation, share, course, NO_DAYS, counts=counts)
                self._following[key] = {"held": held_for(situation, course), **dated}
        return self._following[key]

    def coming(self, course: Course, sent: tuple[int, ...]) -> tuple[Step, schedule.Delay] | None:
        """Return the next step of somebody who was sent these, with its delay; None when nothing is left."""
        key = course.id, sent
        if key not in self._coming:
            step = next_step(course.steps, sent)
            self._coming[key] = (step, delay_before(step, sent)) if step else None
        return self._coming[key]

    def dated(
        self,
        previous: datetime,
        coming: tuple[Step, schedule.Delay],
        person: Situation,
        share: float,
        course: Course,
        taken: frozenset[date],
        *,
        counts: bool,
    ) -> dict[str, Any]:
        """Return step, lane, instants, day and reason of a due row."""
        step, delay = coming
        at_once = delay.unit is schedule.DelayUnit.AT_ONCE
        key = (previous, step.id, at_once, person.timezone, person.chosen_hour, person.pace, share, taken, counts)
        if key not in self._known:
            paced = at_pace(delay, Pace(person.pace))
            when = self._work_out(previous, paced, person, course.head, share, taken, counts=counts)
            self._known[key] = {"step_id": step.id, "kind": str(step.kind)} | when
        return self._known[key]

    def _work_out(
        self,
        previous: datetime,
        delay: schedule.Delay,
        person: Situation,
        course: store.courses.Course,
        share: float,
        taken: frozenset[date],
        *,
        counts: bool,
    ) -> dict[str, Any]:
        if delay.unit is schedule.DelayUnit.AT_ONCE:
            at_once = {"lane": 0, "due_at": min(previous, self.now), "closes_at": None, "day": None}
            return at_once | {"reason": "at confirmation, whatever the hour"}
        where, rhythm = zone(person.timezone), course.rhythm(person.chosen_hour)
        due = schedule.due_at(previous, delay, rhythm, where, share=share, taken=taken, previous_counts=counts)
        reason = f"{delay.words()} after the previous email"
        if due < self.now:
            due = schedule.opens_at(self.now, rhythm, where, taken=taken)
            reason = "overdue: the first moment inside the window"
        closes, day = schedule.closes_at(due, rhythm, where), schedule.local_day(due, where)
        return {"lane": 1, "due_at": due, "closes_at": closes, "day": day, "reason": reason}


@lru_cache(maxsize=16)
def courses_of(found: store.courses.Courses) -> Mapping[int, Course]:
    """Return the sequences by id. They hardly ever change, and each batch asks for them."""
    return {
        head.id: Course(head.id, head, [step.rule() for step in steps], bool(head.spread_minutes), head.paused)
        for head, steps in found
    }


def held_for(person: Situation, course: Course) -> str | None:
    """Return why the next email waits without a date, if it does."""
    if person.hurt or person.paused:
        return HELD_FOR_HURT if person.hurt else HELD_FOR_PAUSE
    if person.unreachable:
        return UNREACHABLE
    if not person.wants_videos:
        return NOT_WANTED
    return store.pauses.HELD if course.paused else None
