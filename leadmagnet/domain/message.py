"""A message on its way to a mail provider: content shared by many, values for each.

Content is written once per step with slots in double braces; a letter carries the values of its slots. Providers that
can substitute (SendGrid) get both as they are; the others expand here. Must not know: any provider, any template.
"""

from __future__ import annotations

import html as html_entities
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, Protocol

#: {{comma_name}}: lower-case words only, so that a stray brace in a text is not mistaken for a slot.
SLOT = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")


class UnknownSlot(ValueError):
    """A content names a slot for which there is no value. Raised before anything is sent."""


@dataclass(frozen=True, slots=True)
class Content:
    """What all readers of one revision share. Each part may hold slots."""

    subject: str
    html: str
    text: str

    def slots(self) -> frozenset[str]:
        """Return the names of all slots in the three parts."""
        return _slots(self)


@lru_cache(maxsize=256)
def _slots(content: Content) -> frozenset[str]:
    return frozenset(SLOT.findall("\n".join((content.subject, content.html, content.text))))


_NONE: Mapping[str, str] = MappingProxyType({})


class Letter(NamedTuple):
    """One recipient of a batch. `delivery_id` is ours, opaque, and comes back in provider events."""

    delivery_id: str
    to_email: str
    to_name: str
    message_id: str
    date: datetime
    values: Mapping[str, str] = _NONE
    headers: Mapping[str, str] = _NONE


def always() -> bool:
    """Let every letter be begun."""
    return True


@dataclass(frozen=True, slots=True)
class Batch:
    """Letters that share one content and one sender."""

    content: Content
    from_email: str
    from_name: str
    reply_to: str
    letters: tuple[Letter, ...]
    may_begin: Callable[[], bool] = field(default=always, compare=False)
    """Asked before each call: once it says no, all sending is stopped, and what is not begun is UNTRIED."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """One finished message: subject, HTML and plain text with every slot filled."""

    subject: str
    html: str
    text: str


class Outcome(StrEnum):
    """What is known of one letter after a call."""

    SENT = "sent"  #: the provider has taken it
    REJECTED = "rejected"  #: the provider refused this one letter for good
    RETRY = "retry"  #: not taken, may be tried again
    UNKNOWN = "unknown"  #: the call had begun and no answer is known
    UNTRIED = "untried"  #: not begun, because all sending was stopped meanwhile


class Result(NamedTuple):
    """The outcome of one letter. `retry_after` is in seconds, where the provider named a time."""

    delivery_id: str
    outcome: Outcome
    provider: str
    detail: str = ""
    provider_id: str = ""
    retry_after: float | None = None


class MailError(Exception):
    """The call failed as a whole and it is certain that nothing of the batch was taken.

    `permanent`: trying again without a person's help is pointless (a wrong key, a refused sender): the queue must stop.
    `retry_after`: seconds to wait before the next try, where the provider said so.
    """

    def __init__(self, message: str, *, permanent: bool, retry_after: float | None = None) -> None:
        """Keep the decision with the words."""
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class Mailer(Protocol):
    """Anything that takes a batch. One result per letter, in the order of the letters.

    Raises MailError when the whole call failed and nothing was taken.
    """

    name: str
    #: The most letters it wants in one batch.
    batch_size: int
    #: Whether a later event from the provider can tell what became of an unknown letter.
    has_evidence: bool

    def send(self, batch: Batch) -> list[Result]:
        """Hand the batch over and say what became of each letter."""
        ...

    def taken(self, delivery_id: str) -> bool | None:
        """Say whether the letter was taken in an earlier call; None where this mailer cannot know."""
        ...

    def close(self) -> None:
        """Give back connections. The mailer may be used again afterwards."""
        ...


def fill(part: str, values: Mapping[str, str], *, escape: bool = False) -> str:
    """Fill the slots of one part in one pass, so that a value which looks like a slot stays text.

    `escape` makes each value safe inside HTML, attributes included. Raises UnknownSlot.
    """

    def value(found: re.Match[str]) -> str:
        try:
            raw = values[found[1]]
        except KeyError:
            raise UnknownSlot(f"no value for the slot {{{{{found[1]}}}}}") from None
        return html_entities.escape(raw) if escape else raw

    return SLOT.sub(value, part)


def expand(content: Content, values: Mapping[str, str]) -> Expanded:
    """Fill all three parts for one reader. Line breaks cannot get into the subject. Raises UnknownSlot."""
    return Expanded(
        subject=" ".join(fill(content.subject, values).split()),
        html=fill(content.html, values, escape=True),
        text=fill(content.text, values),
    )
