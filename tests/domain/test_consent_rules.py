"""What was agreed to is what all the events add up to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.consent import ConsentKind, Purpose, granted, wording_id

COURSE = frozenset({Purpose.VIDEOS, Purpose.REMINDERS})
NEWS = frozenset({Purpose.NEWS})
REMINDERS = frozenset({Purpose.REMINDERS})
ALL, NONE = COURSE | NEWS, frozenset[Purpose]()
REQUESTED, CONFIRMED, WITHDRAWN, STOPPED = ConsentKind


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], NONE),
        ([(REQUESTED, ALL)], NONE),
        ([(REQUESTED, COURSE), (CONFIRMED, COURSE)], COURSE),
        ([(CONFIRMED, COURSE)], COURSE),  # an import carries its own basis
        ([(CONFIRMED, COURSE), (REQUESTED, NEWS)], COURSE),
        ([(CONFIRMED, COURSE), (CONFIRMED, NEWS)], ALL),
        ([(CONFIRMED, ALL), (WITHDRAWN, REMINDERS)], ALL - REMINDERS),
        ([(CONFIRMED, ALL), (WITHDRAWN, ALL)], NONE),
        ([(CONFIRMED, ALL), (WITHDRAWN, ALL), (REQUESTED, ALL)], NONE),  # back, not yet confirmed
        ([(CONFIRMED, ALL), (WITHDRAWN, ALL), (REQUESTED, COURSE), (CONFIRMED, COURSE)], COURSE),
        ([(WITHDRAWN, ALL), (CONFIRMED, COURSE)], COURSE),
    ],
)
def test_events_add_up_in_order(
    events: list[tuple[ConsentKind, frozenset[Purpose]]], expected: frozenset[Purpose]
) -> None:
    assert granted(events) == expected


EVENTS = st.lists(st.tuples(st.sampled_from(ConsentKind), st.frozensets(st.sampled_from(Purpose))))


@given(EVENTS, st.frozensets(st.sampled_from(Purpose)))
def test_requests_change_nothing_and_a_withdrawal_always_takes(
    events: list[tuple[ConsentKind, frozenset[Purpose]]], purposes: frozenset[Purpose]
) -> None:
    assert granted([*events, (REQUESTED, purposes)]) == granted(events)
    assert not granted([*events, (WITHDRAWN, purposes)]) & purposes
    assert granted(event for event in events if event[0] is not REQUESTED) == granted(events)


def test_a_wording_has_the_same_id_for_ever() -> None:
    assert wording_id("I agree.", "en") == "a8b5d514196582fc"  # noted from another run


@pytest.mark.parametrize("text", ["I agree to é.", "  I agree\n  to é. ", "I agree to e\u0301.", "I\u00a0agree to é."])
def test_what_nobody_can_see_makes_no_other_wording(text: str) -> None:
    assert wording_id(text, "en") == wording_id("I agree to é.", "EN ")


@pytest.mark.parametrize(
    ("text", "language"), [("I agree to e.", "en"), ("i agree to é.", "en"), ("I agree to é.", "fr")]
)
def test_what_anybody_can_see_makes_another_wording(text: str, language: str) -> None:
    assert wording_id(text, language) != wording_id("I agree to é.", "en")
