"""Which step comes next, and what an edit does to whom."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.schedule import Delay, DelayUnit, parse_delay
from leadmagnet.domain.sequence import (
    Impact,
    Standing,
    Step,
    ahead,
    day_number,
    delay_before,
    edit_impact,
    in_order,
    next_step,
    resume_step,
)
from leadmagnet.domain.status import DeliveryKind

VIDEO, FINISHED = DeliveryKind.VIDEO, DeliveryKind.FINISHED


def sequence(order: str, removed: str = "") -> list[Step]:
    """Build steps from letters: "ABC" are three videos in that order, "Z" is the finished email. Ids are fixed."""
    return [
        Step(ord(letter), letter, place, FINISHED if letter == "Z" else VIDEO, parse_delay("3 days"), letter in removed)
        for place, letter in enumerate(order, 1)
    ]


def ids(letters: str) -> list[int]:
    return [ord(letter) for letter in letters]


@pytest.mark.parametrize(
    ("order", "removed", "sent", "expected"),
    [
        ("ABCZ", "", "", "A"),
        ("ABCZ", "", "A", "B"),
        ("ABCZ", "", "ABC", "Z"),
        ("ABCZ", "", "ABCZ", None),
        ("AXBC", "", "AB", "C"),  # inserted behind: not sent
        ("ABXC", "", "AB", "X"),  # inserted ahead: sent
        ("CABD", "", "ABC", "D"),  # the last one moved to the front: nothing comes twice
        ("CABD", "", "AB", "D"),  # moved behind: stays unsent
        ("ADBC", "", "AB", "C"),
        ("ACBD", "", "AB", "D"),
        ("ABCD", "C", "AB", "D"),  # removed ahead
        ("ABCD", "B", "AB", "C"),  # where a removed step stood still counts
        ("ABCD", "ABCD", "", None),
        ("ABCD", "A", "", "B"),
        ("ABC", "", "AQ", "B"),  # an id that is gone altogether
        ("ABC", "", "Q", "A"),
        ("ABC", "", "CAB", None),  # sent before, whatever the order says
        ("", "", "", None),
    ],
)
def test_the_next_step_is_the_first_unsent_one_ahead(order: str, removed: str, sent: str, expected: str | None) -> None:
    found = next_step(sequence(order, removed), ids(sent))
    assert (found.slug if found else None) == expected


def test_the_older_id_comes_first_where_two_steps_share_a_position() -> None:
    first, second = (Step(number, str(number), 1, VIDEO, parse_delay("1 day")) for number in (1, 2))
    assert in_order([second, first]) == [first, second]


@pytest.mark.parametrize(
    ("order", "sent", "expected"),
    [("ABCZ", "", "A"), ("ABCZ", "A", "B"), ("ABCZ", "ABC", "Z"), ("ABCZ", "ABCZ", None), ("ABZC", "AB", "C"),
     ("AXBC", "AB", "C")],
)  # fmt: skip
def test_who_comes_back_goes_on_at_the_first_unsent_video_ahead(order: str, sent: str, expected: str | None) -> None:
    found = resume_step(sequence(order), ids(sent))
    assert (found.slug if found else None) == expected


@pytest.mark.parametrize(
    ("own", "sent", "holds"),
    [
        ("at confirmation", "", "at confirmation"),
        ("3 days", "", "at confirmation"),  # whatever stands in front goes out at confirmation
        ("3 days", "A", "3 days"),
        ("6 hours", "A", "6 hours"),
        ("at confirmation", "A", "1 day"),  # moved further on: never a burst
    ],
)
def test_only_the_first_email_goes_out_at_confirmation(own: str, sent: str, holds: str) -> None:
    step = Step(1, "x", 1, VIDEO, parse_delay(own))
    assert delay_before(step, ids(sent)).words() == holds


def test_pages_show_the_day_of_the_course() -> None:
    delays = ["at confirmation", "3 days", "36 hours", "12 hours", "2 days"]
    steps = [Step(number, "x", number, VIDEO, parse_delay(delay)) for number, delay in enumerate(delays, 1)]
    assert day_number(steps) == {1: 1, 2: 4, 3: 5, 4: 6, 5: 8}
    gone = [Step(2, "x", 2, VIDEO, parse_delay("3 days"), removed=True)]
    assert day_number([*steps[:1], *gone, *steps[2:]]) == {1: 1, 3: 2, 4: 3, 5: 5}


STANDING: Mapping[Standing, int] = {
    Standing(()): 10,
    Standing(tuple(ids("A"))): 20,
    Standing(tuple(ids("AB"))): 30,
    Standing(tuple(ids("ABC")), finished=True): 40,
}


@pytest.mark.parametrize(
    ("after", "removed", "letter", "expected"),
    [
        ("ABC", "", "A", Impact(get=10, had=90)),
        ("ABC", "", "C", Impact(get=60, had=40)),
        ("AXBC", "", "X", Impact(get=30, skip=30, finished=40)),  # inserted behind 30 people
        ("ABCX", "", "X", Impact(get=60, finished=40)),  # appended: not to those who have finished
        ("ABC", "C", "C", Impact(skip=60, had=40)),  # removed
        ("CAB", "", "C", Impact(get=10, skip=50, had=40)),  # moved to the front
    ],
)
def test_the_marketer_sees_who_gets_and_who_skips_a_step(
    after: str, removed: str, letter: str, expected: Impact
) -> None:
    assert edit_impact(sequence("ABC"), sequence(after, removed), STANDING)[ord(letter)] == expected


def test_an_appended_step_reaches_people_who_have_finished_when_the_marketer_says_so() -> None:
    impact = edit_impact(sequence("ABC"), sequence("ABCX"), STANDING, reach_finished=True)
    assert impact[ord("X")] == Impact(get=100)
    # One inserted behind them still does not: people only move forward.
    impact = edit_impact(sequence("ABC"), sequence("AXBC"), STANDING, reach_finished=True)
    assert impact[ord("X")] == Impact(get=30, skip=30, finished=40)


def test_steps_that_were_removed_long_ago_are_no_longer_shown() -> None:
    assert set(edit_impact(sequence("ABC", "B"), sequence("ABC", "B"), STANDING)) == {ord("A"), ord("C")}


LETTERS = st.permutations("ABCDEF").flatmap(lambda order: st.integers(1, 6).map(lambda size: "".join(order[:size])))


@settings(max_examples=300, deadline=None)
@given(orders=st.lists(st.tuples(LETTERS, st.text("ABCDEF", max_size=2)), min_size=1, max_size=12))
def test_nobody_gets_a_step_twice_whatever_is_edited_between_two_emails(orders: list[tuple[str, str]]) -> None:
    sent: list[int] = []
    for order, removed in orders:
        steps = sequence(order, removed)
        step = next_step(steps, sent)
        if step is None:
            continue
        assert step.id not in sent
        assert not step.removed
        places = {other.id: other.position for other in steps}
        if sent and sent[-1] in places:
            assert step.position > places[sent[-1]]
        sent.append(step.id)


@settings(max_examples=200, deadline=None)
@given(
    before=LETTERS,
    after=LETTERS,
    removed=st.text("ABCDEF", max_size=2),
    groups=st.dictionaries(
        st.builds(Standing, st.lists(st.sampled_from(ids("ABCDEF")), unique=True).map(tuple), st.booleans()),
        st.integers(1, 1000),
    ),
)
def test_the_counts_add_up_and_say_what_then_happens(
    before: str, after: str, removed: str, groups: dict[Standing, int]
) -> None:
    steps = sequence(after, removed)
    impact = edit_impact(sequence(before), steps, groups)
    for one in impact.values():
        assert one.get + one.skip + one.finished + one.had == sum(groups.values())
    got = dict.fromkeys(impact, 0)
    for group, people in groups.items():
        sent = list(group.sent)
        while not group.finished and (step := next_step(steps, sent)):
            got[step.id] += people
            sent.append(step.id)
    assert got == {step_id: one.get for step_id, one in impact.items()}


def test_what_lies_ahead_is_what_next_step_gives_one_by_one() -> None:
    steps, sent = sequence("ABCDZ", removed="C"), ids("A")
    assert [step.slug for step in ahead(steps, sent)] == ["B", "D", "Z"]
    assert Delay(0, DelayUnit.AT_ONCE) == delay_before(steps[0], [])
