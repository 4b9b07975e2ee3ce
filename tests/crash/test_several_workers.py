"""Three worker processes on one database, as with RUN_WORKER_IN_WEB in several web processes: nothing twice."""

from __future__ import annotations

import signal
from collections import Counter
from email import message_from_bytes
from typing import Any

import pytest

PEOPLE = 30


@pytest.mark.timeout(120)
def test_three_workers_send_each_email_once(clinic: Any) -> None:
    clinic.join(PEOPLE)
    workers = [clinic.start() for _ in range(3)]
    clinic.until(lambda: len(clinic.deliveries(kind="finished", status="sent")) == PEOPLE, workers[0], 90)
    for worker in workers:
        assert worker.poll() is None, "all three lived to the end"
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(timeout=10) for worker in workers] == [0, 0, 0]
    sent = clinic.deliveries(status="sent")
    written = Counter(
        message_from_bytes(file.read_bytes())["X-Leadmagnet-Delivery"] for file in clinic.outbox.iterdir()
    )
    assert written == Counter(row.public_id for row in sent)
    steps = Counter((row.subscriber_id, row.step_id) for row in sent if row.step_id is not None)
    assert len(steps) == PEOPLE * 7
    assert set(steps.values()) == {1}
