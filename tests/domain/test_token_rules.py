"""A token opens one thing, for the keys we hold, in one spelling."""

from __future__ import annotations

import base64
import hashlib
import hmac
import string
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.tokens import BadToken, Purpose, read, sign

OLD, NEW, FOREIGN = b"old key", b"new key", b"foreign key"
NUMBERS = st.lists(st.integers(0, 2**63 - 1), max_size=3)
TOKEN = sign([NEW], Purpose.CONFIRM, 42)


@given(numbers=NUMBERS, purpose=st.sampled_from(Purpose))
def test_a_token_gives_back_its_numbers(numbers: list[int], purpose: Purpose) -> None:
    token = sign([NEW], purpose, *numbers)
    assert read([NEW], purpose, token, len(numbers)) == tuple(numbers)
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")


@given(key=st.binary(min_size=1, max_size=200), purpose=st.sampled_from(Purpose), number=st.integers(0, 2**63 - 1))
def test_the_signature_is_hmac_sha256(key: bytes, purpose: Purpose, number: int) -> None:
    raw = base64.urlsafe_b64decode(sign([key], purpose, number) + "==")
    said = purpose.value.encode() + b"\0" + struct.pack(">Q", number)
    assert raw[8:] == hmac.digest(key, said, hashlib.sha256)[:16]


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.CONFIRM])
def test_a_token_for_one_page_opens_no_other(purpose: Purpose) -> None:
    with pytest.raises(BadToken, match="signature"):
        read([NEW], purpose, TOKEN, 1)


@pytest.mark.parametrize(("keys", "opens"), [([NEW], True), ([OLD, NEW], True), ([NEW, OLD], True), ([FOREIGN], False)])
def test_any_key_we_hold_verifies(keys: list[bytes], opens: bool) -> None:
    if opens:
        assert read(keys, Purpose.CONFIRM, TOKEN, 1) == (42,)
    else:
        with pytest.raises(BadToken, match="signature"):
            read(keys, Purpose.CONFIRM, TOKEN, 1)


def test_the_first_key_signs_so_that_keys_can_rotate() -> None:
    before = sign([OLD], Purpose.PAGE, 7)
    rotated = sign([NEW, OLD], Purpose.PAGE, 7)
    assert read([NEW, OLD], Purpose.PAGE, before, 1) == (7,)
    assert read([NEW], Purpose.PAGE, rotated, 1) == (7,)
    with pytest.raises(BadToken):
        read([NEW], Purpose.PAGE, before, 1)


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_a_cut_token_opens_nothing(length: int) -> None:
    with pytest.raises(BadToken):
        read([NEW], Purpose.CONFIRM, TOKEN[:length], 1)


@pytest.mark.parametrize("count", [0, 2])
def test_a_token_with_another_count_of_numbers_opens_nothing(count: int) -> None:
    with pytest.raises(BadToken):
        read([NEW], Purpose.CONFIRM, TOKEN, count)


@pytest.mark.parametrize(
    "token", ["", "=", "not a token", TOKEN + "=", TOKEN + "AAAA", TOKEN + "\n", "é" * 32, "+/" * 16]
)
def test_what_is_no_token_opens_nothing(token: str) -> None:
    with pytest.raises(BadToken):
        read([NEW], Purpose.CONFIRM, token, 1)


@given(place=st.integers(0, len(TOKEN) - 1), digit=st.sampled_from(string.ascii_letters + string.digits + "-_"))
def test_a_token_changed_in_one_place_opens_nothing(place: int, digit: str) -> None:
    changed = TOKEN[:place] + digit + TOKEN[place + 1 :]
    if changed != TOKEN:
        with pytest.raises(BadToken):
            read([NEW], Purpose.CONFIRM, changed, 1)


def test_only_the_canonical_spelling_counts() -> None:
    # Two numbers leave spare bits in the last base64 digit: other digits there decode to the same bytes.
    token = sign([NEW], Purpose.VIDEO, 1, 2)
    raw = base64.urlsafe_b64decode(token + "=")
    digits = string.ascii_letters + string.digits + "-_"
    twins = [token[:-1] + digit for digit in digits if base64.urlsafe_b64decode(token[:-1] + digit + "=") == raw]
    assert len(twins) > 1
    for twin in twins:
        if twin != token:
            with pytest.raises(BadToken, match="canonical"):
                read([NEW], Purpose.VIDEO, twin, 2)
