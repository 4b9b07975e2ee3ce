"""Which step comes next, and what an edit would do to the people who stand in the sequence.

People only move forward, and nobody gets a step twice, whatever is reordered. Steps keep their ids for ever; a removed
step stays in the list, marked, because its position still says where the people who got it stand.
Must not know: when a step is due, what it says, who the people are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from leadmagnet.domain.schedule import LONGEST_DELAY, MINIMUM_GAP, ONE_HOUR, Delay, DelayUnit
from leadmagnet.domain.status import DeliveryKind


@dataclass(frozen=True, slots=True)
class Step:
    """One email of a sequence: a video, or the finished email."""

    id: int
    slug: str
    position: int
    kind: DeliveryKind
    delay: Delay
    removed: bool = False


class Pace(StrEnum):
    """How fast somebody goes through a course, beside everybody else."""

    FASTER = "faster"  #: half the delay
    USUAL = "usual"
    SLOWER = "slower"  #: twice the delay


@dataclass(frozen=True, slots=True)
class Standing:
    """Where some enrollments stand: the steps they were sent, oldest first, and whether they have finished."""

    sent: tuple[int, ...] = ()
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Impact:
    """What happens with one step, in enrollments. The four counts add up to everybody who stands in the sequence."""

    get: int = 0  #: it is still coming to them
    skip: int = 0  #: they never had it and will not: it lies behind them, or it was removed
    finished: int = 0  #: they never had it and have finished
    had: int = 0  #: they were sent it already


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Return the steps by position; the older id first where two share one."""
    return sorted(steps, key=lambda step: (step.position, step.id))


def ahead(steps: Iterable[Step], sent: Sequence[int]) -> list[Step]:
    """Return the steps still to come, in order, for somebody who was sent these ids, oldest first."""
    ordered = in_order(steps)
    places = {step.id: place for place, step in enumerate(ordered)}
    # An id that is gone from the list says nothing about a place: then the one before it counts.
    place = next((places[step_id] for step_id in reversed(sent) if step_id in places), -1)
    return [step for step in ordered[place + 1 :] if not step.removed and step.id not in sent]


def next_step(steps: Iterable[Step], sent: Sequence[int]) -> Step | None:
    """Return the first step ahead of the last one sent; None when nothing is left.

    A step that was inserted or moved behind the last one sent stays unsent.
    """
    return next(iter(ahead(steps, sent)), None)


def resume_step(steps: Iterable[Step], sent: Sequence[int]) -> Step | None:
    """Return where somebody who comes back goes on: at the first unsent video ahead, or at whatever else is left.

    The finished email alone would be a strange welcome, so a video further on goes before it.
    """
    left = ahead(steps, sent)
    return next((step for step in left if step.kind is DeliveryKind.VIDEO), left[0] if left else None)


def delay_before(step: Step, sent: Sequence[int]) -> Delay:
    """Return the delay that holds for this step in an enrollment that was sent these ids.

    The first email goes out at confirmation, and only the first: reordering can put any step in front, and can put one
    that says "at confirmation" further on, where going out at once would make a burst; there it means one day.
    """
    if not sent:
        return Delay(0, DelayUnit.AT_ONCE)
    return Delay(1, DelayUnit.DAYS) if step.delay.unit is DelayUnit.AT_ONCE else step.delay


def at_pace(delay: Delay, pace: Pace) -> Delay:
    """Return a step's delay at somebody's pace: half of it or twice, in the unit in which the course counts.

    Half is rounded up, so a day stays a day; hours are not halved below the least gap that lies between two emails.
    """
    if pace is Pace.USUAL or delay.unit is DelayUnit.AT_ONCE:
        return delay
    if pace is Pace.SLOWER:
        return Delay(min(delay.amount * 2, LONGEST_DELAY), delay.unit)
    least = min(delay.amount, MINIMUM_GAP // ONE_HOUR) if delay.unit is DelayUnit.HOURS else 1
    return Delay(max(least, -(-delay.amount // 2)), delay.unit)


def edit_impact(
    before: Iterable[Step],
    after: Iterable[Step],
    standing: Mapping[Standing, int],
    *,
    reach_finished: bool = False,
) -> dict[int, Impact]:
    """Return, by step id, what publishing `after` in place of `before` means for the people who stand in the sequence.

    Covers every step of `after` and those that this edit removes. `standing` counts enrollments by where they stand, so
    that a million fit in a few dozen entries. `reach_finished`: the marketer said that people who have finished get
    what was appended.
    """
    after = list(after)
    kept = {step.id for step in (*before, *after) if not step.removed}
    counts = {step_id: dict.fromkeys(("get", "skip", "finished", "had"), 0) for step_id in kept}
    for group, people in standing.items():
        coming = {step.id for step in ahead(after, group.sent)}
        for step_id, count in counts.items():
            count[_fate(step_id, group, coming, reach_finished=reach_finished)] += people
    return {step_id: Impact(**count) for step_id, count in counts.items()}


def _fate(step_id: int, group: Standing, coming: set[int], *, reach_finished: bool) -> str:
    if step_id in group.sent:
        return "had"
    if group.finished and not (reach_finished and step_id in coming):
        return "finished"
    return "get" if step_id in coming else "skip"


def day_number(steps: Iterable[Step]) -> dict[int, int]:
    """Return, by step id, the day of the course on which a step comes when nothing is late: day 1, day 4, day 7 …"""
    hours = 0
    days: dict[int, int] = {}
    for step in in_order(steps):
        if not step.removed:
            delay = delay_before(step, list(days))
            hours += delay.amount * (24 if delay.unit is DelayUnit.DAYS else 1)
            days[step.id] = 1 + hours // 24
    return days
