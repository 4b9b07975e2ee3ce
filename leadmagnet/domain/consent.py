"""What somebody agreed to: purposes, the record's events, and how they add up.

Consent is a list of events that only grows; what is granted now is always worked out from all of them. Must not know:
when, from where and through which form an event came.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

#: How long a confirmation link works (real time); then it offers a fresh one.
LINK_LIVES = timedelta(days=7)


class Purpose(StrEnum):
    """What an email is sent for. The form's first box covers videos and reminders; news has a box of its own."""

    VIDEOS = "videos"
    REMINDERS = "reminders"
    NEWS = "news"


class ConsentKind(StrEnum):
    """What happened."""

    REQUESTED = "requested"  #: the form was sent; anybody can type any address, so this grants nothing
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


def wording_id(text: str, language: str) -> str:
    """Return a short id of the exact words somebody agreed to, the same on every machine and for ever.

    Only what nobody can see is evened out: how accents are encoded, and where lines break.
    """
    words = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(f"{language.strip().lower()}\0{words}".encode()).hexdigest()[:16]


def granted(events: Iterable[tuple[ConsentKind, frozenset[Purpose]]]) -> frozenset[Purpose]:
    """Return the purposes granted after these events, oldest first."""
    now: frozenset[Purpose] = frozenset()
    for kind, purposes in events:
        if kind is ConsentKind.CONFIRMED:
            now |= purposes
        elif kind is ConsentKind.WITHDRAWN:
            now -= purposes
    return now
