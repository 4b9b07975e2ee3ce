"""Until when a break lasts: a date ahead, within a year, in one spelling."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.breaks import LONGEST, BadDay, parse_end

TODAY = date(2026, 3, 2)


@given(st.integers(1, LONGEST.days))
def test_any_day_ahead_within_a_year(ahead: int) -> None:
    day = TODAY + timedelta(days=ahead)
    assert parse_end(f" {day.isoformat()} ", TODAY) == day


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-03-02", "2026-03-01", "2027-03-04", "9999-12-31", "2026-02-30", "2026-13-01", "0000-00-00"),
        *(
            "14.3.2026",
            "03/14/2026",
            "2026-W12-1",
            "20260314",
            "2026-3-14",
            "tomorrow",
            "٢٠٢٦-٠٣-١٤",
            "2026-03-14T00:00",
        ),
    ],
)
def test_what_is_no_such_day_is_refused(text: str) -> None:
    with pytest.raises(BadDay):
        parse_end(text, TODAY)


@given(st.text(max_size=20))
def test_whatever_is_typed_there_is_a_day_ahead_or_a_refusal(text: str) -> None:
    with suppress(BadDay):
        assert TODAY < parse_end(text, TODAY) <= TODAY + LONGEST
