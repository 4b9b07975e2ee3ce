"""Failures in groups: the words of one kind, without a message's own numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.failures import may_pass, reason_of


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ("", ""),
        ("550 5.1.1 no such user", "550 5.1.1 no such user"),
        ("550 5.1.1 gone. d2e1a72fcca58-7b0 - gsmtp", "550 5.1.1 gone. … - gsmtp"),
        ("gave up: sendgrid: 503 away", "gave up: sendgrid: 503 away"),
        ("421 4.7.28 [192.0.2.17] too fast", "421 … [… ] too fast".replace("… ]", "…]").replace("421 …", "421 …")),
        ("31457280 octets; the server takes 10485760", "… octets; the server takes …"),
        ("450 4.2.0 <>: greylisted, see http://x.example/?id=77", "450 4.2.0 <>: greylisted, see …"),
        ("  two\n lines ", "two lines"),
    ],
)
def test_the_words_of_one_kind(detail: str, reason: str) -> None:
    assert reason_of(detail) == reason


@given(st.text(max_size=400))
def test_a_reason_is_its_own_reason_and_short(detail: str) -> None:
    once = reason_of(detail)
    assert len(once) <= 120
    assert reason_of(once) == once


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("gave up: sendgrid: not reached: refused", True),
        ("gave up: ", True),
        ("550 5.1.1 no such user", False),
        ("no answer known, again and again", False),
        ("400 Does not contain a valid address.", False),
    ],
)
def test_what_may_pass(detail: str, expected: bool) -> None:
    assert may_pass(detail) is expected
