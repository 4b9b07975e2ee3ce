"""Add up a run: emails by day and hour, lateness, what the ledger holds, and every broken promise.

Nothing of the wall clock is in them, so that the same seed gives the same bytes. Must not know: how they are printed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from leadmagnet.simulation.checks import CHECKS, Broken, broken
from leadmagnet.simulation.lives import Course, Life
from leadmagnet.simulation.moments import Moment, moments

#: Examples kept of each broken promise.
EXAMPLES = 5
#: Bounds of lateness in seconds, and their words.
BOUNDS = (
    (60, "a minute"),
    (900, "a quarter of an hour"),
    (3600, "an hour"),
    (21_600, "six hours"),
    (86_400, "a day"),
)
MORE = "more than a day"


@dataclass(slots=True)
class Figures:
    """What comes out of a run."""

    kinds: Counter[str] = field(default_factory=Counter)
    days: dict[date, Counter[str]] = field(default_factory=dict)
    hours: Counter[int] = field(default_factory=Counter)
    lateness: Counter[str] = field(default_factory=Counter)
    latest: float = 0.0
    people: Counter[str] = field(default_factory=Counter)
    enrollments: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    copies: int = 0
    """Letters taken a second time, because the answer to the first was lost."""
    copies_sent: int = 0
    """Rows that went out once more, whether or not the first had been taken."""
    broken: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(CHECKS, 0)))
    examples: list[Broken] = field(default_factory=list)

    def include(self, other: Figures) -> None:
        """Add the figures of another group of people."""
        for name in ("kinds", "hours", "lateness", "people", "enrollments", "rows", "broken"):
            getattr(self, name).update(getattr(other, name))
        for day, kinds in other.days.items():
            self.days.setdefault(day, Counter()).update(kinds)
        self.latest = max(self.latest, other.latest)
        self.copies += other.copies
        self.copies_sent += other.copies_sent
        for found in other.examples:
            if sum(kept.rule == found.rule for kept in self.examples) < EXAMPLES:
                self.examples.append(found)

    def add(self, life: Life, course: Course) -> None:
        """Add one life, and look at it with every check."""
        letters = moments(life, course)
        for moment in letters:
            self._letter(moment)
        for row in life.rows:
            self.rows[row.status] += 1
            self.copies_sent += row.resent
        for enrollment in life.enrollments:
            self.enrollments[enrollment.status] += 1
        self.people[life.standing.status if life.standing else "unknown to the engine"] += 1
        for found in broken((life, letters, course)):
            self.broken[found.rule] += 1
            if self.broken[found.rule] <= EXAMPLES:
                self.examples.append(found)

    def _letter(self, moment: Moment) -> None:
        at = datetime.fromtimestamp(moment.letter.at, UTC)
        self.kinds[moment.letter.kind] += 1
        self.days.setdefault(at.date(), Counter())[moment.letter.kind] += 1
        self.hours[at.hour] += 1
        self.copies += moment.again
        if moment.row is not None and not moment.again:
            late = moment.letter.at - moment.row.due_at.timestamp()
            self.latest = max(self.latest, late)
            self.lateness[next((words for most, words in BOUNDS if late <= most), MORE)] += 1
