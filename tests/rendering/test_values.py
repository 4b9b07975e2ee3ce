from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from leadmagnet.domain.zones import zone
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.slots import CONSTANT_SLOTS, KNOWN_SLOTS
from leadmagnet.rendering.values import Reader, Values

MakeReader = Callable[..., Reader]


def test_every_slot_of_a_reader_has_a_value(reader: MakeReader, links: Links, now: datetime) -> None:
    assert Values(links, now).of(reader()).keys() == KNOWN_SLOTS - CONSTANT_SLOTS


def test_words(reader: MakeReader, links: Links, now: datetime) -> None:
    values = Values(links, now).of(reader())
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
    assert Values(links, now).of(reader(first_name=" "))["comma_name"] == ""


def test_somebody_imported_is_not_told_that_they_confirmed(reader: MakeReader, links: Links, now: datetime) -> None:
    assert Values(links, now).of(reader())["and_confirmed"] == " and confirmed your address"
    assert Values(links, now).of(reader(confirmed=False))["and_confirmed"] == ""


@pytest.mark.parametrize(
    ("days", "line"),
    [
        (3, "Next, on Saturday: side plank."),
        (6, "Next, on Tuesday: side plank."),
        (10, "Next, on Saturday 28 November: side plank."),
        (None, ""),
    ],
)
def test_next_line(reader: MakeReader, links: Links, now: datetime, days: int | None, line: str) -> None:
    someone = reader(following=("Side plank", now + timedelta(days=days)) if days else None)
    assert Values(links, now).of(someone)["next_line"] == line


def test_the_next_day_is_that_of_the_readers_zone(reader: MakeReader, links: Links) -> None:
    now = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    at = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # already Saturday in Auckland
    there = reader(timezone=zone("Pacific/Auckland"), following=("Side plank", at))
    assert Values(links, now).of(there)["next_line"] == "Next, on Saturday: side plank."


def test_links_carry_the_reader_and_the_step(reader: MakeReader, links: Links, now: datetime) -> None:
    values = Values(links, now).of(reader())
    assert values["done_url"] == links.done(7, 4)
    assert values["hurt_url"] == links.done(7, 4, felt="hurt")
    assert values["leave_url"] == links.leave("leave-me_7")
    assert values["confirm_url"] == links.confirm(7, now)


def test_without_a_step_the_links_lead_to_the_readers_page(reader: MakeReader, links: Links, now: datetime) -> None:
    values = Values(links, now).of(reader(step_id=None, step_slug="", step_title="", film_seconds=None))
    assert {values[slot] for slot in ("video_url", "done_url", "hurt_url")} == {links.page(7)}
    assert values["exercise"] == "your exercise"


def test_no_value_holds_a_brace_or_a_line_break(reader: MakeReader, links: Links, now: datetime) -> None:
    # A provider that substitutes by itself may look at a value again.
    someone = reader(first_name="{{leave_url}}\n", step_title="{{x}}\r\ny", following=("{{z}}\n", now))
    for value in Values(links, now).of(someone).values():
        assert not set(value) & set("{}\r\n")
