"""The simulated provider's events on their way to us: late, some twice, some never. Stored as the webhook does.

Must not know: what an event means to the engine.
"""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, select

from leadmagnet import store
from leadmagnet.domain.signals import PERSON_AFTER, Signal
from leadmagnet.simulation.dice import roll
from leadmagnet.simulation.record import Record
from leadmagnet.simulation.trouble import Trouble
from leadmagnet.store.subscribers import Subscriber

#: Hours after which an event arrives, at most; and a complaint, which a person makes.
LATEST_REPORT, LATEST_COMPLAINT = 0.4, 30.0
#: Events stored in one transaction, as webhooks bring them.
TOGETHER = 1000


class Report(NamedTuple):
    """One event on its way."""

    at: datetime  #: when it reaches us
    id: str
    delivery: str
    signal: Signal
    email: str


class Reports:
    """All events on their way."""

    def __init__(self, engine: Engine, record: Record, trouble: Trouble, seed: int) -> None:
        """Take the database into which they come, and the book."""
        self._engine, self._record, self._trouble, self._seed = engine, record, trouble, seed
        self._coming: list[tuple[datetime, int, Report]] = []
        self._count = 0
        self._grave: dict[str, Signal] = {}
        #: Deliveries of which the provider took a letter and no answer is known.
        self.unanswered: set[str] = set()
        self.seen: Counter[str] = Counter()

    def send(self, at: datetime, delivery: str, address: str, signal: Signal) -> None:
        """Put an event on its way."""
        lost, late, doubled, later, *_ = roll(self._seed, "report", address, at, signal)
        if lost < self._trouble.lost_events:
            self.seen["events lost"] += 1
            return
        hours = LATEST_COMPLAINT if signal is Signal.COMPLAINED else LATEST_REPORT
        self._count += 1
        report = Report(at + timedelta(hours=hours * late), f"event-{self._count}", delivery, signal, address)
        self._push(report)
        if doubled < self._trouble.doubled_events:
            self.seen["events doubled"] += 1
            self._push(report._replace(at=report.at + timedelta(hours=later * hours)))

    @property
    def next_at(self) -> datetime | None:
        """When the next event reaches us."""
        return self._coming[0][0] if self._coming else None

    def arrive(self, now: datetime) -> None:
        """Store what has reached us up to now."""
        while rows := self._take(now):
            with store.writing(self._engine) as session:
                store.events.add(session, [_row(report, now) for report in rows])
            for report in rows:
                self.seen[f"events {report.signal}"] += 1
                if report.delivery in self.unanswered:
                    self._record.did(now, report.email, "told", report.delivery)
                if report.signal in PERSON_AFTER:
                    self._grave[report.email] = report.signal
                    self._record.did(now, report.email, "reported", report.signal)

    def look(self, now: datetime) -> None:
        """Note whose emails have stopped by now because of what was reported."""
        if not self._grave:
            return
        stopped = select(Subscriber.email_canonical).where(
            Subscriber.email_canonical.in_(self._grave), Subscriber.status.in_(["bounced", "complained"])
        )
        with store.reading(self._engine) as session:
            for address in sorted(session.scalars(stopped)):
                self._record.did(now, address, "stop", self._grave.pop(address))

    def _push(self, report: Report) -> None:
        self._count += 1
        heapq.heappush(self._coming, (report.at, self._count, report))

    def _take(self, now: datetime) -> list[Report]:
        found: list[Report] = []
        while self._coming and self._coming[0][0] <= now and len(found) < TOGETHER:
            found.append(heapq.heappop(self._coming)[2])
        return found


def _row(report: Report, now: datetime) -> dict[str, Any]:
    return {
        "event_id": report.id,
        "provider": "simulated",
        "public_id": report.delivery,
        "signal": str(report.signal),
        "at": report.at,
        "received_at": now,
        "email": report.email,
        "detail": "",
        "raw": "",
    }
