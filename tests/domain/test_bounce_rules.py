"""What returned emails say of an address, when several say enough, and when sending must rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.bounces import SOFT_IN_A_ROW, Came, Fate, bounce_after, brake, soft_in_a_row
from leadmagnet.domain.signals import Signal, gravest
from leadmagnet.domain.status import SubscriberStatus


@pytest.mark.parametrize(
    ("said", "signal"),
    [
        (("5.1.1",), Signal.BOUNCED_HARD),
        (("5.1.2", ""), Signal.BOUNCED_HARD),
        (("5.1.7",), Signal.BLOCKED),
        (("5.1.8",), Signal.BLOCKED),
        (("5.2.1",), Signal.BOUNCED_HARD),
        (("5.2.2",), Signal.BOUNCED_SOFT),
        (("5.2.3",), Signal.BLOCKED),
        (("5.3.0",), Signal.BOUNCED_SOFT),
        (("5.3.4",), Signal.BLOCKED),
        (("5.4.4",), Signal.BOUNCED_HARD),
        (("5.4.6",), Signal.BOUNCED_SOFT),
        (("5.5.2",), Signal.BLOCKED),
        (("5.6.0",), Signal.BLOCKED),
        (("5.7.1",), Signal.BLOCKED),
        (("5.7.515",), Signal.BLOCKED),
        (("4.2.2",), Signal.BOUNCED_SOFT),
        (("4.7.0",), Signal.BOUNCED_SOFT),
        (("5.0.0",), Signal.BOUNCED_HARD),
        (("5.0.0", "500 unknown recipient"), Signal.BOUNCED_HARD),
        (("5.0.0", "552 mailbox is full"), Signal.BOUNCED_SOFT),
        (("5.0.0", "554 rejected"), Signal.BLOCKED),
        (("5.0.0", "550 5.2.2 over quota"), Signal.BOUNCED_SOFT),
        (("", "550 5.1.1. No such user"), Signal.BOUNCED_HARD),
        (("", "host 5.135.20.7 said no"), None),
        (("", ""), None),
        (("2.0.0",), None),
    ],
)
def test_codes(said: tuple[str, ...], signal: Signal | None) -> None:
    assert bounce_after(*said) is signal


@given(st.lists(st.text(max_size=40), max_size=3))
def test_any_words_are_read(said: list[str]) -> None:
    assert bounce_after(*said) in {None, Signal.BOUNCED_HARD, Signal.BOUNCED_SOFT, Signal.BLOCKED}


@pytest.mark.parametrize(
    ("newest_first", "count"),
    [
        ("", 0),
        ("sssss", 5),
        ("ssass", 2),
        ("asssss", 0),
        ("s.s.s", 3),
        ("tts", 1),
        ("ttsssts", 3),
        ("tttt", 0),
        (".....", 0),
    ],
)
def test_soft_bounces_in_a_row(newest_first: str, count: int) -> None:
    names = {"s": Fate.SOFT, "a": Fate.ARRIVED, "t": Fate.TAKEN, ".": Fate.SILENT}
    assert soft_in_a_row(names[sign] for sign in newest_first) == count
    assert SOFT_IN_A_ROW == 5


@pytest.mark.parametrize(
    ("came", "stops"),
    [
        (Came(10, 2, 0), False),
        (Came(2999, 3, 0), True),
        (Came(3000, 3, 0), False),
        (Came(100_000, 100, 0), False),
        (Came(100_000, 101, 0), True),
        (Came(10, 0, 19), False),
        (Came(399, 0, 20), True),
        (Came(400, 0, 20), False),
        (Came(0, 3, 0), True),
        (Came(0, 0, 0), False),
    ],
)
def test_the_brake(came: Came, stops: bool) -> None:
    assert (brake(came) is not None) == stops


def test_the_brake_says_why() -> None:
    assert brake(Came(2000, 4, 0)) == "4 of 2,000 emails (0.2%) of the last 24 hours were marked as spam."
    assert brake(Came(100, 0, 25)) == "25 of 100 emails (25%) of the last 24 hours went to addresses that do not exist."


@given(st.lists(st.sampled_from([*list(SubscriberStatus)[2:]]), min_size=1))
def test_the_gravest_fact_counts_whatever_came_first(facts: list[SubscriberStatus]) -> None:
    assert gravest(facts) is gravest(list(reversed(facts)))
