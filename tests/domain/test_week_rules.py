"""Streaks count weeks with enough sessions and forgive rest days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.weeks import Week, good_run, weeks

MONDAY = date(2026, 6, 1)


def days(*offsets: int) -> list[date]:
    """Return days counted from a Monday; 0 to 6 are its week."""
    return [MONDAY + timedelta(days=offset) for offset in offsets]


@pytest.mark.parametrize(
    ("check_ins", "today", "run"),
    [
        ([], 0, 0),
        ([0, 2, 4], 6, 1),  # three sessions, four rest days
        ([0, 0, 0], 6, 0),  # one day counts once
        ([-7, -5, -3], 0, 1),  # this week has not begun: nothing is broken
        ([-7, -5, -3], 6, 1),  # nor on its last day
        ([-7, -5, -3, 0, 1], 6, 1),  # unfinished, neither broken nor counted
        ([-7, -5, -3, 0, 1, 2], 2, 2),  # good already on Wednesday
        ([-14, -12, -10, 0, 1, 2], 6, 1),  # a week without in between
        ([-14, -12, -10], 0, 0),
        ([-21, -20, -19, -14, -12, -10, -7, -5, -3, 6], 6, 3),
    ],
)
def test_a_good_run_counts_weeks(check_ins: list[int], today: int, run: int) -> None:
    assert good_run(days(*check_ins), 3, days(today)[0]) == run


@pytest.mark.parametrize("goal", [0, -1])
def test_a_week_without_a_session_is_never_good_even_with_no_goal(goal: int) -> None:
    assert good_run([], goal, MONDAY) == 0
    assert good_run(days(-7, 0), goal, MONDAY) == 2


def test_weeks_are_listed_oldest_first_and_end_with_this_one() -> None:
    assert weeks(days(-7, -7, -5, 0, -70), 2, days(3)[0], back=3) == [
        Week(days(-14)[0], 0, 2),
        Week(days(-7)[0], 2, 2),
        Week(MONDAY, 1, 2),
    ]
    assert [week.good for week in weeks(days(-7, -5), 2, MONDAY)] == [False] * 4 + [True, False]
    assert weeks([], 2, MONDAY, back=0) == []


@given(st.sets(st.integers(-70, 6)), st.integers(0, 6), st.integers(1, 4))
def test_the_run_is_the_good_weeks_at_the_end_of_the_list(check_ins: set[int], today: int, goal: int) -> None:
    listed = weeks(days(*check_ins), goal, days(today)[0], back=12)
    if not listed[-1].good:
        listed.pop()
    run = 0
    while listed and listed.pop().good:
        run += 1
    assert good_run(days(*check_ins), goal, days(today)[0]) == run
