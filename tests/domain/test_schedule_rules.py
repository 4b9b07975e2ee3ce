"""When an email is due, rule by rule, in tables."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain import schedule
from leadmagnet.domain.schedule import Delay, DelayUnit, Rhythm, Window, parse_delay, parse_window
from leadmagnet.domain.zones import zone

ZURICH = zone("Europe/Zurich")
MONDAY_TO_FRIDAY = frozenset(range(5))
#: What the shipped sequence has: 09:00 inside 08:00-20:00, every day.
SHIPPED = Rhythm(9 * 60, parse_window("08:00-20:00"))


def at(text: str) -> datetime:
    """Read "Mon 2026-06-01 09:00" as Zurich's local time and check the weekday."""
    local = datetime.fromisoformat(text[4:]).replace(tzinfo=ZURICH)
    assert local.strftime("%a") == text[:3], text
    return local.astimezone(UTC)


def rhythm(hour: str = "09:00", window: str = "08:00-20:00", days: Collection[int] = range(7), **more: int) -> Rhythm:
    chosen = bool(more.pop("chosen", 0))
    return Rhythm(schedule.parse_clock(hour), parse_window(window, days), chosen=chosen, **more)


@pytest.mark.parametrize("words", ["at confirmation", "1 hour", "36 hours", "1 day", "3 days", "9999 days"])
def test_a_delay_reads_back_what_it_writes(words: str) -> None:
    assert parse_delay(words).words() == words


@given(amount=st.integers(1, 9999), unit=st.sampled_from([DelayUnit.HOURS, DelayUnit.DAYS]))
def test_every_delay_reads_back(amount: int, unit: DelayUnit) -> None:
    assert parse_delay(Delay(amount, unit).words()) == Delay(amount, unit)


@pytest.mark.parametrize(("text", "words"), [(" 3  DAYS ", "3 days"), ("1 days", "1 day"), ("12hours", "12 hours")])
def test_a_delay_is_read_kindly(text: str, words: str) -> None:
    assert parse_delay(text).words() == words


@pytest.mark.parametrize("text", ["", "3", "days", "0 days", "-1 days", "1.5 days", "3 weeks", "99999 days", "३ days"])
def test_a_delay_that_cannot_be_read_says_what_can(text: str) -> None:
    with pytest.raises(ValueError, match=r"'3 days'|1 to 9999"):
        parse_delay(text)


def test_at_confirmation_has_no_amount() -> None:
    with pytest.raises(ValueError, match="1 to 9999"):
        Delay(2, DelayUnit.AT_ONCE)


@pytest.mark.parametrize("text", ["", "08:00", "20:00-08:00", "08:00-08:00", "08:00-24:01", "8-20", "08:60-20:00"])
def test_a_window_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"window|time of day"):
        parse_window(text)


@pytest.mark.parametrize("weekdays", [[], [7], [-1, 2]])
def test_a_window_needs_weekdays_that_exist(weekdays: list[int]) -> None:
    with pytest.raises(ValueError, match="weekday"):
        parse_window("08:00-20:00", weekdays)


def test_a_window_may_be_the_whole_day() -> None:
    assert parse_window(" 00:00 - 24:00 ") == Window(0, 1440)
    assert schedule.clock_words(1439) == "23:59"


@pytest.mark.parametrize("hour", ["07:59", "20:00"])
def test_the_preferred_time_lies_inside_the_window(hour: str) -> None:
    with pytest.raises(ValueError, match="outside the window"):
        rhythm(hour)


@pytest.mark.parametrize(("minute", "spread"), [(-1, 0), (1440, 0), (600, -1)])
def test_a_rhythm_that_cannot_be_is_refused(minute: int, spread: int) -> None:
    with pytest.raises(ValueError, match=r"preferred time|spread"):
        Rhythm(minute, Window(0, 1440), spread, chosen=True)


