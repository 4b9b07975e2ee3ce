"""A short fuzzing of every address; the long one is `make fuzz`. And what earlier ones found, each once more."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.asks import Ask, asks
from tests.fuzz.target import Target, complaints


@settings(max_examples=250, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_request_breaks_an_address_or_breaks_out_of_a_page(target: Target, data: st.DataObject) -> None:
    ask: Ask = data.draw(asks(target.ground()))
    assert complaints(ask, target.ask(ask)) == []


LONG = b"a" * 300


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (Ask("GET", b"/privacy", b"q=\x80"), 200),
        (Ask("GET", b"/privacy", b"q=\xc3\xbc&\xff=%ff"), 200),
        (Ask("GET", b"/nothing", b"\xed\xa0\x80"), 404),
        (Ask("POST", b"/signup", b"\x80", (("Content-Type", b"application/json"),), b"{}"), 400),
        (Ask("GET", b"/", headers=(("Host", b"A" * 5000),)), 400),
        (Ask("GET", b"/", headers=(("Host", b"a..b"),)), 400),
        (Ask("GET", b"/", headers=(("Host", LONG[:64] + b".example"),)), 400),
        (Ask("GET", b"/", headers=(("Host", b"\xfc.example"),)), 400),
        (Ask("GET", b"/", headers=(("Host", b"[::1"),)), 400),
        (Ask("GET", b"/healthz", headers=(("Host", b"a..b"),)), 200),
        (Ask("GET", b"/media/" + LONG), 404),
        (Ask("GET", b"/static/" + LONG + b".css"), 404),
        (Ask("GET", b"/media/a\0b.svg"), 404),
        (Ask("GET", b"/admin/static/" + LONG), 404),
        (Ask("GET", b"/outbox/" + LONG), 404),
        (Ask("GET", b"/outbox/" + LONG + b"/html"), 404),
        (Ask("GET", b"/outbox/", b"before=" + LONG), 200),
    ],
    ids=str,
)
def test_what_once_broke_a_page_is_answered(target: Target, ask: Ask, status: int) -> None:
    answer = target.ask(ask)
    assert answer.status == status
    assert complaints(ask, answer) == []
