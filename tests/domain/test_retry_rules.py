"""When a failed call is tried again, and when it is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.retry import LONGEST_RETRY_AFTER, MOST_ATTEMPTS, lease_end, retry_at

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
JITTER = st.floats(0, 1, exclude_max=True)


def wait(attempts: int, *, jitter: float = 0.5, retry_after: float | None = None) -> float:
    again = retry_at(attempts, NOW, jitter=jitter, retry_after=retry_after)
    assert again is not None
    return (again - NOW).total_seconds()


@given(JITTER)
def test_the_first_retry_comes_within_five_seconds(jitter: float) -> None:
    assert 1 < wait(1, jitter=jitter) < 5


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 3), (1, 3), (2, 6), (5, 48), (10, 1536), (11, 1800), (56, 1800)])
def test_each_wait_doubles_up_to_half_an_hour(attempts: int, seconds: float) -> None:
    assert wait(attempts) == seconds


@given(st.integers(1, MOST_ATTEMPTS - 1), JITTER)
def test_jitter_moves_a_wait_by_a_fifth_either_way(attempts: int, jitter: float) -> None:
    assert 0.8 * wait(attempts) - 0.001 <= wait(attempts, jitter=jitter) <= 1.2 * wait(attempts) + 0.001


def test_waves_are_broken_up() -> None:
    assert wait(8, jitter=0.1) < wait(8, jitter=0.9)


def test_it_gives_up_after_about_a_day() -> None:
    hours = sum(wait(attempts) for attempts in range(1, MOST_ATTEMPTS)) / 3600
    assert 23 < hours < 25
    for attempts in (MOST_ATTEMPTS, MOST_ATTEMPTS + 1, 10**9):
        assert retry_at(attempts, NOW) is None
    assert retry_at(MOST_ATTEMPTS, NOW, retry_after=60) is None


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, 3), (1, 3), (-60, 3), (120, 120), (10**12, LONGEST_RETRY_AFTER), (float("nan"), 3), (float("inf"), 3)],
)
def test_what_the_provider_asks_for_is_honoured_when_it_is_longer(asked: float | None, seconds: float) -> None:
    assert wait(1, retry_after=asked) == seconds


def test_a_lease_is_over_after_its_seconds() -> None:
    assert lease_end(NOW, 120) == NOW + timedelta(minutes=2)
