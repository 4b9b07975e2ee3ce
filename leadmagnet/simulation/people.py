"""Simulated people: who they are, what they mean to do and when. They know what their emails say, and nothing else.

Must not know: the engine's tables, how a deed is done.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from leadmagnet.domain.message import Letter
from leadmagnet.domain.zones import all_zones
from leadmagnet.simulation import habits
from leadmagnet.simulation.dice import roll

#: People act on this grid: several of them share a transaction.
GRID = timedelta(hours=1)
#: The share of a run in which people find the form.
ARRIVE = 0.35
#: Names in tzdata that are no place to live at.
NO_PLACE = frozenset({"Factory", "localtime", "posixrules"})


class Deed(NamedTuple):
    """What somebody means to do. `about`: the confirmation link, the exercise, or who does it."""

    address: str
    kind: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One simulated subscriber."""

    address: str
    zone: str
    keen: float


@cache
def everywhere() -> list[str]:
    """Return all places to live at, in one order."""
    return sorted(all_zones() - NO_PLACE)


def address_of(number: int) -> str:
    """Return the address of a person. By their addresses people sort as by their numbers, on every database."""
    return f"p{number:08}@example.org"


class People:
    """Everybody, and what they mean to do."""

    def __init__(self, count: int, seed: int, begin: datetime, days: int, first: int = 0) -> None:
        """Make people who find the form one after the other, numbered from `first`."""
        self._seed = seed
        self._meant: dict[datetime, list[Deed]] = defaultdict(list)
        self._when: list[datetime] = []
        self._letters = 0
        self.begin = begin
        zones = everywhere()
        self.known: dict[str, Person] = {}
        for number in range(first, first + count):
            place, keen, arrives, again, later, *_ = roll(seed, "person", number)
            address = address_of(number)
            self.known[address] = Person(address, zones[int(place * len(zones))], habits.keenness(keen))
            at = begin + timedelta(days=arrives * ARRIVE * days)
            self.mean(at, Deed(address, "sign_up"))
            if again < 0.02:
                self.mean(at + timedelta(days=later * days), Deed(address, "sign_up"))

    def mean(self, at: datetime, deed: Deed) -> None:
        """Mean to do something, at the next step of the grid."""
        slot = self.begin + GRID * -(-(at - self.begin) // GRID)
        if slot not in self._meant:
            heapq.heappush(self._when, slot)
        self._meant[slot].append(deed)

    @property
    def next_at(self) -> datetime | None:
        """When somebody next means to do something."""
        return self._when[0] if self._when else None

    def due(self, at: datetime) -> list[Deed]:
        """Take what people mean to do up to an instant."""
        found: list[Deed] = []
        while self._when and self._when[0] <= at:
            found += self._meant.pop(heapq.heappop(self._when))
        return found

    def rest(self) -> None:
        """Mean to do nothing more."""
        self._meant.clear()
        self._when.clear()

    def receive(self, letter: Letter, kind: str, step: str, at: datetime) -> None:
        """Read an email, and mean to do this or that."""
        address = letter.to_email
        person = self.known[address]
        draws = iter(roll(self._seed, "reads", address, at))
        for habit in habits.HABITS[kind]:
            if next(draws) < habit.chance * (person.keen if habit.keen else 1):
                hours = habit.soonest + next(draws) ** 2 * (habit.latest - habit.soonest)
                about = letter.values["confirm_url"] if habit.deed == "confirm" else step
                self.mean(at + timedelta(hours=hours), Deed(address, habit.deed, about))

    def done(self, deed: Deed, at: datetime) -> None:
        """Mean to do what follows a deed that was done: come back, resume, go on."""
        chance, wait, clinic, *_ = roll(self._seed, "follows", deed.address, deed.kind, at)
        if deed.kind == "leave" and chance < habits.COMES_BACK:
            self.mean(at + timedelta(days=2 + wait * habits.LONGEST_AWAY), Deed(deed.address, "sign_up"))
        elif deed.kind == "pause without end" and chance < habits.RESUMES:
            self.mean(at + timedelta(days=1 + wait * habits.LONGEST_PAUSE), Deed(deed.address, "resume"))
        elif deed.kind == "hurt":
            after = at + timedelta(days=0.5 + wait * habits.LONGEST_HURT)
            if chance < habits.GOES_ON:
                self.mean(after, Deed(deed.address, "go_on", "subscriber"))
            elif clinic < habits.CLINIC_HELPS / (1 - habits.GOES_ON):
                self.mean(after, Deed(deed.address, "go_on", "clinic"))
