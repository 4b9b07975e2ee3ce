from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from leadmagnet.domain.zones import zone
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.slots import CONSTANT_SLOTS, KNOWN_SLOTS
from leadmagnet.rendering.values import Reader, values_for

MakeReader = Callable[..., Reader]


def test_every_slot_of_a_reader_has_a_value(reader: MakeReader, links: Links, now: datetime) -> None:
    assert values_for(reader(), links, now).keys() == KNOWN_SLOTS - CONSTANT_SLOTS


def test_words(reader: MakeReader, links: Links, now: datetime) -> None:
    values = values_for(reader(), links, now)
    assert values["comma_name"] == ", Anna"
    assert values["signed_up_on"] == "9 November 2026"
    assert values["video_length"] == "38 seconds"
    assert values["video_title"] == "Bird dog"
    assert values["exercise"] == "bird dog"
    assert values["video_number"] == values["strip_number"] == "4"
    assert values["days_phrase"] == "Monday, Wednesday and Friday"
    assert values["goal_phrase"] == "three sessions"
    assert values["weeks_phrase"] == "four good weeks"


def test_a_reader_without_a_name_is_greeted_without_one(reader: MakeReader, links: Links, now: datetime) -> None:
    assert values_for(reader(first_name=" "), links, now)["comma_name"] == ""


def test_somebody_imported_is_not_told_that_they_confirmed(reader: MakeReader, links: Links, now: datetime) -> None:
    assert values_for(reader(), links, now)["and_confirmed"] == " and confirmed your address"
    assert values_for(reader(confirmed=False), links, now)["and_confirmed"] == ""


@pytest.mark.parametrize(
    ("title", "after", "line"),
    [
        ("Side plank", timedelta(days=3), "Next, on Saturday: side plank."),
        ("Side plank", timedelta(days=6), "Next, on Tuesday: side plank."),
        ("Side plank", timedelta(days=10), "Next, on Saturday 28 November: side plank."),
        (None, timedelta(days=3), ""),
        ("Side plank", None, ""),
    ],
)
def test_next_line(
    reader: MakeReader, links: Links, now: datetime, title: str | None, after: timedelta | None, line: str
) -> None:
    someone = reader(next_title=title, next_at=None if after is None else now + after)
    assert values_for(someone, links, now)["next_line"] == line


def test_the_next_day_is_that_of_the_readers_zone(reader: MakeReader, links: Links) -> None:
    now = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    at = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # already Saturday in Auckland
    there = reader(timezone=zone("Pacific/Auckland"), next_title="Side plank", next_at=at)
    assert values_for(there, links, now)["next_line"] == "Next, on Saturday: side plank."


def test_links_carry_the_reader_and_the_step(reader: MakeReader, links: Links, now: datetime) -> None:
    values = values_for(reader(), links, now)
    assert values["done_url"] == links.done(7, 4)
    assert values["hurt_url"] == links.done(7, 4, felt="hurt")
    assert values["leave_url"] == links.leave("leave-me_7")
    assert values["confirm_url"] == links.confirm(7, now)


def test_without_a_step_the_links_lead_to_the_readers_page(reader: MakeReader, links: Links, now: datetime) -> None:
    values = values_for(reader(step_id=None, step_slug="", step_title="", film_seconds=None), links, now)
    assert {values[slot] for slot in ("video_url", "done_url", "hurt_url")} == {links.page(7)}
    assert values["exercise"] == "your exercise"


def test_no_value_holds_a_brace_or_a_line_break(reader: MakeReader, links: Links, now: datetime) -> None:
    # A provider that substitutes by itself may look at a value again.
    someone = reader(first_name="{{leave_url}}\n", step_title="{{x}}\r\ny", next_title="{{z}}\n", next_at=now)
    for value in values_for(someone, links, now).values():
        assert not set(value) & set("{}\r\n")
