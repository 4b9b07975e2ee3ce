"""People and deliveries written straight into the tables, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.editing.shipped import SLUG
from leadmagnet.services import Services
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


class Ledger:
    """Short ways to write rows and to read them back."""

    def __init__(self, services: Services, at: datetime) -> None:
        self.services, self.engine, self.at = services, services.engine, at

    def people(self, count: int, **columns: Any) -> list[int]:
        """Write active people, each enrolled, and return their ids."""
        values = {"status": "active", "timezone": "Europe/Zurich", "created_at": self.at} | columns
        with store.writing(self.engine) as session:
            sequence = store.sequences.by_slug(session, SLUG)
            assert sequence is not None
            start = session.query(Subscriber).count()
            rows = [
                Subscriber(email=f"p{number}@example.org", email_canonical=f"p{number}@example.org", **values)
                for number in range(start, start + count)
            ]
            session.add_all(rows)
            session.flush()
            session.add_all(
                Enrollment(subscriber_id=row.id, sequence_id=sequence.id, started_at=self.at, wants_plan=False)
                for row in rows
            )
            return [row.id for row in rows]

    def steps(self) -> list[int]:
        with store.reading(self.engine) as session:
            sequence = store.sequences.by_slug(session, SLUG)
            assert sequence is not None
            return [step.id for step in store.sequences.steps_of(session, sequence.id)]

    def due(self, subscriber_id: int, **columns: Any) -> int:
        """Write one due delivery and return its id."""
        values = {"kind": "video", "created_at": self.at, "due_at": self.at} | columns
        with store.writing(self.engine) as session:
            row = Delivery(subscriber_id=subscriber_id, **values)
            session.add(row)
            session.flush()
            return row.id

    def row(self, row_id: int) -> Delivery:
        with store.reading(self.engine) as session:
            return session.get_one(Delivery, row_id)

    def claim(
        self, claim_id: str = "mine", *, lane: int = 1, limit: int = 100, seconds: float = 120, **moved: Any
    ) -> list[int]:
        """Claim at the ledger's instant and commit."""
        now = self.at + timedelta(**moved)
        with store.writing(self.engine) as session:
            return store.claims.claim(
                session,
                now=now,
                real_now=now,
                lease_until=now + timedelta(seconds=seconds),
                claim_id=claim_id,
                lane=lane,
                limit=limit,
            )

    def do(self, deed: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Run one of the store's functions in a transaction of its own."""
        with store.writing(self.engine) as session:
            return deed(session, *args, **more)


@pytest.fixture
def ledger(services: Services, hand_clock: Any) -> Ledger:
    return Ledger(services, hand_clock.course)


@pytest.fixture
def ledger_on(
    new_config: Callable[..., Any], build_services: Callable[..., Services], hand_clock: Any
) -> Callable[[str], Ledger]:
    """A maker of ledgers on a database of the test's choice."""
    return lambda url: Ledger(build_services(new_config(database_url=url), hand_clock), hand_clock.course)
