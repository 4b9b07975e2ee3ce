"""kill -9 at any moment: nothing lost, nothing twice, nothing left behind. And SIGTERM, which is polite."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

PEOPLE, KILLS = 30, 10


def emails(clinic: Any) -> list[Any]:
    return [message_from_bytes(Path(file).read_bytes()) for file in clinic.outbox.iterdir()]


@pytest.mark.timeout(120)
def test_a_worker_killed_ten_times_loses_nothing_and_repeats_nothing(clinic: Any) -> None:
    chance = random.Random(20261123)
    clinic.join(PEOPLE)
    for _ in range(KILLS):
        worker = clinic.start()
        before = clinic.files()
        # Most kills fall into a batch that is on its way, because that is where something could go wrong.
        clinic.until(lambda before=before, worker=worker: clinic.files() > before or finished(clinic), worker)
        time.sleep(chance.choice((0, chance.uniform(0, 0.03), chance.uniform(0, 0.6))))
        worker.send_signal(signal.SIGKILL)
        assert worker.wait(timeout=10) == -signal.SIGKILL
    worker = clinic.start()
    clinic.until(lambda: finished(clinic) and not open_claims(clinic), worker)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=10) == 0
    check(clinic)


def finished(clinic: Any) -> bool:
    return len(clinic.deliveries(kind="finished", status="sent")) == PEOPLE


def open_claims(clinic: Any) -> bool:
    return bool(clinic.deliveries(status="claimed") or clinic.deliveries(status="unknown"))


def check(clinic: Any) -> None:
    sent = clinic.deliveries(status="sent")
    steps: dict[int, Counter[int]] = {}
    for row in sent:
        if row.step_id is not None:
            steps.setdefault(row.subscriber_id, Counter())[row.step_id] += 1
    assert len(steps) == PEOPLE
    assert {tuple(sorted(counts.values())) for counts in steps.values()} == {(1,) * 7}
    assert not clinic.deliveries(status="failed")
    assert not open_claims(clinic)
    assert not [row for row in clinic.deliveries() if row.resent], "the outbox is its own evidence"
    written = emails(clinic)
    assert Counter(mail["X-Leadmagnet-Delivery"] for mail in written) == Counter(row.public_id for row in sent)
    assert max(Counter(mail["Message-ID"] for mail in written).values()) == 1
    days = Counter((row.subscriber_id, row.day) for row in sent if row.day is not None)
    assert max(days.values()) == 1


@pytest.mark.timeout(60)
def test_sigterm_finishes_the_batch_in_hand_and_leaves(clinic: Any) -> None:
    clinic.join(PEOPLE)
    worker = clinic.start()
    clinic.until(lambda: clinic.files() > 0, worker)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=10) == 0
    assert not open_claims(clinic)
    assert clinic.files() == len(clinic.deliveries(status="sent")) > 0
