"""The headers that mailbox providers read: one-click leaving, list identity, feedback, a stable Message-ID.

Values are ASCII on one line; folding is the mailer's business. Must not know: how a message is built or sent.
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from urllib.parse import quote, urlsplit

from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.values import Reader

#: Mail that people subscribe to and can leave. The others answer something the person has just done.
LISTED = frozenset({DeliveryKind.VIDEO, DeliveryKind.FINISHED, DeliveryKind.REMINDER})


def headers_for(reader: Reader, clinic: Clinic, links: Links, public_id: str) -> dict[str, str]:
    """Return the headers of one letter, beyond those that every email has."""
    headers = {"Auto-Submitted": "auto-generated", "X-Leadmagnet-Delivery": _opaque(public_id)}
    if reader.kind in LISTED:
        headers |= {
            "List-Unsubscribe": _ways_out(reader, clinic, links),
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Id": _list_id(reader, links),
            "Feedback-ID": _feedback_id(reader, clinic),
        }
    return headers


def message_id(public_id: str, clinic: Clinic) -> str:
    """Return the Message-ID of a delivery. A letter sent once more has the same one, so mailboxes can show it once."""
    return f"<{_opaque(public_id)}@{_domain(clinic)}>"


def _opaque(public_id: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", public_id):
        raise ValueError("a delivery's public id is made of letters, digits, dots and dashes")
    return public_id


def _domain(clinic: Clinic) -> str:
    domain = parseaddr(clinic.mail_from)[1].rpartition("@")[2]
    return domain.encode("idna").decode().lower() or "localhost"


def _ways_out(reader: Reader, clinic: Clinic, links: Links) -> str:
    ways = [f"<{links.leave(reader.leave_id)}>"]
    address = parseaddr(clinic.unsubscribe_mailto)[1]
    if "@" in address:
        # The stored id, not the address: what arrives may come from another mailbox of the same person.
        ways.append(f"<mailto:{quote(address, safe='@+')}?subject={quote(f'unsubscribe {reader.leave_id}', safe='')}>")
    return ", ".join(ways)


def _list_id(reader: Reader, links: Links) -> str:
    name = re.sub(r"[^A-Za-z0-9 -]+", "", reader.sequence_title).strip()
    host = urlsplit(links.public_url).hostname or "localhost"
    return f"{name} <{_label(reader.sequence_slug)}.{host}>".strip()


def _feedback_id(reader: Reader, clinic: Clinic) -> str:
    """Four fields that add up over many people, never one person: kind, sequence, step, sender."""
    sender = re.sub(r"[^a-z0-9]", "", _domain(clinic))[:15]
    fields = (reader.kind.value, reader.sequence_slug, reader.step_slug or "none")
    return ":".join([*(_label(field) for field in fields), sender if len(sender) >= 5 else f"{sender}mailer"])


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower())[:40] or "none"
