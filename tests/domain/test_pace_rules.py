"""Somebody's own pace: half the delay or twice, in the course's unit, and never closer than emails may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.schedule import MINIMUM_GAP, Delay, DelayUnit, Rhythm, due_at, parse_delay, parse_window
from leadmagnet.domain.sequence import Pace, at_pace
from leadmagnet.domain.zones import zone

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("delay", "faster", "slower"),
    [
        ("at confirmation", "at confirmation", "at confirmation"),
        ("1 day", "1 day", "2 days"),
        ("2 days", "1 day", "4 days"),
        ("3 days", "2 days", "6 days"),
        ("7 days", "4 days", "14 days"),
        ("9999 days", "5000 days", "9999 days"),
        ("6 hours", "6 hours", "12 hours"),
        ("20 hours", "20 hours", "40 hours"),
        ("36 hours", "20 hours", "72 hours"),
        ("72 hours", "36 hours", "144 hours"),
    ],
)
def test_the_table(delay: str, faster: str, slower: str) -> None:
    usual = parse_delay(delay)
    assert at_pace(usual, Pace.USUAL) is usual
    assert at_pace(usual, Pace.FASTER) == parse_delay(faster)
    assert at_pace(usual, Pace.SLOWER) == parse_delay(slower)


DELAYS = st.builds(Delay, st.integers(1, 9_999), st.sampled_from([DelayUnit.DAYS, DelayUnit.HOURS]))


@given(DELAYS)
def test_faster_is_never_later_and_slower_never_sooner(delay: Delay) -> None:
    assert at_pace(delay, Pace.FASTER).amount <= delay.amount <= at_pace(delay, Pace.SLOWER).amount
    assert at_pace(delay, Pace.FASTER).unit is at_pace(delay, Pace.SLOWER).unit is delay.unit


@given(
    st.builds(Delay, st.integers(1, 30), st.just(DelayUnit.DAYS))
    | st.builds(Delay, st.integers(20, 200), st.just(DelayUnit.HOURS)),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes)),
    st.sampled_from(["Europe/Zurich", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]),
    st.integers(0, 23),
)
def test_at_the_faster_pace_twenty_hours_still_lie_between_two_emails(
    delay: Delay, previous: datetime, name: str, hour: int
) -> None:
    rhythm = Rhythm(hour * 60, parse_window("08:00-20:00"), chosen=True)
    due = due_at(previous, at_pace(delay, Pace.FASTER), rhythm, zone(name))
    assert due - previous >= MINIMUM_GAP
    assert due <= due_at(previous, delay, rhythm, zone(name))
