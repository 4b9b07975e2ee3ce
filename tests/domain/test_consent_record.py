"""The record's own words: purposes there and back, where somebody stood after each event, and addresses taken out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.consent import ALL, COURSE, Channel, ConsentKind, Purpose, read_purposes, standings, written
from leadmagnet.domain.redaction import INSTEAD, without_address
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.domain.tokens import token_id

REQUESTED, CONFIRMED, WITHDRAWN, STOPPED = ConsentKind
PENDING, ACTIVE, LEFT, BOUNCED, COMPLAINED = SubscriberStatus
NEWS, REMINDERS = frozenset({Purpose.NEWS}), frozenset({Purpose.REMINDERS})
FORM, LINK, PAGE = Channel.FORM, Channel.CONFIRMATION, Channel.OWN_PAGE


@given(st.frozensets(st.sampled_from(Purpose)))
def test_purposes_come_back(purposes: frozenset[Purpose]) -> None:
    assert read_purposes(written(purposes)) == purposes
    assert written(read_purposes(written(purposes))) == written(purposes)


def test_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="parties"):
        read_purposes("videos parties")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([(REQUESTED, COURSE, FORM), (CONFIRMED, COURSE, LINK)], [PENDING, ACTIVE]),
        ([(CONFIRMED, COURSE, LINK), (WITHDRAWN, REMINDERS, PAGE)], [ACTIVE, ACTIVE]),
        ([(CONFIRMED, COURSE, LINK), (CONFIRMED, NEWS, PAGE), (WITHDRAWN, COURSE, PAGE)], [ACTIVE, ACTIVE, ACTIVE]),
        ([(CONFIRMED, COURSE, LINK), (WITHDRAWN, ALL, Channel.ONE_CLICK)], [ACTIVE, LEFT]),
        (
            [(CONFIRMED, COURSE, LINK), (WITHDRAWN, ALL, Channel.ONE_CLICK), (CONFIRMED, ALL, LINK)],
            [ACTIVE, LEFT, ACTIVE],
        ),
        ([(CONFIRMED, COURSE, LINK), (STOPPED, ALL, Channel.BOUNCE)], [ACTIVE, BOUNCED]),
        (
            [(CONFIRMED, COURSE, LINK), (WITHDRAWN, ALL, Channel.COMPLAINT), (CONFIRMED, ALL, LINK)],
            [ACTIVE, COMPLAINED, COMPLAINED],
        ),
        ([(REQUESTED, COURSE, FORM), (WITHDRAWN, ALL, Channel.MAILTO)], [PENDING, LEFT]),
    ],
)
def test_standing_after_each_event(
    events: list[tuple[ConsentKind, frozenset[Purpose], str]], expected: list[SubscriberStatus]
) -> None:
    assert standings(events) == expected


@given(
    st.text(),
    st.text(),
    st.from_regex(r"[a-z+.]{1,12}@[a-z]{1,10}\.org", fullmatch=True),
    st.sampled_from([str.upper, str.title]),
)
def test_no_spelling_of_an_address_stays(before: str, after: str, address: str, spelled: object) -> None:
    text = f"{before}<{address}> {spelled(address)} {after}"  # type: ignore[operator]
    clean = without_address(text, address)
    assert address not in clean.lower()
    assert clean.count(INSTEAD) >= 2
    assert without_address(before, "") == before


def test_a_tokens_name_is_not_the_token() -> None:
    assert token_id("abc") == token_id("abc") != token_id("abd")
    assert len(token_id("abc")) == 32
    assert "abc" not in token_id("abc")
