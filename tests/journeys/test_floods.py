"""Many sign-ups at once: as many confirmations leave as the caps allow, the others wait, and none is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge
from sqlalchemy import select

from leadmagnet import store
from leadmagnet.domain.admission import TURN, WINDOW, Source
from leadmagnet.feedback.leaving import leave
from leadmagnet.from_config import guard_from
from leadmagnet.purge import PENDING_LIVES
from leadmagnet.signup import proof
from leadmagnet.signup.addresses import parse_address
from leadmagnet.signup.admission import asks
from leadmagnet.signup.receive import Request, receive
from leadmagnet.store.held import Pick
from leadmagnet.store.signups import SignUp

NETWORK, FORM, ALL = 6, 14, 20


@pytest.fixture
def clinic(fast_world: Any) -> Any:
    """A clinic with low caps."""
    caps = {"signup_network_cap": NETWORK, "signup_form_cap": FORM, "signup_hourly_cap": ALL, "signup_address_cap": 3}
    config = replace(fast_world.services.config, **caps)
    fast_world.services = replace(fast_world.services, config=config)
    return fast_world


def come(world: Any, *names: str, ip: str = "203.0.113.7", form: str = "landing", payload: str = "") -> None:
    with store.writing(world.services.engine) as session:
        for name in names:
            address = parse_address(f"{name}@example.org")
            request = Request(address, "Anna", "", form, "Yes.", "en", ip=ip, proof=payload)
            receive(session, request, world.clock.now())


def crowd(first: str, number: int) -> list[str]:
    return [f"{first}{at}" for at in range(number)]


def solved(world: Any) -> str:
    found = Challenge.from_dict(proof.challenge(world.services.config.secret_keys, world.clock.now().real, cost=1))
    solution = solve_challenge(found)
    assert solution is not None
    return Payload(found, solution).to_base64()


def written(world: Any) -> list[str]:
    """To whom confirmations went."""
    return [letter.to_email.partition("@")[0] for batch in world.services.mailer.calls for letter in batch.letters]


def rows(world: Any, **where: Any) -> list[SignUp]:
    with store.reading(world.services.engine) as session:
        return list(session.scalars(select(SignUp).filter_by(**where).order_by(SignUp.id)))


def test_a_network_gets_half_its_cap_and_others_come_through(clinic: Any) -> None:
    come(clinic, *crowd("victim", 40))
    come(clinic, "anna", ip="198.51.100.9")
    come(clinic, *crowd("other", 4), ip="2001:db8:1:2::3")
    clinic.tick()
    assert written(clinic) == [*crowd("victim", NETWORK // 2), "anna", *crowd("other", NETWORK // 2)]
    held = rows(clinic, outcome="held")
    assert [row.email_canonical.partition("@")[0] for row in held] == [*crowd("victim", 40)[3:], "other3"]
    assert {row.held for row in held} == {"network"}
    with store.reading(clinic.services.engine) as session:
        assert store.subscribers.by_canonical(session, held[0].email_canonical) is None, "a held one made a subscriber"


def test_the_hour_slides_and_what_is_held_stays_held(clinic: Any) -> None:
    come(clinic, *crowd("early", 5))
    clinic.tick()
    clinic.clock.move(seconds=WINDOW.total_seconds() - 60)
    come(clinic, "soon")
    clinic.tick()
    clinic.clock.move(seconds=61)
    come(clinic, "late")
    clinic.tick()
    assert written(clinic) == [*crowd("early", 3), "late"]
    assert len(rows(clinic, outcome="held")) == 3


def test_a_form_and_the_whole_have_caps_of_their_own(clinic: Any) -> None:
    for number in range(12):
        come(clinic, f"spread{number}", ip=f"66.{number}.1.1")
    for number in range(12):
        come(clinic, f"article{number}", ip=f"67.{number}.1.1", form="article")
    clinic.tick()
    assert written(clinic) == [*crowd("spread", FORM // 2), *crowd("article", ALL // 2 - FORM // 2)]
    assert {row.held for row in rows(clinic, outcome="held", form="landing")} == {"form"}
    assert {row.held for row in rows(clinic, outcome="held", form="article")} == {"everywhere"}


def test_who_has_done_the_work_gets_the_other_half(clinic: Any) -> None:
    come(clinic, *crowd("victim", 10))
    clinic.tick()
    once = solved(clinic)
    come(clinic, "worker", payload=once)
    come(clinic, "copycat", payload=once)
    come(clinic, "faker", payload=once[:-8] + "AAAAAAAA")
    clinic.tick()
    come(clinic, "late-copy", payload=once)
    clinic.tick()
    assert written(clinic) == [*crowd("victim", 3), "worker"]
    assert [row.proof for row in rows(clinic)] == [""] * 14, "proofs are not kept"


def test_who_came_too_late_with_a_proof_waits_a_turn(clinic: Any) -> None:
    for number in range(NETWORK + 1):
        come(clinic, f"worker{number}", payload=solved(clinic))
    clinic.tick()
    assert written(clinic) == crowd("worker", NETWORK)
    clinic.clock.move(seconds=TURN.total_seconds() + 1)
    clinic.tick()
    assert len(written(clinic)) == NETWORK, "there is no room yet"
    clinic.clock.move(seconds=WINDOW.total_seconds())
    clinic.tick()
    assert written(clinic) == crowd("worker", NETWORK + 1)


def test_a_proof_is_asked_for_only_where_it_is_crowded(clinic: Any) -> None:
    guard, now = guard_from(clinic.services.config), clinic.clock.now
    here, there = Source("203.0.113.0/24", "landing"), Source("198.51.100.0/24", "landing")

    def asked(source: Source) -> bool:
        with store.reading(clinic.services.engine) as session:
            return asks(session, guard, source, now().real)

    assert not asked(here)
    come(clinic, *crowd("victim", 3))
    assert asked(here), "who still waits to be weighed counts as well"
    assert not asked(there)
    clinic.tick()
    assert asked(here)
    clinic.clock.move(seconds=WINDOW.total_seconds() + 1)
    assert not asked(here)


def test_a_marketer_lets_through_or_discards(clinic: Any) -> None:
    come(clinic, *crowd("victim", 9))
    come(clinic, *crowd("other", 9), ip="198.51.100.9")
    clinic.tick()
    begun = len(written(clinic))
    engine, real = clinic.services.engine, clinic.clock.now().real
    one = rows(clinic, outcome="held")[0]
    with store.writing(engine) as session:
        assert store.held.release(session, Pick(id=one.id), "pia@example.org") == 1
        assert store.held.discard(session, Pick(network="198.51.100.0/24"), "pia@example.org", real) == 6
        assert store.held.release(session, Pick(id=one.id), "pia@example.org") == 0
        assert store.held.count(session) == 5
    clinic.tick()
    assert written(clinic)[begun:] == [one.email_canonical.partition("@")[0]]
    come(clinic, "newcomer", ip="192.0.2.9")
    with store.writing(engine) as session:
        assert store.held.release(session, Pick(), "command") == 5
    clinic.tick()
    assert len(written(clinic)) == begun + 7, "what somebody let through takes nobody's place"
    assert {row.decided_by for row in rows(clinic, outcome="discarded")} == {"pia@example.org"}


def test_who_says_no_while_held_is_not_asked_once_let_through(clinic: Any) -> None:
    come(clinic, "anna", ip="198.51.100.7")
    clinic.tick()
    clinic.clock.move(days=1)
    come(clinic, *crowd("victim", 10), "anna")
    clinic.tick()
    assert "anna@example.org" in {row.email_canonical for row in rows(clinic, outcome="held")}
    before = written(clinic).count("anna")
    clinic.clock.move(minutes=1)
    assert clinic.act(leave, clinic.clock.now(), "one-click")
    with store.writing(clinic.services.engine) as session:
        store.held.release(session, Pick(), "pia@example.org")
    clinic.clock.move(hours=2)
    clinic.tick()
    assert [row.outcome for row in rows(clinic) if row.email_canonical == "anna@example.org"][-1] == "left since"
    assert written(clinic).count("anna") == before
    assert "victim9" in written(clinic), "the others are asked"


def test_held_ones_go_with_the_other_old_rows_and_networks_after_a_day(clinic: Any) -> None:
    come(clinic, *crowd("victim", 5))
    clinic.tick()
    assert {row.network for row in rows(clinic)} == {"203.0.113.0/24"}
    clinic.clock.move(seconds=timedelta(days=1, hours=2).total_seconds())
    clinic.tick()
    assert {(row.outcome, row.network) for row in rows(clinic)} == {("confirmation", ""), ("held", "203.0.113.0/24")}
    clinic.clock.move(seconds=PENDING_LIVES.total_seconds())
    clinic.tick()
    assert rows(clinic) == []
    with store.reading(clinic.services.engine) as session:
        assert session.query(store.proofs.SpentProof).all() == []


def test_an_address_gets_so_many_confirmations_a_day(clinic: Any) -> None:
    for number in range(6):
        come(clinic, "anna", ip=f"66.{number}.1.1")
        clinic.tick()
        clinic.clock.move(seconds=700)
    assert written(clinic) == ["anna"] * 3
    assert [row.outcome for row in rows(clinic)][3:] == ["confirmation cap"] * 3
    clinic.clock.move(seconds=86_400)
    come(clinic, "anna")
    clinic.tick()
    assert written(clinic) == ["anna"] * 4


def test_in_a_trial_who_is_here_is_never_held(clinic: Any) -> None:
    assert clinic.services.config.is_trial
    come(clinic, *crowd("local", 30), ip="127.0.0.1")
    clinic.tick()
    assert len(written(clinic)) == 30
    # Elsewhere it is a proxy that nobody told us to trust: no network, but the form and the whole count.
    config = replace(clinic.services.config, public_url="https://videos.example.org")
    clinic.services = replace(clinic.services, config=config)
    come(clinic, *crowd("proxied", 30), ip="127.0.0.1")
    clinic.tick()
    assert written(clinic)[30:] == crowd("proxied", FORM // 2)
