"""The stop switch while a batch is on its way over slow SMTP connections: measured against the real clock."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from leadmagnet import store
from leadmagnet.delivery.direct import send_due
from leadmagnet.delivery.settle import Tally
from leadmagnet.delivery.watch import EVERY, Watch
from leadmagnet.from_config import post_of
from leadmagnet.mail import SmtpMailer
from leadmagnet.store.deliveries import Delivery


class Slow:
    """Takes its time over each command; keeps when each message had arrived in whole."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.arrived: list[tuple[float, str]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.seconds)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.arrived.append((time.monotonic(), envelope.rcpt_tos[0]))
        await asyncio.sleep(self.seconds)
        return "250 taken"


@pytest.fixture
def slow() -> Iterator[tuple[Slow, str]]:
    handler = Slow(0.2)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    yield handler, f"smtp://127.0.0.1:{port}"
    server.stop()


def test_within_a_second_nothing_new_goes_out(ledger: Any, hand_clock: Any, slow: tuple[Slow, str]) -> None:
    handler, url = slow
    step = ledger.steps()[1]
    people = ledger.people(60, confirmed_at=ledger.at)
    for person in people:
        ledger.due(person, step_id=step, due_at=ledger.at - timedelta(hours=1))
    mailer, tally = SmtpMailer(url), Tally()
    post = replace(post_of(ledger.services), mailer=mailer, plan_next=None)
    sender = threading.Thread(target=send_due, args=(post, hand_clock.now, 1, tally))
    sender.start()
    while len(handler.arrived) < 8:
        time.sleep(0.01)
    with store.writing(ledger.engine) as session:
        store.halts.stop_by_hand(session, "wrong film", "anna@clinic.example", hand_clock.real)
    stopped = time.monotonic()
    sender.join(20)
    late = [at - stopped for at, _ in handler.arrived if at > stopped]
    assert max(late, default=0.0) < 1.0
    assert time.monotonic() - stopped < 3.0, "what was begun has been finished, the rest given back"
    with store.reading(ledger.engine) as session:
        rows = session.query(Delivery).all()
    states = Counter((row.status, row.attempts, row.call_begun_at is None) for row in rows)
    assert states == {("sent", 0, False): len(handler.arrived), ("due", 0, True): 60 - len(handler.arrived)}
    assert send_due(post, hand_clock.now, 1, tally) == 0
    with store.writing(ledger.engine) as session:
        store.halts.go(session)
    handler.seconds = 0.0
    while send_due(post, hand_clock.now, 1, tally):
        pass
    assert Counter(Counter(to for _, to in handler.arrived).values()) == {1: 60}
    mailer.close()


def test_it_looks_now_and_then(ledger: Any, hand_clock: Any) -> None:
    now = [0.0]
    watch = Watch(ledger.engine, lambda: now[0])
    with store.writing(ledger.engine) as session:
        store.halts.stop_by_hand(session, "x", "y", hand_clock.real)
    assert watch(), "looked at a moment ago, by whoever made it"
    now[0] = EVERY
    assert not watch()
    with store.writing(ledger.engine) as session:
        store.halts.go(session)
    now[0] = 9.0
    assert not watch(), "a batch that was stopped stays so"


def test_a_database_that_is_away_does_not_end_a_batch(tmp_path: Any) -> None:
    now = [0.0]
    folder = tmp_path / "away"
    engine = store.connect(f"sqlite:///{folder / 'x.db'}")
    folder.rmdir()
    watch = Watch(engine, lambda: now[0])
    now[0] = 9.0
    assert watch()
    engine.dispose()


def test_two_workers_may_halt_sending_at_the_same_moment(ledger: Any, hand_clock: Any) -> None:
    """The second one finds the row that the first has just written, or none any more: neither may fail."""
    real = hand_clock.now().real
    for reason, minutes in (("away", 1), ("still away", 2)):
        ledger.do(store.halts.stop, reason, real, real + timedelta(minutes=minutes))
    with store.writing(ledger.engine) as session:
        halt = store.halts.current(session)
        assert halt is not None
        assert (halt.reason, halt.until) == ("still away", real + timedelta(minutes=2))
        store.halts.lift(session)
        store.halts.stop(session, "away again", real, real + timedelta(minutes=3))
    ledger.do(store.halts.stop_by_hand, "holidays", "Ann", real)
    ledger.do(store.halts.stop, "away", real, real + timedelta(minutes=1))
    with store.reading(ledger.engine) as session:
        halt = store.halts.current(session)
        assert halt is not None
        assert (halt.reason, halt.by) == ("holidays", "Ann")
