"""Links on request: how often, for whom, for how long, and what is left to take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.fresh_links import A_DAY, COOL_DOWN, FOR_WHOM, LIVES, PARTS, Opens, alive, may_ask, open_parts
from leadmagnet.domain.status import SubscriberStatus

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


def minutes_ago(*minutes: int) -> list[datetime]:
    return [NOW - timedelta(minutes=each) for each in minutes]


@pytest.mark.parametrize(
    ("before", "may"),
    [
        ([], True),
        ([0], False),
        ([9], False),
        ([10], True),
        ([10, 30, 60, 120], True),
        ([10, 30, 60, 120, 240], False),
        ([10, 30, 60, 120, 24 * 60], True),
    ],
)
def test_one_in_ten_minutes_and_five_a_day(before: list[int], may: bool) -> None:
    assert may_ask(minutes_ago(*before), NOW) is may


@given(st.lists(st.integers(0, 4 * 24 * 60), max_size=300))
def test_however_often_somebody_presses_no_day_brings_more_than_five(presses: list[int]) -> None:
    sent: list[datetime] = []
    for minute in sorted(presses):
        at = NOW + timedelta(minutes=minute)
        if may_ask(sent, at):
            sent.append(at)
    assert all(later - earlier >= COOL_DOWN for earlier, later in pairwise(sent))
    assert all(later - earlier >= timedelta(days=1) for earlier, later in zip(sent, sent[A_DAY:], strict=False))


@pytest.mark.parametrize(("age", "works"), [(0, True), (59, True), (60, True), (61, False), (24 * 60, False)])
def test_a_link_lives_for_an_hour(age: int, works: bool) -> None:
    assert timedelta(hours=1) == LIVES
    assert alive(NOW - timedelta(minutes=age), NOW) is works


def test_a_copy_can_be_taken_as_a_page_and_as_a_file_each_once() -> None:
    assert open_parts(Opens.DATA, [], void=False) == {"page", "file"}
    assert open_parts(Opens.DATA, ["file"], void=False) == {"page"}
    assert open_parts(Opens.DATA, ["file", "page"], void=False) == frozenset()


@pytest.mark.parametrize("opens", [each for each in Opens if each is not Opens.DATA])
def test_what_acts_works_once(opens: Opens) -> None:
    (part,) = PARTS[opens]
    assert open_parts(opens, [], void=False) == {part}
    assert open_parts(opens, [part], void=False) == frozenset()


@pytest.mark.parametrize("opens", Opens)
def test_a_void_link_gives_nothing(opens: Opens) -> None:
    assert open_parts(opens, [], void=True) == frozenset()


def test_who_complained_or_bounced_or_has_not_confirmed_is_written_to_for_nothing() -> None:
    everybody = frozenset().union(*FOR_WHOM.values())
    assert everybody == {SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED}
    for opens in (Opens.ADDRESS, Opens.NEW_ADDRESS):
        assert FOR_WHOM[opens] == {SubscriberStatus.ACTIVE}
