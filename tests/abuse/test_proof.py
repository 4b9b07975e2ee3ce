"""Proofs of work: signed, for an hour, and whatever a stranger sends proves nothing."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from altcha import Challenge, Payload, Solution, solve_challenge
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.signup import proof

KEYS = (b"k" * 32,)
AT = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def solved() -> Payload:
    found = Challenge.from_dict(proof.challenge(KEYS, AT, cost=1))
    solution = solve_challenge(found)
    assert solution is not None
    assert proof.LEAST <= solution.counter < proof.MOST, "the work has an upper end"
    return Payload(found, solution)


def test_a_solved_challenge_proves(solved: Payload) -> None:
    assert proof.proves(KEYS, solved.to_base64(), AT) == solved.challenge.signature
    assert len(solved.to_base64()) <= proof.LONGEST


def test_a_new_key_reads_what_the_old_one_signed(solved: Payload) -> None:
    assert proof.proves((b"n" * 32, *KEYS), solved.to_base64(), AT)
    assert proof.proves((b"n" * 32,), solved.to_base64(), AT) is None


def test_a_challenge_lives_an_hour(solved: Payload) -> None:
    assert proof.proves(KEYS, solved.to_base64(), AT + proof.LIVES)
    assert proof.proves(KEYS, solved.to_base64(), AT + proof.LIVES + timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"data": {"until": 2**40}},
        {"data": None},
        {"data": {"until": "soon"}},
        {"cost": 2},
        {"keyPrefix": ""},
        {"keySignature": None},
        {"algorithm": "SHA-256"},
    ],
)
def test_a_challenge_that_was_changed_proves_nothing(solved: Payload, changes: dict[str, Any]) -> None:
    given = solved.to_dict()
    given["challenge"]["parameters"] |= changes
    assert proof.proves(KEYS, base64.b64encode(orjson.dumps(given)).decode(), AT) is None


@pytest.mark.parametrize("key", ["", "00" * 32, "zz", "0", None, 7])
def test_another_answer_proves_nothing(solved: Payload, key: Any) -> None:
    wrong = Payload(solved.challenge, Solution(1, key))
    assert proof.proves(KEYS, wrong.to_base64(), AT) is None


@settings(max_examples=60)
@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_nonsense_proves_nothing(text: str) -> None:
    assert proof.proves(KEYS, text, AT) is None


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(["algorithm", "nonce", "salt", "cost", "data", "keySignature"]), JSON), JSON, JSON
)
def test_nonsense_in_the_right_form_proves_nothing(parameters: dict[str, Any], signature: Any, key: Any) -> None:
    full = {"algorithm": "SHA-256", "nonce": "00", "salt": "00", "cost": 1, "data": {"until": 2**40}} | parameters
    made = {"challenge": {"parameters": full, "signature": signature}, "solution": {"counter": 0, "derivedKey": key}}
    assert proof.proves(KEYS, base64.b64encode(json.dumps(made).encode()).decode(), AT) is None
