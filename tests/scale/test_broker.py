"""Real workers and real brokers: everything goes out, nothing twice, whatever becomes of the broker."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.queueing.broker import Queue

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.timeout(180)]

PEOPLE = 1200
#: Where a broker loses messages there are more of them.
MANY = 2000


def once(fleet: Any, count: int = PEOPLE) -> None:
    fleet.until(lambda: fleet.all_sent(count), 90)
    assert set(fleet.mailbox.taken.values()) == {1}
    states = fleet.states()
    assert states.get("claimed", 0) == states.get("unknown", 0) == states.get("failed", 0) == 0


def sent_by(fleet: Any, number: int) -> int:
    return sum(int(count) for count in re.findall(r"batch .*sent=(\d+)", fleet.said(number)))


def memory(worker: Any) -> float:
    """What a process has in memory, in MB, at its highest."""
    status = Path(f"/proc/{worker.pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found
    return int(found[1]) / 1024


def test_two_workers_share_the_work_and_stay_small(brokered: Any) -> None:
    brokered.mailbox.pause = 0.01
    workers = [brokered.start("--threads", "1") for _ in range(2)]
    brokered.until(lambda: all("worker started" in brokered.said(number) for number in range(2)))
    brokered.due(PEOPLE)
    once(brokered)
    assert sent_by(brokered, 0) > 0
    assert sent_by(brokered, 1) > 0
    # The next videos have been planned by whoever took the message.
    brokered.until(lambda: brokered.states().get("due") == PEOPLE)
    assert max(memory(worker) for worker in workers) < 160
    for worker in workers:
        brokered.stop(worker)


def test_a_broker_that_loses_everything_costs_a_lease(brokered: Any) -> None:
    brokered.mailbox.pause = 0.01
    brokered.start("--threads", "1")
    brokered.until(lambda: "worker started" in brokered.said(0))
    brokered.due(MANY)
    brokered.until(lambda: brokered.mailbox.taken)
    lost = 0
    while not lost and not brokered.all_sent(MANY):
        lost += brokered.broker.lose()
        time.sleep(0.01)
    assert lost, "messages were lost in the middle"
    assert len(brokered.mailbox.taken) < MANY
    once(brokered, MANY)


def test_a_broker_that_is_down_at_the_start_and_half_way(brokered: Any) -> None:
    brokered.mailbox.pause = 0.01
    brokered.broker.proxy.close()
    worker = brokered.start("--threads", "1")
    brokered.due(PEOPLE)
    brokered.until(lambda: "broker not reached" in brokered.said(0))
    time.sleep(2)
    assert brokered.states() == {"due": PEOPLE}, "nothing is claimed that nobody can take"
    brokered.broker.proxy.open()
    brokered.until(lambda: len(brokered.mailbox.taken) > 200)
    brokered.broker.proxy.close()
    brokered.until(lambda: brokered.said(0).count("broker not reached") == 2)
    time.sleep(2)
    assert len(brokered.mailbox.taken) < PEOPLE
    brokered.broker.proxy.open()
    once(brokered)
    assert brokered.said(0).count("broker not reached") == 2, "one line each time"
    assert brokered.said(0).count("broker reached again") == 2
    brokered.broker.proxy.close()
    brokered.stop(worker)
    assert "Traceback" not in brokered.said(0)


def test_sigterm_finishes_the_batch_in_hand_and_gives_the_rest_back(brokered: Any) -> None:
    """The lease is long here: what was not begun comes back through the broker, not by waiting."""
    brokered.mailbox.pause = 0.01
    worker = brokered.start("--threads", "1", CLAIM_LEASE_SECONDS="300")
    brokered.until(lambda: "worker started" in brokered.said(0))
    brokered.due(PEOPLE)
    brokered.until(lambda: brokered.mailbox.taken)
    brokered.stop(worker)
    sent = brokered.videos("sent")
    assert 0 < sent < PEOPLE
    assert sent == len(brokered.mailbox.taken), "the batch in hand was finished and written down"
    assert brokered.leader() is None
    brokered.start("--threads", "1", CLAIM_LEASE_SECONDS="300")
    once(brokered)


def test_a_message_that_comes_twice_or_late_sends_nothing_twice(brokered: Any) -> None:
    brokered.start("--threads", "4")
    brokered.due(PEOPLE)
    queue = Queue(brokered.broker.url, "letters")
    queue.serve("send", print)
    seen: set[str] = set()
    while not brokered.all_sent(PEOPLE):
        with store.reading(brokered.engine) as session:
            claims = set(session.scalars(claims_in_hand()))
        for claim in claims:
            for _ in range(3):
                queue.put("send", claim)
        seen |= claims
    for claim in seen:
        queue.put("send", claim)
    queue.put("send", "a claim that never was")
    queue.close()
    assert seen
    brokered.until(lambda: brokered.states().get("due") == PEOPLE)
    once(brokered)


def claims_in_hand() -> Any:
    from sqlalchemy import select

    from leadmagnet.store.deliveries import Delivery

    return select(Delivery.claim_id).where(Delivery.status == "claimed").distinct()


def test_an_answer_does_not_wait_behind_a_big_hour(brokered: Any) -> None:
    brokered.mailbox.pause = 0.05
    brokered.start("--threads", "1")
    brokered.until(lambda: "worker started" in brokered.said(0))
    brokered.due(PEOPLE)
    brokered.until(lambda: brokered.mailbox.taken)
    at = datetime.now(UTC)
    with store.writing(brokered.engine) as session:
        wording = store.consents.keep_wording(session, "Yes, write to me.", "en", at)
        session.flush()
        session.add(
            store.signups.SignUp(
                email="new@example.org",
                email_canonical="new@example.org",
                form=store.forms.first(session).slug,
                wording_id=wording,
                asked_at=at,
                asked_real_at=at,
            )
        )
    brokered.until(lambda: "new@example.org" in brokered.mailbox.recipients, 20)
    assert brokered.videos("sent") < PEOPLE
    assert brokered.videos("due") + brokered.videos("claimed") > 0
