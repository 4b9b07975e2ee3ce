"""The Mann-Whitney test itself: figures worked out by hand, and that it finds a difference where there is one."""

from __future__ import annotations

import random

import pytest

from tests.abuse.ranks import mann_whitney


@pytest.mark.parametrize(
    ("one", "other", "u", "p"),
    [
        # No ties: sigma^2 = 4*4*9/12 = 12; |16 - 8| - 0.5 = 7.5; z = 2.165
        ([5, 6, 7, 8], [1, 2, 3, 4], 16, 0.0304),
        ([1, 2, 3, 4], [5, 6, 7, 8], 0, 0.0304),
        # Ranks 1, 3, 3, 5 against 3, 6, 7.5, 7.5; ties 3^3-3 + 2^3-2 = 30; sigma^2 = 16/12 * (9 - 30/56) = 11.286;
        # U = 12 - 10 = 2; |2 - 8| - 0.5 = 5.5; z = 1.637
        ([1, 2, 2, 3], [2, 4, 5, 5], 2, 0.1016),
        ([7, 7], [7, 7], 2, 1.0),
    ],
)
def test_by_hand(one: list[float], other: list[float], u: float, p: float) -> None:
    assert mann_whitney(one, other) == (u, pytest.approx(p, abs=5e-5))


def test_a_tenth_of_the_spread_is_found_in_a_thousand_values_and_chance_is_not() -> None:
    dice = random.Random(7)
    noise = [[dice.gauss(10, 1) for _ in range(1000)] for _ in range(200)]
    chance = sum(mann_whitney(noise[at], noise[at + 1])[1] < 0.05 for at in range(0, 200, 2))
    assert 0 < chance < 12, "about five in a hundred, at five in a hundred"
    assert mann_whitney([value + 0.2 for value in noise[0]], noise[1])[1] < 0.001
