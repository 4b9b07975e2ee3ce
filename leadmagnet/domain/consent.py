"""What somebody agreed to: purposes, the record's events, and how they add up.

Consent is a list of events that only grows; what is granted now, and where somebody stands, is always worked out from
all of them. Must not know: how an event reached us, where it is kept.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from leadmagnet.domain.status import SubscriberStatus, after

#: How long a confirmation link works (real time); then it offers a fresh one.
LINK_LIVES = timedelta(days=7)


class Purpose(StrEnum):
    """What an email is sent for. The form's first box covers videos and reminders; news has a box of its own."""

    VIDEOS = "videos"
    REMINDERS = "reminders"
    NEWS = "news"


COURSE = frozenset({Purpose.VIDEOS, Purpose.REMINDERS})
ALL = frozenset(Purpose)


class ConsentKind(StrEnum):
    """What happened."""

    REQUESTED = "requested"  #: the form was sent; anybody can type any address, so this grants nothing
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"  #: mail servers refused the address: nobody's wish, and nobody's consent has changed


class Channel(StrEnum):
    """By which way an event of the record came."""

    FORM = "form"
    CONFIRMATION = "confirmation link"
    IMPORT = "import"
    OWN_PAGE = "own page"
    LEAVE_PAGE = "unsubscribe page"
    ONE_CLICK = "one-click"
    MAILTO = "mailto"
    PROVIDER = "provider"  #: the mail provider's own unsubscribe event
    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    MARKETER = "marketer"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Origin:
    """From where somebody acted. `token_id` names the link that was used; it is not the link's token."""

    ip: str = ""
    user_agent: str = ""
    token_id: str = ""


NOWHERE = Origin()


def wording_id(text: str, language: str) -> str:
    """Return a short id of the exact words somebody agreed to, the same on every machine and for ever.

    Only what nobody can see is evened out: how accents are encoded, and where lines break.
    """
    words = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(f"{language.strip().lower()}\0{words}".encode()).hexdigest()[:16]


def written(purposes: Iterable[Purpose]) -> str:
    """Return purposes as the record keeps them: their names in the order of Purpose, with blanks between."""
    wanted = frozenset(purposes)
    return " ".join(purpose for purpose in Purpose if purpose in wanted)


def read_purposes(text: str) -> frozenset[Purpose]:
    """Return what `written` was given. Raises ValueError for a name that is no purpose."""
    return frozenset(Purpose(name) for name in text.split())


def granted(events: Iterable[tuple[ConsentKind, frozenset[Purpose]]]) -> frozenset[Purpose]:
    """Return the purposes granted after these events, oldest first."""
    now: frozenset[Purpose] = frozenset()
    for kind, purposes in events:
        if kind is ConsentKind.CONFIRMED:
            now |= purposes
        elif kind is ConsentKind.WITHDRAWN:
            now -= purposes
    return now


def standings(events: Iterable[tuple[ConsentKind, frozenset[Purpose], str]]) -> list[SubscriberStatus]:
    """Return where somebody stood after each of these events (kind, purposes, channel), oldest first.

    Who withdraws some purposes and keeps others stays active.
    """
    status, have = SubscriberStatus.PENDING, frozenset[Purpose]()
    found = []
    for kind, purposes, channel in events:
        if kind is ConsentKind.CONFIRMED:
            status, have = after(status, SubscriberStatus.ACTIVE), have | purposes
        elif kind is ConsentKind.STOPPED:
            status = after(status, SubscriberStatus.BOUNCED)
        elif kind is ConsentKind.WITHDRAWN:
            have -= purposes
            if channel == Channel.COMPLAINT:
                status = after(status, SubscriberStatus.COMPLAINED)
            elif not have:
                status = after(status, SubscriberStatus.UNSUBSCRIBED)
        found.append(status)
    return found
