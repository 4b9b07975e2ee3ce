"""SendGrid's event kinds in our words, and bodies that are no batch."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.signals import Signal
from leadmagnet.mail.sendgrid_events import BadEvents, read_events, signal_of


@pytest.mark.parametrize(
    ("event", "signal"),
    [
        ({"event": "processed"}, Signal.ACCEPTED),
        ({"event": "deferred", "response": "450 busy"}, Signal.DEFERRED),
        ({"event": "delivered"}, Signal.DELIVERED),
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, Signal.BOUNCED_HARD),
        ({"event": "bounce", "type": "bounce"}, Signal.BOUNCED_HARD),
        ({"event": "bounce", "type": "bounce", "status": "5.2.2"}, Signal.BOUNCED_SOFT),
        ({"event": "bounce", "status": "4.4.1"}, Signal.BOUNCED_SOFT),
        ({"event": "bounce", "type": "expired", "status": "5.0.0"}, Signal.BOUNCED_SOFT),
        ({"event": "bounce", "status": "5.7.1"}, Signal.BLOCKED),
        ({"event": "bounce", "type": "blocked", "bounce_classification": "Invalid Address"}, Signal.BLOCKED),
        ({"event": "bounce", "bounce_classification": "Invalid Address", "status": "4.0.0"}, Signal.BOUNCED_HARD),
        ({"event": "bounce", "bounce_classification": "Mailbox Unavailable", "status": "5.1.1"}, Signal.BOUNCED_SOFT),
        ({"event": "bounce", "bounce_classification": "Reputation"}, Signal.BLOCKED),
        ({"event": "bounce", "bounce_classification": "Unclassified", "status": "5.0.0"}, Signal.BOUNCED_HARD),
        ({"event": "dropped", "reason": "Bounced Address"}, Signal.DROPPED_BOUNCED),
        ({"event": "dropped", "reason": "Invalid"}, Signal.DROPPED_BOUNCED),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, Signal.DROPPED_UNSUBSCRIBED),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, Signal.DROPPED_COMPLAINED),
        ({"event": "dropped", "reason": "Spam Content"}, Signal.DROPPED),
        ({"event": "open"}, Signal.OPENED_UNKNOWN),
        ({"event": "open", "sg_machine_open": True}, Signal.OPENED_MACHINE),
        ({"event": "open", "sg_machine_open": False}, Signal.OPENED_HUMAN),
        ({"event": "click", "url": "https://x"}, Signal.CLICKED),
        ({"event": "spamreport"}, Signal.COMPLAINED),
        ({"event": "unsubscribe"}, Signal.UNSUBSCRIBED),
        ({"event": "group_unsubscribe"}, Signal.UNSUBSCRIBED),
        ({"event": "group_resubscribe"}, Signal.OTHER),
        ({"event": "account_status_change", "type": "compliance_suspend"}, Signal.OTHER),
        ({"event": 5}, Signal.OTHER),
        ({}, Signal.OTHER),
    ],
)
def test_kinds(event: dict[str, object], signal: Signal) -> None:
    assert signal_of(event) is signal


def test_an_event_is_kept_without_the_person() -> None:
    sample = {
        "email": "Anna@Example.org", "ip": "203.0.113.9", "timestamp": 1513299569, "event": "delivered",
        "sg_event_id": "rWVY", "lm_delivery": "d1", "response": "250 OK", "new_field": {"a": [1]},
    }  # fmt: skip
    (event,) = read_events(orjson.dumps([sample]))
    assert (event.id, event.delivery_id, event.email) == ("rWVY", "d1", "anna@example.org")
    assert event.at == datetime(2017, 12, 15, 0, 59, 29, tzinfo=UTC)
    assert event.detail == "250 OK"
    assert "anna" not in event.raw.lower()
    assert "203.0.113.9" not in event.raw
    assert orjson.loads(event.raw)["new_field"] == {"a": [1]}


def test_what_a_server_says_is_kept_without_the_address() -> None:
    reason = "550 5.1.1 <Anna+x@Example.org>: there is no Anna+X@example.org here"
    (event,) = read_events(orjson.dumps([{"event": "bounce", "email": "anna+x@example.org", "reason": reason}]))
    assert event.signal is Signal.BOUNCED_HARD
    assert event.detail.startswith("550 5.1.1")
    assert "example.org" not in (event.detail + event.raw).lower()


def test_events_without_an_id_are_told_apart_by_what_they_say() -> None:
    one, other = {"event": "open", "timestamp": 1}, {"event": "open", "timestamp": 2}
    first, second, third = read_events(orjson.dumps([one, other, one]))
    assert first.id == third.id != second.id
    (long,) = read_events(orjson.dumps([{"sg_event_id": "x" * 101}]))
    assert len(long.id) == 64


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'["x"]', b"[{]", b"\xff\xfe", b"null"])
def test_what_is_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(BadEvents):
        read_events(body)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(["event", "type", "status", "reason", "timestamp", "email", "sg_event_id", "lm_delivery"])


@given(st.lists(st.dictionaries(fields | st.text(), json, max_size=8), max_size=4))
def test_any_array_of_objects_is_read(events: list[dict[str, object]]) -> None:
    try:
        body = orjson.dumps(events)
    except TypeError:  # an integer beyond 64 bits, half a character: no JSON of orjson's
        return
    found = read_events(body)
    assert len(found) == len(events)
    for event in found:
        assert 0 < len(event.id) <= 100
        assert len(event.delivery_id) <= 64
        assert event.at.tzinfo is UTC


def test_one_odd_event_costs_no_batch() -> None:
    body = b'[{"event": "open", "sg_event_id": "a", "useragent": "\\ud800"}, {"event": "click", "n": 1e999}]'
    with pytest.raises(BadEvents):
        read_events(body)
    halves = b'[{"event": "open", "useragent": "\\ud800"}, {"event": "click", "n": 99999999999999999999}]'
    first, second = read_events(halves)
    assert (first.signal, second.signal) == (Signal.OPENED_UNKNOWN, Signal.CLICKED)
    deep = b'[{"event": "delivered", "kept": 1, "odd": ' + b"[" * 900 + b"]" * 900 + b"}]"
    (event,) = read_events(deep)
    assert orjson.loads(event.raw) == {"event": "delivered", "kept": 1, "odd": "nested too deep"}
    with pytest.raises(BadEvents):
        read_events(b"[" * 100_000)
