"""How a run goes: people act, the engine does what is due, the clock jumps to the next instant at which anything is.

Must not know: what is right or wrong in what comes out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadmagnet import store
from leadmagnet.services import Services
from leadmagnet.simulation.deaths import Death, Deaths
from leadmagnet.simulation.deeds import Stage
from leadmagnet.simulation.dice import roll
from leadmagnet.simulation.hours import VirtualClock
from leadmagnet.simulation.people import People
from leadmagnet.simulation.provider import SimulatedProvider
from leadmagnet.simulation.queues import Queues
from leadmagnet.simulation.record import Record
from leadmagnet.simulation.reports import Reports
from leadmagnet.simulation.trouble import Trouble, stretches
from leadmagnet.tick import tick

#: The clock moves by this much at least, so that a retry in three seconds does not make a pass of its own. All zones
#: of today differ by whole quarters of an hour.
LEAST_STEP = timedelta(minutes=15)
#: A worker that dies does so at one of the first so many edges of its pass.
EDGES = 14
#: After the last day nothing goes wrong any more, for so long: every unknown outcome has to settle.
QUIET = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be simulated."""

    subscribers: int
    days: int
    seed: int
    begin: datetime
    trouble: Trouble
    step: timedelta = LEAST_STEP
    first: int = 0
    """The number of the first person: a group of a larger run does not begin with 0."""

    @property
    def end(self) -> datetime:
        """When people stop acting."""
        return self.begin + timedelta(days=self.days)


class Run:
    """One run, from an empty database on which the sequence is loaded."""

    def __init__(self, plan: Plan, services: Services, record: Record, said: Callable[[datetime], None]) -> None:
        """Take the plan, the program's parts, and an empty book. `said` is told of every day that begins."""
        self.plan, self.said = plan, said
        self.clock = VirtualClock(plan.begin)
        self.people = People(plan.subscribers, plan.seed, plan.begin, plan.days, plan.first)
        self.deaths = Deaths(services.engine)
        self.reports = Reports(services.engine, record, plan.trouble, plan.seed)
        self.provider = SimulatedProvider(
            self.clock,
            record,
            self.people,
            self.reports,
            self.deaths,
            plan.trouble,
            stretches(plan.trouble, plan.seed, plan.begin, plan.days),
            seed=plan.seed,
            lease_seconds=services.config.claim_lease_seconds,
        )
        self.services = replace(services, mailer=self.provider)
        self.provider.meanwhile = lambda: tick(self.services, self.clock.now)
        self.stage = Stage(self.services, self.people, record, plan.seed)
        self.queues = Queues(self.services.engine)
        self.passes = 0
        self._again: datetime | None = None

    def go(self) -> None:
        """Live through all days, and then through the quiet ones."""
        with _jitter(self.plan.seed):
            for at in self._instants(self.plan.end):
                self.stage.act(self.people.due(at), self.clock)
                self._pass()
            self.provider.calm()
            self.people.rest()
            for _ in self._instants(self.plan.end + QUIET):
                self._pass()

    def _instants(self, end: datetime) -> Iterator[datetime]:
        """Give the instants at which there is something to do, with the clock at each of them."""
        while self.clock.at < end:
            before = self.clock.at
            yield before
            coming = (self._again, self.people.next_at, self.reports.next_at, self.queues.next_at, end)
            self.clock.to(max(min(at for at in coming if at is not None), before + self.plan.step))
            if self.clock.at.date() != before.date():
                self.said(self.clock.at)

    def _pass(self) -> None:
        self.passes += 1
        self._release_the_brake()
        self.reports.arrive(self.clock.at)
        self.queues.before(self.clock.at)
        self._again = None
        with self.deaths.chosen(self._edge()):
            try:
                tick(self.services, self.clock.now)
            except Death:
                # Another worker goes on with what was left lying.
                self.provider.death()
                self._again = self.clock.at
        self.queues.after(self.clock.at)
        self.reports.look(self.clock.at)

    def _release_the_brake(self) -> None:
        """Be the person of the clinic who looks at once why so much came back, and lets sending go on."""
        engine = self.services.engine
        with store.reading(engine) as session:
            halt = store.halts.current(session)
        if halt is not None and halt.by == store.halts.BRAKE:
            with store.writing(engine) as session:
                store.halts.go(session)
            self.reports.seen["the brake"] += 1

    def _edge(self) -> int | None:
        """Say at which edge the worker dies in this pass, if it does."""
        chance, edge, *_ = roll(self.plan.seed, "death", self.clock.at)
        hours = self.queues.hours_since_last(self.clock.at)
        return 1 + int(edge * EDGES) if chance < self.provider.trouble.deaths * hours / 24 else None


@contextmanager
def _jitter(seed: int) -> Iterator[None]:
    """Make what the engine draws for its retries repeatable: it asks Python's own shared generator."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
