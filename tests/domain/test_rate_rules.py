"""How many emails may go out now: rate, cap, ramp."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.rates import Limits, Pace, carried, day_limit, ramp_today, room

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def pace(tokens: float = 0.0, sent: int = 0, began: date | None = None) -> Pace:
    return Pace(tokens, NOW, TODAY, sent, began)


def test_nothing_set_is_no_limit() -> None:
    assert not Limits(zone="Europe/Zurich")
    assert all((Limits(per_second=1.0), Limits(per_day=1), Limits(ramp=(1,))))
    assert room(pace(), Limits(), 1000, in_hand=10**6, answers=False) == 1000


@pytest.mark.parametrize(
    ("rate", "tokens", "seconds", "expected"),
    [
        (20, 0, 0.5, 10),
        (20, 15, 0.5, 20),  # one second's worth at most
        (20, 20, 3600, 20),
        (0.1, 0, 5, 0),
        (0.1, 0, 10, 1),  # a slow rate may save up one email
        (0.1, 0, 1000, 1),
        (20, -30, 1, 0),
        (20, 7, -60, 7),  # a clock that was set back
    ],
)
def test_tokens_come_in_with_time(rate: float, tokens: float, seconds: float, expected: int) -> None:
    limits = Limits(per_second=rate)
    later = carried(pace(tokens), limits, NOW + timedelta(seconds=seconds), TODAY)
    assert room(later, limits, 1000, in_hand=0, answers=False) == expected
    assert room(later, limits, 1000, in_hand=0, answers=True) == expected, "answers keep the rate, too"


@pytest.mark.parametrize(
    ("ramp", "begins", "began", "day", "expected"),
    [
        ((), None, None, 0, None),
        ((50, 100), None, None, 0, 50),
        ((50, 100), None, TODAY, 1, 100),
        ((50, 100), None, TODAY, 2, None),
        ((50, 100), TODAY, TODAY - timedelta(days=9), 0, 50),
        ((50, 100), TODAY, None, 1, 100),
        ((50, 100), TODAY + timedelta(days=3), None, 0, 50),
    ],
)
def test_the_ramp_by_day(
    ramp: tuple[int, ...], begins: date | None, began: date | None, day: int, expected: int | None
) -> None:
    limits = Limits(ramp=ramp, ramp_begins=begins)
    assert ramp_today(limits, began, TODAY + timedelta(days=day)) == expected


def test_the_smaller_bound_holds() -> None:
    assert day_limit(Limits(per_day=70, ramp=(50, 100)), TODAY, TODAY) == 50
    assert day_limit(Limits(per_day=70, ramp=(50, 100)), TODAY, TODAY + timedelta(days=1)) == 70
    assert day_limit(Limits(per_day=70), None, TODAY) == 70
    assert day_limit(Limits(per_second=1.0), None, TODAY) is None


def test_the_day_counts_what_is_in_hand_and_answers_do_not_wait() -> None:
    limits = Limits(per_day=100)
    assert room(pace(sent=60), limits, 1000, in_hand=30, answers=False) == 10
    assert room(pace(sent=60), limits, 1000, in_hand=50, answers=False) == 0
    assert room(pace(sent=200), limits, 7, in_hand=0, answers=True) == 7
    tomorrow = carried(pace(sent=100), limits, NOW + timedelta(days=1), TODAY + timedelta(days=1))
    assert room(tomorrow, limits, 1000, in_hand=0, answers=False) == 100


@given(
    rate=st.floats(0.01, 1000),
    claims=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 500)), min_size=1, max_size=40),
)
def test_the_rate_is_never_exceeded(rate: float, claims: list[tuple[float, int]]) -> None:
    """Over any time: no more than the rate times the seconds, and one second's worth (or one email) beforehand."""
    limits, standing, at, sent = Limits(per_second=rate), pace(1.0), NOW, 0
    for wait, wanted in claims:
        at += timedelta(seconds=wait)
        standing = carried(standing, limits, at, TODAY)
        taken = room(standing, limits, wanted, in_hand=0, answers=False)
        assert 0 <= taken <= wanted
        standing = Pace(standing.tokens - taken, at, TODAY)
        sent += taken
        assert sent <= rate * (at - NOW).total_seconds() + max(1.0, rate) + 1e-6
