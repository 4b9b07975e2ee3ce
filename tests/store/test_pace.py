"""Limits kept by the send path, on both databases: nothing more goes out, nothing is lost, the rest waits in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.delivery.direct import send_due
from leadmagnet.delivery.pace import standing
from leadmagnet.delivery.send import Post, claim_due
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.message import Batch, MailError, Outcome, Result
from leadmagnet.from_config import post_of
from leadmagnet.store.deliveries import Delivery


class Provider:
    """Takes everything, unless told otherwise."""

    name, batch_size, has_evidence = "memory", 1000, False

    def __init__(self) -> None:
        self.took: list[str] = []
        self.answer: Callable[[Batch], list[Result]] | None = None

    def send(self, batch: Batch) -> list[Result]:
        if self.answer is not None:
            return self.answer(batch)
        self.took += [letter.to_email for letter in batch.letters]
        return [Result(letter.delivery_id, Outcome.SENT, self.name) for letter in batch.letters]

    def taken(self, delivery_id: str) -> None:
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def post(ledger: Any, provider: Provider) -> Callable[..., Post]:
    """A maker of send paths under the settings' limits."""

    def make(**settings: Any) -> Post:
        config = replace(ledger.services.config, **settings)
        return replace(post_of(replace(ledger.services, config=config)), mailer=provider, plan_next=None)

    return make


def videos(ledger: Any, count: int, **columns: Any) -> list[int]:
    step = ledger.steps()[1]
    people = ledger.people(count, confirmed_at=ledger.at)
    for number, person in enumerate(people):
        ledger.due(person, **({"step_id": step, "due_at": ledger.at - timedelta(hours=count - number)} | columns))
    return people


def states(ledger: Any) -> dict[str, int]:
    with store.reading(ledger.engine) as session:
        rows = [row.status for row in session.query(Delivery)]
    return {status: rows.count(status) for status in set(rows)}


def drain(post: Post, clock: Any) -> int:
    tally = Tally()
    while send_due(post, clock.now, 1, tally):
        pass
    return tally.sent


def test_without_a_limit_nothing_is_written_down(ledger: Any, post: Any, hand_clock: Any) -> None:
    videos(ledger, 3)
    assert drain(post(), hand_clock) == 3
    with store.reading(ledger.engine) as session:
        assert store.rates.current(session) is None


def test_the_rate_lets_so_many_go_each_second_oldest_first(
    ledger: Any, post: Any, provider: Provider, hand_clock: Any
) -> None:
    videos(ledger, 9)
    path = post(send_rate=4.0)
    assert [drain(path, hand_clock)] == [1], "nothing was saved up before the first email"
    for expected in (4, 4, 0):
        hand_clock.real += timedelta(seconds=1)
        assert drain(path, hand_clock) == expected
    assert provider.took == [f"p{number}@example.org" for number in range(9)]


def test_the_cap_lets_the_rest_wait_for_the_next_day_in_the_clinics_zone(
    ledger: Any, post: Any, hand_clock: Any
) -> None:
    videos(ledger, 7)
    path = post(daily_cap=3, clinic_timezone="America/Vancouver")
    assert drain(path, hand_clock) == 3
    assert states(ledger) == {"sent": 3, "due": 4}
    hand_clock.real += timedelta(hours=16, minutes=59)  # 07:59 UTC, still the same evening in Vancouver
    assert drain(path, hand_clock) == 0
    hand_clock.real += timedelta(minutes=1)
    assert drain(path, hand_clock) == 3
    hand_clock.real += timedelta(days=1)
    assert drain(path, hand_clock) == 1


def test_a_new_sender_warms_up_day_by_day(ledger: Any, post: Any, hand_clock: Any) -> None:
    videos(ledger, 12)
    path = post(warm_up=(1, 3))
    sent = []
    for _ in range(3):
        sent.append(drain(path, hand_clock))
        hand_clock.real += timedelta(days=1)
    assert sent == [1, 3, 8]


def test_answers_to_people_are_counted_and_do_not_wait(ledger: Any, post: Any, hand_clock: Any) -> None:
    videos(ledger, 2)
    path, tally = post(daily_cap=2), Tally()
    [person] = ledger.people(1, status="pending")
    ledger.due(person, kind="confirmation", lane=0)
    assert send_due(path, hand_clock.now, 0, tally) == 1
    assert drain(path, hand_clock) == 1
    [late] = ledger.people(1, status="pending")
    ledger.due(late, kind="confirmation", lane=0)
    assert send_due(path, hand_clock.now, 0, tally) == 1
    with store.reading(ledger.engine) as session:
        assert standing(session, path.limits, hand_clock.real).sent == 3


def test_an_outage_and_a_provider_that_says_later_eat_up_no_day(
    ledger: Any, post: Any, provider: Provider, hand_clock: Any
) -> None:
    videos(ledger, 3)
    path, tally = post(daily_cap=2), Tally()

    def away(_batch: Batch) -> list[Result]:
        raise MailError("no connection", permanent=False)

    def later(batch: Batch) -> list[Result]:
        return [Result(one.delivery_id, Outcome.RETRY, "memory", "429", retry_after=1) for one in batch.letters]

    # After an outage one careful try, then as many as ever.
    for answer, tried in ((away, 2), (later, 1), (later, 2)):
        provider.answer = answer
        assert send_due(path, hand_clock.now, 1, tally) == tried
        hand_clock.real += timedelta(minutes=5)
    provider.answer = None
    assert drain(path, hand_clock) == 2
    assert states(ledger) == {"sent": 2, "due": 1}


def test_what_is_taken_back_after_midnight_does_not_count_for_the_new_day(
    ledger: Any, post: Any, provider: Provider, hand_clock: Any
) -> None:
    videos(ledger, 6)
    path, tally = post(daily_cap=2), Tally()

    def away_past_midnight(_batch: Batch) -> list[Result]:
        hand_clock.real += timedelta(hours=20)
        provider.answer = None
        assert drain(path, hand_clock) == 2, "another worker, on the new day"
        raise MailError("no connection", permanent=False)

    provider.answer = away_past_midnight
    assert send_due(path, hand_clock.now, 1, tally) == 2
    hand_clock.real += timedelta(minutes=5)
    assert drain(path, hand_clock) == 0


def test_what_was_claimed_and_never_begun_is_neither_lost_nor_counted_twice(
    ledger: Any, post: Any, hand_clock: Any
) -> None:
    videos(ledger, 4)
    path = post(daily_cap=2)
    assert claim_due(path, hand_clock.now, 1) is not None
    assert claim_due(path, hand_clock.now, 1) is None, "the day is in hand"
    hand_clock.real += timedelta(hours=1)
    with store.writing(ledger.engine) as session:
        assert store.outstanding.reopen(session, hand_clock.real, 10) == 2
    assert drain(path, hand_clock) == 2


def test_workers_keep_the_limit_together(ledger: Any, post: Any, provider: Provider, hand_clock: Any) -> None:
    videos(ledger, 40)
    path = post(daily_cap=25)
    gate, sent = threading.Barrier(4), []

    def work() -> None:
        gate.wait()
        tally = Tally()
        while send_due(path, hand_clock.now, 1, tally, limit=3):
            pass
        sent.append(tally.sent)

    crew = [threading.Thread(target=work) for _ in range(4)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    assert sum(sent) == len(provider.took) == len(set(provider.took)) == 25
    assert states(ledger) == {"sent": 25, "due": 15}
