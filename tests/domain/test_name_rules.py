"""First names: what is one, and what a link in one looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.names import LINK, NAME_LENGTH, BadName, parse_name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("", ""),
        (" Anna\t Maria ", "Anna Maria"),
        ("J. R.", "J. R."),
        ("O’Brien-Łukasz", "O’Brien-Łukasz"),
        ("李小龍", "李小龍"),
        ("می\u200cنا", "می\u200cنا"),
        ("ක්\u200dරිස්ටි", "ක්\u200dරිස්ටි"),
        ("\u200dAnna\u200c", "Anna"),
        ("\u200d", ""),
        ("x" * NAME_LENGTH, "x" * NAME_LENGTH),
    ],
)
def test_names_are_taken(typed: str, name: str) -> None:
    assert parse_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("http://evil", "without links"),
        ("visit evil.com", "without links"),
        ("www.evil", "without links"),
        ("evil。com", "without links"),
        ("evil/path", "without links"),
        ("anna@example.org", "without links"),
        ("St.John", "leave a space"),
        ("An\x07na", "nobody can see"),
        ("\u202eannA", "nobody can see"),
        ("Anna\u200b", "nobody can see"),
        ("x" * (NAME_LENGTH + 1), f"{NAME_LENGTH} letters"),
    ],
)
def test_what_is_no_name_is_refused_kindly(typed: str, words: str) -> None:
    with pytest.raises(BadName, match=words):
        parse_name(typed)


@given(st.text(max_size=60))
def test_what_is_taken_is_taken_again_and_is_no_link(typed: str) -> None:
    try:
        name = parse_name(typed)
    except BadName:
        return
    assert parse_name(name) == name
    assert len(name) <= NAME_LENGTH
    assert not LINK.search(name)
