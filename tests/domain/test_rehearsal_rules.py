"""The rehearsal shows every email of somebody who never answers, with the rules of the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.rehearsal import Planned, rehearse
from leadmagnet.domain.schedule import Rhythm, parse_delay, parse_window
from leadmagnet.domain.sequence import Step
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.domain.zones import zone

ZURICH = zone("Europe/Zurich")
SHIPPED = Rhythm(9 * 60, parse_window("08:00-20:00"))
MON_WED_FRI = frozenset({0, 2, 4})
VIDEO, REMINDER, FINISHED = DeliveryKind.VIDEO, DeliveryKind.REMINDER, DeliveryKind.FINISHED


def steps(*delays: str, finished: str | None = "3 days") -> list[Step]:
    videos = [Step(n, f"video-{n}", n, VIDEO, parse_delay(delay)) for n, delay in enumerate(delays, 1)]
    end = [Step(99, "finished", 99, FINISHED, parse_delay(finished))] if finished else []
    return videos + end


SIX_VIDEOS = steps("at confirmation", *["3 days"] * 5)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH).astimezone(UTC)


def lines(planned: list[Planned]) -> list[str]:
    return [f"{one.at.astimezone(ZURICH):%a %d %b %H:%M} {one.kind} {one.step}" for one in planned]


def test_the_shipped_sequence_from_a_monday_morning_across_the_change_of_clocks() -> None:
    assert lines(rehearse(SIX_VIDEOS, SHIPPED, ZURICH, at("2026-03-16 07:12:30"), MON_WED_FRI)) == [
        "Mon 16 Mar 07:12 video video-1",
        "Wed 18 Mar 09:00 reminder video-1",
        "Thu 19 Mar 09:00 video video-2",
        "Fri 20 Mar 09:00 reminder video-2",
        "Sun 22 Mar 09:00 video video-3",
        "Mon 23 Mar 09:00 reminder video-3",
        "Wed 25 Mar 09:00 video video-4",
        "Sat 28 Mar 09:00 video video-5",
        "Mon 30 Mar 09:00 reminder video-5",  # three had no answer: weekly from here
        "Tue 31 Mar 09:00 video video-6",
        "Fri 03 Apr 09:00 finished finished",
        "Mon 06 Apr 09:00 reminder video-6",
        "Mon 13 Apr 09:00 reminder video-6",
        "Mon 20 Apr 09:00 reminder video-6",  # the last question, then silence
    ]


def test_every_email_says_why() -> None:
    planned = rehearse(SIX_VIDEOS, SHIPPED, ZURICH, at("2026-03-16 07:12"), MON_WED_FRI)
    reasons = [one.reason for one in planned]
    assert reasons[0] == "At confirmation, whatever the hour."
    assert reasons[1] == "An exercise day without a video."
    assert reasons[2] == "3 days after the previous email, at 09:00 local time."
    assert reasons[8] == "The reminders so far had no answer, so one a week goes out."
    assert reasons[-1].startswith("Still no answer: the last question")


def test_a_step_that_was_moved_says_so() -> None:
    weekdays = Rhythm(9 * 60, parse_window("08:00-20:00", range(5)))
    course = steps("at confirmation", "5 days", "30 hours", "48 hours", finished=None)
    planned = rehearse(course, weekdays, ZURICH, at("2026-06-01 10:00"), ())
    assert [(f"{one.at.astimezone(ZURICH):%a %H:%M}", one.reason) for one in planned[1:]] == [
        ("Mon 09:00", "5 days after the previous email, at 09:00 local time, moved to the next allowed day."),
        ("Tue 15:00", "30 hours after the previous email."),
        ("Thu 15:00", "48 hours after the previous email."),
    ]


def test_a_step_that_waits_for_20_hours_says_so() -> None:
    planned = rehearse(steps("at confirmation", "1 day", finished=None), SHIPPED, ZURICH, at("2026-06-01 22:30"), ())
    assert lines(planned)[1] == "Tue 02 Jun 18:30 video video-2"
    assert planned[1].reason == "1 day after the previous email, and not before 20 hours have passed."


def test_hours_after_video_1_may_end_on_its_day_and_later_ones_never() -> None:
    course = steps("at confirmation", "4 hours", "4 hours", finished=None)
    assert lines(rehearse(course, SHIPPED, ZURICH, at("2026-06-01 10:00"), ())) == [
        "Mon 01 Jun 10:00 video video-1",
        "Mon 01 Jun 14:00 video video-2",
        "Tue 02 Jun 08:00 video video-3",
    ]


@pytest.mark.parametrize("start", ["2026-06-01 08:59", "2026-06-01 09:00", "2026-06-01 22:00"])
def test_no_reminder_comes_on_the_day_of_video_1(start: str) -> None:
    planned = rehearse(SIX_VIDEOS, SHIPPED, ZURICH, at(start), MON_WED_FRI)
    assert next(line for line in lines(planned) if "reminder" in line).startswith("Wed 03 Jun 09:00")


def test_removed_steps_are_left_out_and_without_steps_nothing_comes() -> None:
    gone = [Step(1, "gone", 1, VIDEO, parse_delay("3 days"), removed=True)]
    assert rehearse(gone, SHIPPED, ZURICH, at("2026-06-01 10:00"), MON_WED_FRI) == []
    only_the_end = rehearse([*gone, *steps()], SHIPPED, ZURICH, at("2026-06-01 10:00"), MON_WED_FRI)
    assert [one.kind for one in only_the_end] == [FINISHED]


def test_reminders_end_some_days_after_the_last_email() -> None:
    planned = rehearse(SIX_VIDEOS, SHIPPED, ZURICH, at("2026-03-16 07:12"), MON_WED_FRI, reminder_until=10)
    assert lines(planned)[-1] == "Mon 13 Apr 09:00 reminder video-6"


def test_a_share_of_the_spread_moves_videos_and_reminders_alike() -> None:
    spread = Rhythm(9 * 60, parse_window("08:00-20:00"), 60)
    planned = rehearse(SIX_VIDEOS, spread, ZURICH, at("2026-03-16 07:12"), MON_WED_FRI, share=0.5)
    assert {f"{one.at.astimezone(ZURICH):%H:%M}" for one in planned[1:]} == {"09:30"}
    assert planned[2].reason == "3 days after the previous email, at 09:30 local time."


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["America/Vancouver", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Chatham"]),
    minutes=st.integers(0, 366 * 1440),
    delays=st.lists(st.sampled_from(["1 day", "2 days", "3 days", "7 days", "5 hours", "30 hours"]), max_size=6),
    days=st.frozensets(st.integers(0, 6)),
    hour=st.integers(0, 23),
)
def test_in_any_rehearsal_the_rules_hold(
    name: str, minutes: int, delays: list[str], days: frozenset[int], hour: int
) -> None:
    rhythm = Rhythm(hour * 60, parse_window("08:00-20:00"), chosen=True)
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    course = steps("at confirmation", *delays)
    planned = rehearse(course, rhythm, zone(name), start, days)
    assert [one.step for one in planned if one.kind is not REMINDER] == [step.slug for step in course]
    assert all(earlier.at < later.at for earlier, later in pairwise(planned))
    local = [one.at.astimezone(zone(name)).date() for one in planned]
    assert len(set(local[1:])) == len(local[1:])
    newest = ""
    for one, day in zip(planned, local, strict=True):
        if one.kind is VIDEO:
            newest = one.step
        elif one.kind is REMINDER:
            assert (one.step, day.weekday() in days, day != local[0]) == (newest, True, True)
    assert sum(one.kind is REMINDER for one in planned) <= 7
