"""A person's weeks as pages show them: slots and words, rest days never as gaps.

Must not know: one exercise from another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.weeks import Week, good_run, weeks
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import words

#: Weeks shown at most.
BACK = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One week: `slots` to draw, of which `done` are filled."""

    label: str
    done: int
    goal: int
    slots: int
    current: bool

    @property
    def words(self) -> str:
        """Return "2 of 3"; beyond the goal the count alone, because "4 of 3" is no sentence."""
        return f"{self.done} of {self.goal}" if self.done <= self.goal else f"{self.done} done"


def of_person(session: Session, person: Subscriber, today: date) -> tuple[list[Row], str]:
    """Return the weeks since the first session, this one last, and a sentence that heads them."""
    days = [row.day for row in store.check_ins.of_subscriber(session, person.id)]
    goal = len(person.days)
    shown = weeks(days, goal, today, BACK)
    first = min(days, default=today)
    begun = [week for week in shown if week.monday + timedelta(days=6) >= first]
    run = good_run(days, goal, today)
    return [_row(week, today) for week in begun], _sentence(run, begun[-1])


def _row(week: Week, today: date) -> Row:
    sunday = week.monday + timedelta(days=6)
    current = week.monday <= today <= sunday
    return Row(words.week(week.monday, sunday), week.done, week.goal, max(week.goal, week.done), current)


def _sentence(run: int, this: Week) -> str:
    if run == 0:
        return "Your week has begun" if this.done else "Your weeks"
    good = f"{words.capital(words.number(run))} good week{'' if run == 1 else 's'}"
    if this.good:
        return good
    return f"{good}, the next begun" if this.done else f"{good} behind you"
