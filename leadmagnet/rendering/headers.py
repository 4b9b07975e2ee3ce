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
from leadmagnet.rendering.values import Lesson, Reader

_OPAQUE = re.compile(r"[A-Za-z0-9._-]{1,128}")
#: Mail that people subscribe to and can leave. The others answer something the person has just done.
LISTED = frozenset({DeliveryKind.VIDEO, DeliveryKind.FINISHED, DeliveryKind.REMINDER})


class Headers:
    """Makes the headers of letters, beyond those that every email has."""

    def __init__(self, clinic: Clinic, links: Links) -> None:
        """Take whose letters they are."""
        self._clinic, self._links = clinic, links
        self._of_lesson: dict[Lesson, dict[str, str]] = {}

    def of(self, reader: Reader, public_id: str) -> dict[str, str]:
        """Return the headers of one letter. `message_id` checks the id."""
        shared = self._of_lesson.get(reader.lesson)
        if shared is None:
            shared = self._of_lesson[reader.lesson] = self._shared(reader.lesson)
        headers = shared.copy()
        if "List-Id" in shared:
            headers["List-Unsubscribe"] = _ways_out(reader, self._clinic, self._links)
        headers["X-Leadmagnet-Delivery"] = public_id
        return headers

    def _shared(self, lesson: Lesson) -> dict[str, str]:
        headers = {"Auto-Submitted": "auto-generated"}
        if lesson.kind in LISTED:
            sender = self._clinic.mail_from
            headers |= {
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "List-Id": _list_id(lesson.sequence_title, lesson.sequence_slug, self._links.public_url),
                "Feedback-ID": _feedback_id(lesson.kind, lesson.sequence_slug, lesson.step_slug, sender),
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


def _list_id(title: str, slug: str, public_url: str) -> str:
    name = re.sub(r"[^A-Za-z0-9 -]+", "", title).strip()
    host = urlsplit(public_url).hostname or "localhost"
    return f"{name} <{_label(slug)}.{host}>".strip()


def _feedback_id(kind: DeliveryKind, sequence_slug: str, step_slug: str, mail_from: str) -> str:
    """Four fields that add up over many people, never one person: kind, sequence, step, sender."""
    sender = re.sub(r"[^a-z0-9]", "", _domain(mail_from))[:15]
    fields = (kind.value, sequence_slug, step_slug or "none")
    return ":".join([*(_label(field) for field in fields), sender if len(sender) >= 5 else f"{sender}mailer"])


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower())[:40] or "none"
