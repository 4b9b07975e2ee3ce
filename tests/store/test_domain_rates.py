"""Rates by recipient's domain, kept by the send path on both databases: a slow domain is in nobody's way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from leadmagnet import store
from leadmagnet.delivery import by_domain
from leadmagnet.delivery.direct import send_due
from leadmagnet.delivery.send import Post, claim_due
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.message import Batch, Outcome, Result
from leadmagnet.from_config import post_of
from leadmagnet.looking import agenda
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.slow_lanes import DomainPace
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick


class Provider:
    """Takes everything and remembers to which domain."""

    name, batch_size, has_evidence = "memory", 1000, False

    def __init__(self) -> None:
        self.took: list[str] = []
        self.lock = threading.Lock()

    def send(self, batch: Batch) -> list[Result]:
        with self.lock:
            self.took += [letter.to_email for letter in batch.letters]
        return [Result(letter.delivery_id, Outcome.SENT, self.name) for letter in batch.letters]

    def domains(self) -> Counter[str]:
        return Counter(address.partition("@")[2] for address in self.took)

    def taken(self, delivery_id: str) -> None:
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def post(ledger: Any, provider: Provider) -> Callable[..., Post]:
    return lambda **settings: path_of(ledger, provider, **settings)


def path_of(ledger: Any, provider: Provider, **settings: Any) -> Post:
    config = replace(ledger.services.config, **settings)
    return replace(post_of(replace(ledger.services, config=config)), mailer=provider, plan_next=None)


def due(ledger: Any, *domains: tuple[str, int], lane: int = 1, kind: str = "video") -> None:
    """Write down people at some domains, so many each, and an email to each, in this order."""
    at, step = ledger.at, ledger.steps()[1]
    with store.writing(ledger.engine) as session:
        start = session.query(Subscriber).count()
        addresses = [f"p@{domain}" for domain, count in domains for _ in range(count)]
        people = [
            {"email": f"p{number}{address[1:]}", "email_canonical": f"p{number}{address[1:]}"}
            | {"status": "pending" if kind == "confirmation" else "active", "timezone": "UTC", "created_at": at}
            for number, address in enumerate(addresses, start)
        ]
        ids = sorted(session.scalars(insert(Subscriber).returning(Subscriber.id), people))
        common = {"step_id": step if kind == "video" else None, "kind": kind, "lane": lane, "created_at": at}
        rows = [{"subscriber_id": one, "due_at": at, **common} for one in ids]
        session.execute(insert(Delivery), rows)


def drain(path: Post, clock: Any, lane: int = 1) -> int:
    tally = Tally()
    while send_due(path, clock.now, lane, tally):
        pass
    return tally.sent


def lanes(ledger: Any) -> Counter[int]:
    with store.reading(ledger.engine) as session:
        return Counter(session.scalars(select(Delivery.lane).where(Delivery.status == "due")))


def test_a_slow_domain_in_front_is_in_nobodys_way(ledger: Any, post: Any, provider: Provider, hand_clock: Any) -> None:
    due(ledger, ("gmail.com", 2200), ("clinic.example", 50), ("other.example", 50))
    path = post(domain_rate=(("gmail.com", 20.0),))
    assert drain(path, hand_clock) == 120
    assert provider.domains() == {"gmail.com": 20, "clinic.example": 50, "other.example": 50}
    assert [address for address in provider.took if "gmail" in address] == [f"p{n}@gmail.com" for n in range(20)]
    for second in (1, 2, 3):
        hand_clock.real += timedelta(seconds=1)
        assert drain(path, hand_clock) == 20
        assert provider.took[-20:] == [f"p{n}@gmail.com" for n in range(20 * second, 20 * second + 20)], "in order"
    due(ledger, ("late.example", 5), ("gmail.com", 5))
    assert drain(path, hand_clock) == 5
    hand_clock.real += timedelta(seconds=1)
    drain(path, hand_clock)
    assert provider.took[-1] == "p99@gmail.com", "who comes later waits behind"


def test_each_domain_that_is_not_named_has_a_measure_of_its_own(
    ledger: Any, post: Any, provider: Provider, hand_clock: Any
) -> None:
    due(ledger, ("a.example", 9), ("b.example", 2), ("gmail.com", 9), ("c.example", 9))
    path = post(domain_rate=(("gmail.com", 5.0), ("*", 3.0)))
    assert drain(path, hand_clock) == 3 + 2 + 5 + 3
    hand_clock.real += timedelta(seconds=1)
    assert drain(path, hand_clock) == 3 + 4 + 3
    hand_clock.real += timedelta(seconds=1)
    assert drain(path, hand_clock) == 3 + 3
    assert provider.domains() == {"a.example": 9, "b.example": 2, "gmail.com": 9, "c.example": 9}


def test_without_rates_nothing_is_looked_at_or_written(ledger: Any, post: Any, hand_clock: Any) -> None:
    due(ledger, ("gmail.com", 30))
    said: list[str] = []

    def heard(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    from sqlalchemy import event

    event.listen(ledger.engine, "before_cursor_execute", heard)
    assert drain(post(), hand_clock) == 30
    event.remove(ledger.engine, "before_cursor_execute", heard)
    assert said
    assert not [statement for statement in said if "domain_pace" in statement or "sending_pace" in statement]


def test_answers_keep_the_rate_and_do_not_stand_in_line(
    ledger: Any, post: Any, provider: Provider, hand_clock: Any
) -> None:
    due(ledger, ("gmail.com", 8), ("clinic.example", 2), lane=0, kind="confirmation")
    path = post(domain_rate=(("gmail.com", 3.0),))
    assert drain(path, hand_clock, lane=0) == 5
    assert provider.domains() == {"gmail.com": 3, "clinic.example": 2}
    assert drain(path, hand_clock, lane=1) == 0, "no answer among the letters"
    hand_clock.real += timedelta(seconds=1)
    due(ledger, ("gmail.com", 9))
    assert drain(path, hand_clock, lane=0) == 3
    assert drain(path, hand_clock) == 0, "one measure for answers and letters"
    with store.reading(ledger.engine) as session:
        assert not [row for row in session.query(Delivery).filter(Delivery.status != "due") if row.lane > 1]


def test_the_agenda_tells_of_a_lane_when_its_next_email_may_go(ledger: Any, post: Any, hand_clock: Any) -> None:
    due(ledger, ("gmail.com", 4))
    config = replace(ledger.services.config, domain_rate=(("gmail.com", 0.5),))
    services = replace(ledger.services, config=config)
    assert drain(post(domain_rate=config.domain_rate), hand_clock) == 1
    waits = agenda(services, hand_clock.now())
    assert (waits.letters, waits.answers, waits.overdue) == (False, False, False)
    hand_clock.real += timedelta(seconds=2)
    waits = agenda(services, hand_clock.now())
    assert (waits.letters, waits.answers, waits.overdue) == (True, False, False)
    with store.writing(ledger.engine) as session:
        session.execute(update(Delivery).values(closes_at=hand_clock.course))
    waits = agenda(services, hand_clock.now())
    assert (waits.letters, waits.overdue) == (False, True)


def test_a_rate_that_is_taken_away_strands_nobody(ledger: Any, post: Any, provider: Provider, hand_clock: Any) -> None:
    due(ledger, ("gmail.com", 40), ("b.example", 40))
    assert drain(post(domain_rate=(("*", 1.0),)), hand_clock) == 2
    assert set(lanes(ledger)) == {3, 5}
    path = post(domain_rate=(("gmail.com", 1.0),))
    assert by_domain.tidy_up(ledger.engine, path.limits, hand_clock.now()) is False
    assert drain(path, hand_clock) == 39, "b.example has no limit any more"
    tick(replace(ledger.services, mailer=provider), hand_clock.now)
    assert provider.domains() == {"gmail.com": 40, "b.example": 40}
    assert not [lane for lane in lanes(ledger) if lane > 1]


def test_domains_at_rest_are_forgotten_and_those_with_waiting_rows_are_not(
    ledger: Any, post: Any, provider: Provider, hand_clock: Any
) -> None:
    due(ledger, ("gmail.com", 3), ("b.example", 1), ("c.example", 1))
    services = replace(ledger.services, mailer=provider)
    services = replace(services, config=replace(services.config, domain_rate=(("*", 1.0),)))

    def known() -> set[str]:
        with store.reading(ledger.engine) as session:
            return set(session.scalars(select(DomainPace.domain)))

    tick(services, hand_clock.now)
    assert known() == {"gmail.com", "b.example", "c.example"}
    hand_clock.real += timedelta(seconds=5)
    tick(services, hand_clock.now)
    assert known() == {"gmail.com"}
    hand_clock.real += timedelta(seconds=5)
    tick(services, hand_clock.now)
    hand_clock.real += timedelta(seconds=5)
    tick(services, hand_clock.now)
    assert known() == set()
    assert provider.domains()["gmail.com"] == 3


def test_a_fast_slow_domain_does_not_starve_the_others(
    ledger: Any, post: Any, provider: Provider, hand_clock: Any
) -> None:
    """What waits in a lane of its own is older, and its measure is always full: it takes half of each claim at most."""
    due(ledger, ("gmail.com", 400), ("other.example", 400))
    path, tally = post(domain_rate=(("gmail.com", 10.0),)), Tally()
    send_due(path, hand_clock.now, 1, tally, limit=20)
    path = post(domain_rate=(("gmail.com", 1000.0),))
    for _ in range(5):
        hand_clock.real += timedelta(seconds=1)
        before = provider.domains()
        send_due(path, hand_clock.now, 1, tally, limit=20)
        assert provider.domains() - before == {"gmail.com": 10, "other.example": 10}


@pytest.mark.postgres
def test_two_workers_keep_one_rate(ledger_on: Any, postgres_url: str, provider: Provider, hand_clock: Any) -> None:
    ledger = ledger_on(postgres_url)
    due(ledger, ("gmail.com", 200), ("other.example", 200), ("slow.example", 30))
    path = path_of(ledger, provider, domain_rate=(("gmail.com", 25.0), ("slow.example", 2.0)))
    for second in range(1, 4):
        gate = threading.Barrier(4)

        def work(gate: threading.Barrier = gate) -> None:
            gate.wait()
            tally = Tally()
            while send_due(path, hand_clock.now, 1, tally, limit=7):
                pass

        crew = [threading.Thread(target=work) for _ in range(4)]
        for one in crew:
            one.start()
        for one in crew:
            one.join()
        assert provider.domains() == {"gmail.com": 25 * second, "other.example": 200, "slow.example": 2 * second}
        hand_clock.real += timedelta(seconds=1)
    assert max(Counter(provider.took).values()) == 1


def test_a_claim_that_is_lost_waits_in_the_shared_lane_again(ledger: Any, post: Any, hand_clock: Any) -> None:
    due(ledger, ("gmail.com", 4))
    path = post(domain_rate=(("gmail.com", 2.0),))
    claim_due(path, hand_clock.now, 1)
    hand_clock.real += timedelta(hours=1)
    claim = claim_due(path, hand_clock.now, 1)
    assert claim is not None
    assert len(claim.ids) == 2
    with store.writing(ledger.engine) as session:
        store.outstanding.reopen(session, hand_clock.real, 10)
    assert lanes(ledger) == {1: 2}
    with store.reading(ledger.engine) as session:
        assert {row.status for row in session.query(Delivery)} == {"due", "claimed"}
