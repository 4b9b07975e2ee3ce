"""The headers that mailbox providers read: one-click leaving, list identity, feedback, a stable Message-ID.

Values are ASCII on one line; folding is the mailer's business. Must not know: how a message is built or sent.
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import quote, urlsplit

from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.values import Reader

_OPAQUE = re.compile(r"[A-Za-z0-9._-]{1,128}")
#: Mail that people subscribe to and can leave. The others answer something the person has just done.
LISTED = frozenset({DeliveryKind.VIDEO, DeliveryKind.FINISHED, DeliveryKind.REMINDER})


def headers_for(reader: Reader, clinic: Clinic, links: Links, public_id: str) -> dict[str, str]:
    """Return the headers of one letter, beyond those that every email has."""
    headers = {"Auto-Submitted": "auto-generated", "X-Leadmagnet-Delivery": _opaque(public_id)}
    if reader.kind in LISTED:
        headers |= {
            "List-Unsubscribe": _ways_out(reader, clinic, links),
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Id": _list_id(reader.sequence_title, reader.sequence_slug, links.public_url),
            "Feedback-ID": _feedback_id(reader.kind, reader.sequence_slug, reader.step_slug, clinic.mail_from),
        }
    return headers


def message_id(public_id: str, clinic: Clinic) -> str:
    """Return the Message-ID of a delivery. A letter sent once more has the same one, so mailboxes can show it once."""
    return f"<{_opaque(public_id)}@{_domain(clinic.mail_from)}>"


def _opaque(public_id: str) -> str:
    if not _OPAQUE.fullmatch(public_id):
        raise ValueError("a delivery's public id is made of letters, digits, dots and dashes")
    return public_id


@lru_cache(maxsize=16)
def _domain(mail_from: str) -> str:
    domain = parseaddr(mail_from)[1].rpartition("@")[2]
    return domain.encode("idna").decode().lower() or "localhost"


def _ways_out(reader: Reader, clinic: Clinic, links: Links) -> str:
    ways = [f"<{links.leave(reader.leave_id)}>"]
    if mailbox := _mailbox(clinic.unsubscribe_mailto):
        # The stored id, not the address: what arrives may come from another mailbox of the same person.
        ways.append(f"<mailto:{mailbox}?subject={quote(f'unsubscribe {reader.leave_id}', safe='')}>")
    return ", ".join(ways)


@lru_cache(maxsize=16)
def _mailbox(unsubscribe_mailto: str) -> str:
    address = parseaddr(unsubscribe_mailto)[1]
    return quote(address, safe="@+") if "@" in address else ""


@lru_cache(maxsize=64)
def _list_id(title: str, slug: str, public_url: str) -> str:
    name = re.sub(r"[^A-Za-z0-9 -]+", "", title).strip()
    host = urlsplit(public_url).hostname or "localhost"
    return f"{name} <{_label(slug)}.{host}>".strip()


@lru_cache(maxsize=256)
def _feedback_id(kind: DeliveryKind, sequence_slug: str, step_slug: str, mail_from: str) -> str:
    """Four fields that add up over many people, never one person: kind, sequence, step, sender."""
    sender = re.sub(r"[^a-z0-9]", "", _domain(mail_from))[:15]
    fields = (kind.value, sequence_slug, step_slug or "none")
    return ":".join([*(_label(field) for field in fields), sender if len(sender) >= 5 else f"{sender}mailer"])


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower())[:40] or "none"
