"""SendGrid's Event Webhook: a batch of events, as its JSON array says it -> our vocabulary.

Fields and kinds that nobody has told us of are kept as they are. Must not know: HTTP, signatures, the ledger.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from leadmagnet.domain.bounces import bounce_after
from leadmagnet.domain.signals import Signal
from leadmagnet.mail.headers import without_addresses

#: SendGrid documents at most 100 characters for sg_event_id.
MOST_ID = 100
#: Longer values are cut in what we keep of an event.
MOST_DETAIL = 300
MOST_RAW = 8_000

_SIMPLE: Mapping[str, Signal] = {
    "processed": Signal.ACCEPTED,
    "deferred": Signal.DEFERRED,
    "delivered": Signal.DELIVERED,
    "click": Signal.CLICKED,
    "spamreport": Signal.COMPLAINED,
    "unsubscribe": Signal.UNSUBSCRIBED,
    "group_unsubscribe": Signal.UNSUBSCRIBED,
}
#: bounce_classification, by the documented list of SendGrid's suppressions.
_CLASSES: Mapping[str, Signal] = {
    "invalid address": Signal.BOUNCED_HARD,
    "mailbox unavailable": Signal.BOUNCED_SOFT,
    "content": Signal.BLOCKED,
    "frequency or volume too high": Signal.BLOCKED,
    "reputation": Signal.BLOCKED,
    "technical failure": Signal.BLOCKED,
}
#: What the reasons of a drop begin with.
_DROPS: tuple[tuple[str, Signal], ...] = (
    ("bounced", Signal.DROPPED_BOUNCED),
    ("invalid", Signal.DROPPED_BOUNCED),
    ("unsubscribed", Signal.DROPPED_UNSUBSCRIBED),
    ("spam reporting", Signal.DROPPED_COMPLAINED),
)
#: Who somebody is and where they sit stays with the provider; the address is kept apart until the event is applied.
_PERSONAL = frozenset({"email", "ip"})


_DETAILS = ("reason", "response", "status", "url")


_BEGINNING = datetime.fromtimestamp(0, UTC)


class Event(NamedTuple):
    """One event. `at` is the provider's own time, `delivery_id` is ours where the event carries it, else ""."""

    id: str
    at: datetime
    signal: Signal
    delivery_id: str
    email: str
    detail: str
    raw: str


class BadEvents(ValueError):
    """The body is no batch of events."""


def check_batch(body: bytes) -> list[dict[str, Any]]:
    """Return the objects of a webhook body. Raises BadEvents where it is no JSON array of objects."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = _lenient(body)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadEvents("the body is no array of events")
    return found


def _lenient(body: bytes) -> Any:
    """Read what is JSON for others: halves of characters and numbers without bounds. One odd event costs no batch."""
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
        return orjson.loads(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise BadEvents("the body is no JSON") from error


def read_events(body: bytes) -> list[Event]:
    """Return the events of a webhook body. Raises BadEvents where it is no JSON array of objects."""
    return [_event(one) for one in check_batch(body)]


def _event(one: dict[str, Any]) -> Event:
    named = _text(one, "sg_event_id")
    kept = {name: value for name, value in one.items() if name not in _PERSONAL}
    email = _text(one, "email").strip().lower()
    raw = _dumped(kept).decode()
    # Mail servers repeat the address in their words.
    if email and email in raw.lower():
        raw = re.sub(re.escape(email), "(address)", raw, flags=re.IGNORECASE)
    return Event(
        named if 0 < len(named) <= MOST_ID else _identity(one),
        _instant(one.get("timestamp")),
        signal_of(one),
        _text(one, "lm_delivery")[:64],
        email[:320],
        _detail(one),
        raw[:MOST_RAW],
    )


def _detail(one: Mapping[str, Any]) -> str:
    for key in _DETAILS:
        if key in one and (found := _text(one, key)):
            return without_addresses(found) if "@" in found else found[:MOST_DETAIL]
    return ""


def _dumped(one: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(one, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # more levels than it writes, though it reads them
        flat = {name: value if not isinstance(value, dict | list) else "nested too deep" for name, value in one.items()}
        return orjson.dumps(flat, option=orjson.OPT_SORT_KEYS)


def _identity(one: Mapping[str, Any]) -> str:
    """Return an id for an event without one: two are the same event where all of their fields are the same."""
    return hashlib.sha256(_dumped(one)).hexdigest()


def signal_of(one: Mapping[str, Any]) -> Signal:
    """Return what an event means, in our words; OTHER for what we do not know."""
    kind = _text(one, "event").lower()
    if (simple := _SIMPLE.get(kind)) is not None:
        return simple
    if kind == "bounce":
        return _bounce(one)
    if kind == "dropped":
        reason = _text(one, "reason").lower()
        return next((signal for words, signal in _DROPS if reason.startswith(words)), Signal.DROPPED)
    if kind == "open":
        machine = one.get("sg_machine_open")
        if isinstance(machine, bool):
            return Signal.OPENED_MACHINE if machine else Signal.OPENED_HUMAN
        return Signal.OPENED_UNKNOWN
    return Signal.OTHER


def _bounce(one: Mapping[str, Any]) -> Signal:
    """Tell hard from soft from blocked.

    SendGrid's own class goes first; else the enhanced status. A bounce that says nothing more is one for good: SendGrid
    puts such addresses on its list itself.
    """
    if _text(one, "type").lower() == "blocked":
        return Signal.BLOCKED
    if (known := _CLASSES.get(_text(one, "bounce_classification").lower())) is not None:
        return known
    if _text(one, "type").lower() == "expired":
        return Signal.BOUNCED_SOFT
    return bounce_after(_text(one, "status"), _text(one, "reason")) or Signal.BOUNCED_HARD


def _text(one: Mapping[str, Any], key: str) -> str:
    value = one.get(key)
    if not isinstance(value, str):
        return ""
    # PostgreSQL stores no NUL; nothing of value has one.
    return value.replace("\0", "") if "\0" in value else value


def _instant(value: object) -> datetime:
    """Return a Unix time as an instant; the beginning of time where there is none that a calendar knows."""
    if not isinstance(value, (int, float)):
        return _BEGINNING
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return _BEGINNING
