"""Opening, closing and exercise days, on ordinary days and on the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.schedule import Rhythm, Window, closes_at, inside, next_on_days, opens_at, parse_window, to_utc
from leadmagnet.domain.zones import zone

ZURICH = zone("Europe/Zurich")
WEEKDAYS = Rhythm(540, parse_window("08:00-20:00", range(5)))


def at(text: str, name: str = "Europe/Zurich") -> datetime:
    """Read a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone(name)).astimezone(UTC)


@pytest.mark.parametrize(
    ("instant", "opening"),
    [
        ("2026-06-01 07:59:59", "2026-06-01 08:00"),
        ("2026-06-01 08:00", "2026-06-01 08:00"),
        ("2026-06-01 12:34:56.789", "2026-06-01 12:34:56.789"),
        ("2026-06-01 19:59:59", "2026-06-01 19:59:59"),
        ("2026-06-01 20:00", "2026-06-02 08:00"),
        ("2026-06-05 20:00", "2026-06-08 08:00"),  # Friday night
        ("2026-06-06 12:00", "2026-06-08 08:00"),  # Saturday
    ],
)
def test_an_overdue_email_goes_at_the_first_instant_inside_the_window(instant: str, opening: str) -> None:
    assert opens_at(at(instant), WEEKDAYS, ZURICH) == at(opening)
    assert inside(at(instant), WEEKDAYS, ZURICH) == (instant == opening or at(instant) == at(opening))


def test_taken_days_stay_closed() -> None:
    taken = {date(2026, 6, 1), date(2026, 6, 2)}
    assert opens_at(at("2026-06-01 12:00"), WEEKDAYS, ZURICH, taken=taken) == at("2026-06-03 08:00")


def test_a_day_closes_at_the_end_of_its_effective_window() -> None:
    assert closes_at(at("2026-06-01 09:00"), WEEKDAYS, ZURICH) == at("2026-06-01 20:00")
    chosen = Rhythm(22 * 60, parse_window("08:00-20:00"), chosen=True)
    assert closes_at(at("2026-06-01 22:00"), chosen, ZURICH) == at("2026-06-01 23:00")
    whole = Rhythm(540, Window(0, 1440))
    assert closes_at(at("2026-06-01 09:00"), whole, ZURICH) == at("2026-06-02 00:00")
    # On weekdays that are not allowed, too: an exercise day may be one.
    assert closes_at(at("2026-06-06 09:00"), WEEKDAYS, ZURICH) == at("2026-06-06 20:00")
    apia = zone("Pacific/Apia")
    assert closes_at(to_utc(date(2011, 12, 29), 540, apia), whole, apia) == to_utc(date(2011, 12, 31), 0, apia)


def test_a_window_that_the_spring_gap_swallows_opens_right_after_it() -> None:
    night = Rhythm(150, parse_window("02:00-03:00"))
    opening = at("2026-03-29 03:00")
    assert opens_at(at("2026-03-29 01:00"), night, ZURICH) == opening
    assert closes_at(opening, night, ZURICH) == at("2026-03-29 04:00")
    assert inside(opening, night, ZURICH)


def test_a_window_opens_again_when_clocks_go_back_to_before_its_opening() -> None:
    night = Rhythm(150, parse_window("02:30-04:00"))
    second_pass = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert not inside(second_pass, night, ZURICH)
    assert opens_at(second_pass, night, ZURICH) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_window_that_has_closed_stays_closed_when_clocks_go_back() -> None:
    night = Rhythm(150, parse_window("01:00-02:45"))
    second_pass = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert opens_at(second_pass, night, ZURICH) == at("2026-10-26 01:00")


#: Clocks in these zones change between 22:00 and 04:00 only, so the windows below are whole on every day.
QUIET = st.tuples(st.integers(4 * 60, 21 * 60), st.integers(1, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["Europe/Zurich", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]),
    hours=QUIET,
    weekdays=st.frozensets(st.integers(0, 6), min_size=2),
    minutes=st.integers(0, 366 * 1440),
)
def test_nothing_inside_the_window_lies_before_the_opening(
    name: str, hours: tuple[int, int], weekdays: frozenset[int], minutes: int
) -> None:
    rhythm = Rhythm(hours[0], Window(*hours, weekdays))
    instant = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = opens_at(instant, rhythm, zone(name))
    while instant < found:  # brute force, minute by minute
        wall = instant.astimezone(zone(name))
        assert not (hours[0] <= wall.hour * 60 + wall.minute < hours[1] and wall.weekday() in weekdays)
        instant += timedelta(minutes=1)
    wall = found.astimezone(zone(name))
    assert hours[0] <= wall.hour * 60 + wall.minute < hours[1]
    assert wall.weekday() in weekdays


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-06-01 08:59:59", "2026-06-01 09:00"),  # Monday
        ("2026-06-01 09:00", "2026-06-03 09:00"),  # strictly later
        ("2026-06-05 09:00", "2026-06-08 09:00"),
        ("2026-03-27 09:00", "2026-03-30 09:00"),  # over the spring night
    ],
)
def test_exercise_days_come_at_the_same_local_time(after: str, expected: str) -> None:
    assert next_on_days(at(after), frozenset({0, 2, 4}), 540, ZURICH) == at(expected)


def test_one_exercise_day_a_week_comes_a_week_later() -> None:
    assert next_on_days(at("2026-06-01 09:00"), {0}, 540, ZURICH) == at("2026-06-08 09:00")


def test_an_exercise_day_that_never_was_is_passed_over() -> None:
    apia = zone("Pacific/Apia")
    friday = to_utc(date(2011, 12, 29), 540, apia)  # the 30th, a Friday, was skipped
    assert next_on_days(friday, {4}, 540, apia) == to_utc(date(2012, 1, 6), 540, apia)


@pytest.mark.parametrize("days", [set(), {7}, {-1}])
def test_exercise_days_must_exist(days: set[int]) -> None:
    with pytest.raises(ValueError, match="weekday"):
        next_on_days(at("2026-06-01 09:00"), days, 540, ZURICH)
