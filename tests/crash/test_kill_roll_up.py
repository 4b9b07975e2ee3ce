"""kill -9 in the middle of a roll-up, again and again: no email is counted twice, none is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from leadmagnet import store
from leadmagnet.store.counters import DeliveryCount
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

ROOT = Path(__file__).resolve().parents[2]
EMAILS, BATCH = 60, 7
STATES = ("sent", "delivered", "bounced", "failed", "skipped")


def fill(engine: Engine, at: datetime) -> None:
    with store.writing(engine) as session:
        person = Subscriber(email="a@example.org", email_canonical="a@example.org", timezone="UTC", created_at=at)
        session.add(person)
        session.flush()
        for number in range(EMAILS):
            row = Delivery(subscriber_id=person.id, kind="confirmation", status=STATES[number % 5], resent=number % 2)
            row.created_at = row.due_at = row.sent_at = row.settled_at = at + timedelta(hours=number)
            session.add(row)


def told(engine: Engine) -> tuple[Counter[str], int, int]:
    """Return the emails by state and those sent again, over ledger and counters, and how many are in the ledger."""
    with store.reading(engine) as session:
        rows = session.query(Delivery).all()
        counts = session.query(DeliveryCount).all()
        states = Counter(row.status for row in rows)
        for count in counts:
            states[count.status] += count.emails
        again = sum(row.resent > 0 for row in rows) + sum(count.sent_again for count in counts)
        return states, again, len(rows)


@pytest.mark.timeout(120)
def test_a_roll_up_that_is_killed_loses_and_doubles_nothing(
    build_services: Callable[..., Any], new_config: Callable[..., Any], hand_clock: Any, database_url: str
) -> None:
    engine = build_services(new_config(database_url=database_url), hand_clock).engine
    fill(engine, datetime.now(UTC) - timedelta(days=60))
    states, again, left = told(engine)
    environ = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "s" * 40,
        "SUPPRESSION_KEY": "p" * 40,
        "DATABASE_URL": database_url,
        "LEDGER_RETENTION_DAYS": "30",
        "BATCH": str(BATCH),
    }

    def run(boundary: str, times: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.crash.doomed_roll_up", boundary, str(times)]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)

    for boundary, times, batches in (("deleted", 1, 0), ("counted", 2, 1), ("deleted", 2, 1), ("committed", 1, 1)):
        done = run(boundary, times)
        assert done.returncode == -signal.SIGKILL, done.stderr
        left -= batches * BATCH
        assert told(engine) == (states, again, left)
    done = run("never", 0)
    assert (done.returncode, done.stdout.strip()) == (0, str(left)), done.stderr
    assert told(engine) == (states, again, 0)
