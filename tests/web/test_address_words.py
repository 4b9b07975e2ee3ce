"""What is said of an address that cannot be one: the word that fits, in a form and in an import alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.signup.addresses import BadAddress, parse_address


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Please write your address"),
        ("anna.example.org", "An address has one @"),
        ("anna@home@example.org", "more than one @"),
        ("ännä@example.org", "plain letters"),
        ("anna@localhost", "with a dot"),
        ("anna@", "with a dot"),
        ("anna@[127.0.0.1]", "with a dot"),
        ("@example.org", "before the @"),
        ('"anna b"@example.org', "quotation marks"),
        ('"a@b"@example.org', "quotation marks"),
        ("Anna <anna@example.org>", "without a name"),
        ("an na@example.org", "no spaces"),
        ("anna@exam ple.org", "no spaces"),
        ("an,na@example.org", "can’t have , before"),
        (".anna@example.org", "Before the @ there is a dot too many"),
        ("an..na@example.org", "Before the @ there is a dot too many"),
        ("anna@example..org", "After the @ there is a dot too many"),
        ("anna@example.org.", "After the @ there is a dot too many"),
        ("anna@clinic.local", "No mail can reach"),
        ("anna@-example.org", "No mail can reach"),
        ("anna@exa_mple.org", "No mail can reach"),
        ("a" * 65 + "@example.org", "longer than 64"),
        ("ü" + "a" * 70 + "@example.org", "plain letters"),
    ],
)
def test_the_word_fits_the_mistake(typed: str, words: str) -> None:
    with pytest.raises(BadAddress, match=words):
        parse_address(typed)


@pytest.mark.parametrize("typed", ["a" * 64 + "@example.org", "anna@zürich.example", " Anna+news@Example.ORG "])
def test_what_is_unusual_is_taken(typed: str) -> None:
    assert parse_address(typed).canonical.isascii()


@given(st.text(alphabet='ab@."<> ü-[];1', max_size=20) | st.emails())
def test_there_is_always_a_word_or_an_address(typed: str) -> None:
    try:
        found = parse_address(typed)
    except BadAddress as error:
        assert str(error).endswith((".", "?"))
        return
    assert found.canonical.count("@") == 1