@pytest.mark.parametrize(
    ("hour", "effective"),
    [("09:00", "08:00-20:00"), ("06:00", "06:00-20:00"), ("19:30", "08:00-20:30"), ("22:00", "08:00-23:00"),
     ("23:30", "08:00-24:00")],
)  # fmt: skip
def test_an_hour_the_subscriber_chose_beats_the_window(hour: str, effective: str) -> None:
    assert rhythm(hour, chosen=1).effective == parse_window(effective)


@pytest.mark.parametrize(
    ("share", "spread", "hour", "minute"),
    [(0.0, 60, "09:00", 540), (0.5, 60, "09:00", 570), (0.999, 60, "09:00", 599), (0.5, 0, "09:00", 540),
     (0.5, 240, "19:00", 1170), (0.999, 240, "19:00", 1199),
     (1.0, 240, "19:00", 1199)],
)  # fmt: skip
def test_the_spread_moves_by_a_share_and_stays_inside_the_window(
    share: float, spread: int, hour: str, minute: int
) -> None:
    assert rhythm(hour, spread_minutes=spread).minute(share) == minute


def test_a_share_is_fixed_for_a_key_and_shares_are_even() -> None:
    assert schedule.spread_share("subscriber 1") == 0.7899054444712058  # noted from another run
    shares = sorted(schedule.spread_share(f"subscriber {number}") for number in range(4000))
    assert shares[0] >= 0
    assert shares[-1] < 1
    for quarter in (1, 2, 3):
        assert abs(shares[quarter * 1000] - quarter / 4) < 0.03


@pytest.mark.parametrize(
    ("previous", "delay", "given", "expected"),
    [
        # Days are local calendar days, at the preferred hour.
        ("Mon 2026-06-01 09:00:05", "3 days", rhythm(), "Thu 2026-06-04 09:00"),
        ("Mon 2026-06-01 14:17", "3 days", rhythm(), "Thu 2026-06-04 09:00"),
        ("Mon 2026-06-01 23:59", "1 day", rhythm(), "Tue 2026-06-02 19:59"),  # 20 hours later, still inside
        ("Tue 2026-06-02 00:01", "1 day", rhythm(), "Wed 2026-06-03 09:00"),
        # Across the nights when clocks change the hour on the clock stays.
        ("Fri 2026-03-27 09:00", "3 days", rhythm(), "Mon 2026-03-30 09:00"),
        ("Fri 2026-10-23 09:00", "3 days", rhythm(), "Mon 2026-10-26 09:00"),
        # Forward to the first allowed weekday.
        ("Wed 2026-06-03 09:00", "3 days", rhythm(days=MONDAY_TO_FRIDAY), "Mon 2026-06-08 09:00"),
        ("Wed 2026-06-03 09:00", "1 day", rhythm(days={2}), "Wed 2026-06-10 09:00"),
        # Never less than 20 hours after the previous.
        ("Mon 2026-06-01 19:00", "1 day", rhythm(), "Tue 2026-06-02 15:00"),
        ("Mon 2026-06-01 13:00", "1 day", rhythm(), "Tue 2026-06-02 09:00"),
        ("Mon 2026-06-01 13:01", "1 day", rhythm(), "Tue 2026-06-02 09:01"),
        # Too late for that day's window: the next allowed day, at the preferred hour again.
        ("Mon 2026-06-01 23:00", "1 day", rhythm(window="08:00-12:00"), "Wed 2026-06-03 09:00"),
        ("Fri 2026-06-05 23:00", "3 days", rhythm(days={0}), "Mon 2026-06-08 09:00"),
        ("Sun 2026-06-07 23:00", "1 day", rhythm(window="08:00-12:00", days={0}), "Mon 2026-06-15 09:00"),
        # Hours are elapsed time, then the first instant inside the window.
        ("Mon 2026-06-01 09:00", "36 hours", rhythm(), "Wed 2026-06-03 08:00"),
        ("Mon 2026-06-01 09:00", "30 hours", rhythm(), "Tue 2026-06-02 15:00"),
        ("Mon 2026-06-01 09:00", "47 hours", rhythm(), "Wed 2026-06-03 08:00"),
        ("Sat 2026-03-28 21:00", "12 hours", rhythm(), "Sun 2026-03-29 10:00"),  # 12 hours on a short night
        ("Fri 2026-06-05 09:00", "24 hours", rhythm(days=MONDAY_TO_FRIDAY), "Mon 2026-06-08 08:00"),
        ("Mon 2026-06-01 09:00", "6 hours", rhythm(), "Tue 2026-06-02 08:00"),  # one a local day
        # An hour the subscriber chose.
        ("Mon 2026-06-01 22:00", "1 day", rhythm("22:00", chosen=1), "Tue 2026-06-02 22:00"),
        ("Mon 2026-06-01 22:00", "3 days", rhythm("06:00", chosen=1), "Thu 2026-06-04 06:00"),
        # At once means at once, whatever the hour.
        ("Mon 2026-06-01 03:12", "at confirmation", rhythm(), "Mon 2026-06-01 03:12"),
    ],
)
def test_a_step_is_due(previous: str, delay: str, given: Rhythm, expected: str) -> None:
    assert schedule.due_at(at(previous), parse_delay(delay), given, ZURICH) == at(expected)


