"""Caps: what is let through, what is held, and when a browser is asked for a proof of work."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.admission import Caps, Held, Source, Window, asks_proof, held_by, open_half
from leadmagnet.domain.roles import is_role

HERE = Source("203.0.113.0/24", "landing")
ELSEWHERE = Source("198.51.100.0/24", "article")
CAPS = Caps(network=10, form=40, everywhere=60)


def seen(source: Source, number: int, *more: Source) -> Window:
    window = Window()
    window.add(source, number)
    for other in more:
        window.add(other)
    return window


@pytest.mark.parametrize(
    ("window", "proven", "held"),
    [
        (seen(HERE, 0), False, None),
        (seen(HERE, 4), False, None),
        (seen(HERE, 5), False, Held.NETWORK),
        (seen(HERE, 5), True, None),
        (seen(HERE, 9), True, None),
        (seen(HERE, 10), True, Held.NETWORK),
        (seen(Source("1.2.3.0/24", "landing"), 20), False, Held.FORM),
        (seen(Source("1.2.3.0/24", "landing"), 39), True, None),
        (seen(Source("1.2.3.0/24", "landing"), 40), True, Held.FORM),
        (seen(ELSEWHERE, 30), False, Held.EVERYWHERE),
        (seen(ELSEWHERE, 59), True, None),
        (seen(ELSEWHERE, 60), True, Held.EVERYWHERE),
    ],
)
def test_half_of_a_cap_is_for_anybody_and_the_rest_for_who_has_worked(window: Window, proven: bool, held: Held) -> None:
    assert held_by(CAPS, window, HERE, proven=proven) is held


def test_a_network_nobody_knows_has_no_cap_of_its_own() -> None:
    unknown = Source("", "landing")
    assert held_by(CAPS, seen(unknown, 19), unknown, proven=False) is None
    assert held_by(CAPS, seen(unknown, 20), unknown, proven=False) is Held.FORM


def test_no_cap_holds_nobody() -> None:
    none = Caps(0, 0, 0, 0)
    assert held_by(none, seen(HERE, 10**6), HERE, proven=False) is None
    assert not asks_proof(none, seen(HERE, 10**6), HERE)


def test_a_proof_is_asked_for_only_near_a_cap() -> None:
    assert not asks_proof(CAPS, seen(HERE, 3), HERE)
    assert asks_proof(CAPS, seen(HERE, 4), HERE)
    assert not asks_proof(CAPS, seen(HERE, 10), ELSEWHERE)
    assert asks_proof(CAPS, seen(Source("", "article"), 16), ELSEWHERE)


@settings(max_examples=50)
@given(
    st.builds(Caps, *[st.integers(1, 30)] * 3),
    st.lists(st.tuples(st.sampled_from([HERE, ELSEWHERE, Source("", "landing")]), st.booleans()), max_size=120),
)
def test_whatever_comes_no_cap_is_passed_and_near_ones_are_announced(
    caps: Caps, comes: list[tuple[Source, bool]]
) -> None:
    window, open_ones = Window(), Window()
    for source, proven in comes:
        held = held_by(caps, window, source, proven=proven)
        if held is None:
            window.add(source)
            open_ones.add(source, not proven)
        elif not proven:
            assert asks_proof(caps, window, source), "held for want of a proof that nobody asked for"
    assert window.everywhere <= caps.everywhere
    assert open_ones.everywhere <= open_half(caps.everywhere)
    assert all(number <= caps.form for number in window.forms.values())
    assert all(number <= caps.network for name, number in window.networks.items() if name)


@pytest.mark.parametrize("address", ["info@example.org", "no-reply@example.org", "sales+core@example.org"])
def test_addresses_of_a_role(address: str) -> None:
    assert is_role(address)


@pytest.mark.parametrize("address", ["anna@example.org", "information@example.org", "anna.info@example.org"])
def test_addresses_of_a_person(address: str) -> None:
    assert not is_role(address)
