"""Dates, hours and numbers in words."""

from datetime import date

import pytest

from leadmagnet.web import words


@pytest.mark.parametrize(
    ("count", "said"), [(0, "no"), (1, "one"), (16, "sixteen"), (20, "twenty"), (22, "twenty-two"), (100, "100")]
)
def test_numbers(count, said):
    assert words.number(count) == said


@pytest.mark.parametrize(
    ("minute", "said"),
    [
        (0, "midnight"),
        (540, "9 in the morning"),
        (720, "noon"),
        (780, "1 in the afternoon"),
        (1080, "6 in the evening"),
        (1380, "11 at night"),
        (570, "9:30"),
    ],
)
def test_hours(minute, said):
    assert words.hour(minute) == said


def test_days_and_weeks():
    day = date(2026, 11, 12)
    assert words.short_day(day) == "Thu 12 Nov"
    assert words.full_day(day) == "Thursday, 12 November"
    assert words.week(date(2026, 11, 9), date(2026, 11, 15)) == "9–15 Nov"
    assert words.week(date(2026, 11, 30), date(2026, 12, 6)) == "30 Nov–6 Dec"
    assert words.place("America/Argentina/Buenos_Aires") == "Buenos Aires"
    assert words.count(1, "day") == "one day"
    assert words.capital("iPad") == "IPad"
