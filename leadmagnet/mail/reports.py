"""Emails that come back: delivery status notifications (RFC 3464), complaints in ARF (RFC 5965), and wishes to leave.

Anybody can write to a mailbox. So no address in such an email counts, only what nobody can guess: the delivery's id as
the returned headers carry it, the person's id as our List-Unsubscribe gave it. Must not know: the ledger, people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from leadmagnet.domain.bounces import bounce_after
from leadmagnet.domain.signals import Signal

#: What is read of an email. Ours have 100 KB at most, and what matters stands before them.
MOST_BYTES = 1_000_000
MOST_PARTS = 60
_ID = r"[A-Za-z0-9_-]{16,32}"
_DELIVERY = re.compile(rf"^X-Leadmagnet-Delivery:[ \t]*({_ID})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_MESSAGE_ID = re.compile(rf"<({_ID})@[^<>@\s]+>")
_WORD = re.compile(rf"(?<![A-Za-z0-9_-])({_ID})(?![A-Za-z0-9_-])")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "text/rfc822")
_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
#: RFC 3464 2.3.3; `failed` is told by its codes.
_ACTIONS = {"delayed": Signal.DEFERRED, "delivered": Signal.DELIVERED}
#: RFC 5965 7.3 and the registry of feedback types.
_FEEDBACK = {"abuse": Signal.COMPLAINED, "fraud": Signal.COMPLAINED, "opt-out": Signal.UNSUBSCRIBED}


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one delivery, as an email says it; `detail` is in the words of a server."""

    delivery_id: str
    signal: Signal
    detail: str


def parse(raw: bytes) -> Message | None:
    """Return an email, or as much of it as is read; None for what nests too deep to be one."""
    try:
        return message_from_bytes(raw[:MOST_BYTES])
    except RecursionError:
        return None


def read_report(message: Message) -> Report | None:
    """Return what an email reports of a delivery of ours; None where it is no report, or names none."""
    parts = list(_parts(message))
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            found = _status(part)
        elif kind == "message/feedback-report":
            found = _feedback(part)
        else:
            continue
        delivery_id = _delivery_id(parts)
        return Report(delivery_id, *found) if found and delivery_id else None
    return None


def leave_ids(message: Message, mailbox: str) -> list[str]:
    """Return what may be ids of people who wish to leave: in the subject, or after a plus in the address written to."""
    written_to = [address for name in _TO for address in _addresses(message, name)]
    return ids_in(_text(message, "Subject"), written_to, mailbox)


def ids_in(subject: str, written_to: list[str], mailbox: str) -> list[str]:
    """Return what may be ids of people in a subject, and in addresses like `mailbox` with an id after a plus."""
    local, _, domain = mailbox.lower().rpartition("@")
    found = _WORD.findall(subject)
    for address in written_to:
        name, _, host = address.rpartition("@")
        base, plus, tag = name.partition("+")
        if plus and (base.lower(), host.lower()) == (local, domain) and re.fullmatch(_ID, tag):
            found.append(tag)
    return list(dict.fromkeys(found))[:20]


def _parts(message: Message) -> Iterator[Message]:
    for count, part in enumerate(message.walk()):
        if count == MOST_PARTS:
            return
        yield part


def _status(part: Message) -> tuple[Signal, str] | None:
    """Return what the first recipient's fields say: an email of ours has one."""
    blocks = part.get_payload()
    if not isinstance(blocks, list):
        return None
    for block in blocks:
        if not isinstance(block, Message):
            continue
        action = _text(block, "Action").split(" ")[0].lower()
        if not action:
            continue
        status, said = _text(block, "Status"), _text(block, "Diagnostic-Code")
        said = said.partition(";")[2].strip() or said
        detail = said or status
        if action == "failed":
            return bounce_after(status, said) or Signal.BOUNCED_SOFT, detail
        return _ACTIONS.get(action, Signal.OTHER), detail
    return None


def _feedback(part: Message) -> tuple[Signal, str] | None:
    fields = part.get_payload()
    block = next(iter(fields), None) if isinstance(fields, list) else message_from_string(str(fields))
    if not isinstance(block, Message):
        return None
    kind = _text(block, "Feedback-Type").lower()
    return _FEEDBACK.get(kind, Signal.OTHER), kind


def _delivery_id(parts: list[Message]) -> str:
    """Return the id in the headers that came back with a report; "" where there is none."""
    for part in parts:
        if part.get_content_type() in _RETURNED:
            headers = _returned(part)
            if found := _DELIVERY.search(headers) or _MESSAGE_ID.search(headers):
                return found[1]
    # Some servers write the headers into their own text.
    for part in parts:
        if part.get_content_maintype() == "text" and (found := _DELIVERY.search(_content(part))):
            return found[1]
    return ""


def _returned(part: Message) -> str:
    """Return the header lines of a returned message, our two at least."""
    payload = part.get_payload()
    if isinstance(payload, list):
        inner = payload[0] if payload else None
        if not isinstance(inner, Message):
            return ""
        names = ("X-Leadmagnet-Delivery", "Message-ID")
        return "\n".join(f"{name}: {_text(inner, name)}" for name in names)
    return _content(part).partition("\n\n")[0]


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return text.replace("\r\n", "\n")


def _addresses(message: Message, name: str) -> list[str]:
    values = [str(value)[:4000] for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(values)][:50]


def _text(message: Message, name: str) -> str:
    """Return a header as one line of text, encoded words decoded; what cannot be decoded stays as it is."""
    value = str(message.get(name, ""))[:4000]
    try:
        text = str(make_header(decode_header(value))) if "=?" in value else value
    except (HeaderParseError, LookupError, ValueError):
        text = value
    return " ".join(text.replace("\0", " ").split())
