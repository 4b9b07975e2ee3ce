"""Film scripts: steps that move a few channels, and what is seen at any second.

A channel is a number with a meaning of its own exercise ("lift" 0 to 1). A step
eases some channels to new values, then holds. Everything else (pose, captions,
dots) follows from the channels and the clock, so film and captions agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .curves import Line
from .skeleton import Joints, mix, soft

Channels = Mapping[str, float]

FRAMES_PER_SECOND = 25
TITLE_SECONDS = 3.2
BREATH = "breath"  # the channel that belly and flank follow


class Pose(Protocol):
    """What both views of the figure can tell about themselves."""

    def joints(self) -> Joints:
        """Every joint by name."""
        ...

    def bones(self) -> dict[tuple[str, str], float]:
        """The length of every bone in this pose, by its two joints."""
        ...


@dataclass(frozen=True)
class Step:
    """One caption's worth of film."""

    caption: str  # burnt in, short
    cue: str  # for the caption track, a sentence or two
    move: float = 0.0  # seconds of movement
    hold: float = 0.0  # seconds of stillness after it
    to: Channels = field(default_factory=dict)
    breaths: int = 0  # quiet breaths during the hold
    dots: tuple[str, ...] = ()  # the marks shown during this step

    @property
    def seconds(self) -> float:
        """Movement and stillness together."""
        return self.move + self.hold


@dataclass(frozen=True)
class Moment:
    """What is seen at one instant after the title."""

    channels: Channels
    step: int
    since: float  # seconds since this step began
    left: float  # seconds until it ends


@dataclass(frozen=True)
class Exercise:
    """All there is to know about one of the six."""

    number: int
    slug: str
    title: str
    about: str  # the words for people who do not see the poster
    start: Channels
    pose: Callable[[Channels], Pose]
    steps: tuple[Step, ...]
    poster: Channels  # the moment that the poster shows
    dots: Mapping[str, Line]
    planted: Callable[[Channels], frozenset[str]]  # joints that carry weight then
    scale: float = 8.0  # film pixels per unit
    middle: float = 0.0  # the x, in units, that lies in the middle of the film
    poster_scale: float = 8.3
    poster_dots: tuple[str, ...] = ()
    poster_shift: float = 0.0  # pixels to the right, where the picture needs balance
    chair: bool = False

    @property
    def seconds(self) -> float:
        """The length of the film, title included."""
        return TITLE_SECONDS + sum(step.seconds for step in self.steps)

    @property
    def frames(self) -> int:
        """How many pictures the film has."""
        return round(self.seconds * FRAMES_PER_SECOND)

    def moment(self, seconds: float) -> Moment:
        """The state at this many seconds after the start of the film."""
        values = dict(self.start)
        clock = seconds - TITLE_SECONDS
        for index, step in enumerate(self.steps):
            if clock < step.seconds or index == len(self.steps) - 1:
                clock = min(clock, step.seconds)
                now = _within(step, values, clock) if clock > 0 else values
                return Moment(now, index, max(0.0, clock), step.seconds - max(0.0, clock))
            values |= step.to
            clock -= step.seconds
        raise ValueError("a script has at least one step")


def _within(step: Step, before: Channels, clock: float) -> Channels:
    """The channels this many seconds into a step."""
    share = soft(clock, 0.0, step.move) if step.move else 1.0
    values = {name: mix(value, step.to.get(name, value), share) for name, value in before.items()}
    if step.breaths and clock > step.move:
        turns = (clock - step.move) / step.hold * step.breaths
        values[BREATH] += 0.35 * (1 - math.cos(2 * math.pi * turns)) / 2
    return values