def test_days_with_an_email_are_left_free() -> None:
    taken = [date(2026, 6, 4), date(2026, 6, 5)]
    for delay, expected in (("3 days", "Sat 2026-06-06 09:00"), ("72 hours", "Sat 2026-06-06 08:00")):
        assert schedule.due_at(at("Mon 2026-06-01 09:00"), parse_delay(delay), SHIPPED, ZURICH, taken=taken) == at(
            expected
        )


def test_hours_after_video_1_may_end_on_the_same_day_because_it_is_exempt() -> None:
    confirmed = at("Mon 2026-06-01 09:00")
    due = schedule.due_at(confirmed, parse_delay("6 hours"), SHIPPED, ZURICH, previous_counts=False)
    assert due == at("Mon 2026-06-01 15:00")


def test_a_share_spreads_both_the_preferred_hour_and_the_opening() -> None:
    spread = rhythm(spread_minutes=60)
    for delay, expected in (("3 days", "Thu 2026-06-04 09:30"), ("61 hours", "Thu 2026-06-04 08:30")):
        due = schedule.due_at(at("Mon 2026-06-01 15:00"), parse_delay(delay), spread, ZURICH, share=0.5)
        assert due == at(expected)
    # What is due inside the window is spread already, by when people signed up.
    assert schedule.due_at(at("Mon 2026-06-01 15:00"), parse_delay("24 hours"), spread, ZURICH, share=0.5) == at(
        "Tue 2026-06-02 15:00"
    )


def test_a_previous_instant_in_another_zone_is_the_same_instant() -> None:
    eastern = timezone(timedelta(hours=-5))
    previous = at("Sat 2026-03-28 21:00")
    for delay in ("12 hours", "1 day", "at confirmation"):
        expected = schedule.due_at(previous, parse_delay(delay), SHIPPED, ZURICH)
        for local in (previous.astimezone(eastern), previous.astimezone(ZURICH)):
            assert schedule.due_at(local, parse_delay(delay), SHIPPED, ZURICH) == expected


@pytest.mark.parametrize("delay", ["at confirmation", "3 hours", "3 days"])
def test_a_naive_previous_instant_is_refused(delay: str) -> None:
    with pytest.raises(ValueError, match="aware"):
        schedule.due_at(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), parse_delay(delay), SHIPPED, ZURICH)


def test_a_day_that_never_was_is_passed_over() -> None:
    apia = zone("Pacific/Apia")
    previous = schedule.to_utc(date(2011, 12, 28), 540, apia)
    for whole_day in (SHIPPED, Rhythm(540, Window(0, 1440))):
        due = schedule.due_at(previous, parse_delay("2 days"), whole_day, apia)
        assert due == schedule.to_utc(date(2011, 12, 31), 540, apia)
