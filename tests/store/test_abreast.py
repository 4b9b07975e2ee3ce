"""Several batches at a time in one process, on both databases: each letter once, and nothing hidden."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from leadmagnet import store
from leadmagnet.abreast import Abreast
from leadmagnet.delivery.send import Post
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.message import Batch, Outcome, Result
from leadmagnet.from_config import post_of
from leadmagnet.store.deliveries import Delivery
from leadmagnet.tick import always, tick


class Provider:
    """Takes ten letters at a time, and waits for whoever else sends before it takes its first."""

    name, batch_size, has_evidence = "memory", 10, False

    def __init__(self, meet: threading.Barrier | None = None) -> None:
        self.took: list[str] = []
        self.meet, self.closed = meet, False
        self.after: Callable[[], object] = lambda: None

    def send(self, batch: Batch) -> list[Result]:
        if self.meet is not None and not self.took:
            self.meet.wait(20)
        self.took += [letter.delivery_id for letter in batch.letters]
        self.after()
        return [Result(letter.delivery_id, Outcome.SENT, self.name) for letter in batch.letters]

    def taken(self, delivery_id: str) -> None:
        return None

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def post(ledger: Any) -> Post:
    step = ledger.steps()[1]
    for number, person in enumerate(ledger.people(60, confirmed_at=ledger.at)):
        ledger.due(person, step_id=step, due_at=ledger.at - timedelta(minutes=60 - number))
    return replace(post_of(ledger.services), plan_next=None)


def states(ledger: Any) -> dict[str, int]:
    with store.reading(ledger.engine) as session:
        return dict(session.execute(select(Delivery.status, func.count()).group_by(Delivery.status)).all())


def test_two_senders_share_what_is_due(ledger: Any, post: Post, hand_clock: Any) -> None:
    meet, tally = threading.Barrier(2), Tally()
    providers = [Provider(meet), Provider(meet)]
    with Abreast(post, hand_clock.now, always, lambda: providers) as others:
        others.begin()
        assert others
        assert others.end(tally) == 60
        assert not others
    assert tally.sent == 60
    assert set(Counter(providers[0].took + providers[1].took).values()) == {1}
    assert all(provider.took and provider.closed for provider in providers)
    assert states(ledger) == {"sent": 60}


def test_who_has_begun_is_not_begun_again(post: Post, hand_clock: Any) -> None:
    asked: list[Provider] = []

    def mailers() -> list[Provider]:
        asked.append(Provider())
        return asked[-1:]

    with Abreast(post, hand_clock.now, always, mailers) as others:
        others.begin()
        others.begin()
        assert others.end(Tally()) == 60
    assert len(asked) == 1


def test_where_one_sender_is_right_there_is_no_other(post: Post, hand_clock: Any) -> None:
    with Abreast(post, hand_clock.now, always, list) as others:
        others.begin()
        assert not others
        assert others.end(Tally()) == 0


def test_what_a_sender_cannot_cope_with_comes_to_light(ledger: Any, post: Post, hand_clock: Any) -> None:
    def break_down() -> None:
        raise RuntimeError("out of memory")

    provider = Provider()
    provider.after = break_down
    with Abreast(post, hand_clock.now, always, lambda: [provider]) as others:
        others.begin()
        with pytest.raises(RuntimeError, match="out of memory"):
            others.end(Tally())
    assert provider.closed
    # The call had begun: its lease will tell.
    assert states(ledger) == {"claimed": 10, "due": 50}


def test_the_end_of_a_pass_lets_the_batch_in_hand_be_finished(ledger: Any, post: Post, hand_clock: Any) -> None:
    """A pass that fails must not leave threads behind that go on for a whole big hour."""
    provider, others = Provider(), Abreast(post, hand_clock.now, always, lambda: [provider])
    provider.after = others._leaving.set
    with others:
        others.begin()
        assert others.end(Tally()) == 10
    assert states(ledger) == {"sent": 10, "due": 50}
    assert provider.closed


def test_a_pass_with_two_senders_does_it_all(ledger: Any, post: Post, hand_clock: Any) -> None:
    mine, theirs = Provider(), Provider()
    services = replace(ledger.services, mailer=mine, clock=hand_clock)
    done = tick(services, hand_clock.now, beside=lambda: [theirs])
    assert (done["claimed"], done["sent"]) == (60, 60)
    assert set(Counter(mine.took + theirs.took).values()) == {1}
    assert states(ledger)["sent"] == 60


def test_a_short_queue_needs_no_second_sender(ledger: Any, post: Post, hand_clock: Any) -> None:
    mine = Provider()
    mine.batch_size = 100
    services = replace(ledger.services, mailer=mine, clock=hand_clock)
    assert tick(services, hand_clock.now, beside=lambda: pytest.fail("not needed"))["sent"] == 60
