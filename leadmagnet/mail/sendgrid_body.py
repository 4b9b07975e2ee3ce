"""Letters that share a content -> the JSON of one Mail Send request, with the content written once.

SendGrid replaces literal tags by each recipient's values, in the subject and both parts. One slot can need three
spellings: escaped in HTML, raw in plain text, on one line in the subject. Tags carry a mark that nobody can know and
that occurs in no value, because the provider may replace tags inside values too.
Must not know: HTTP, answers, the sendgrid package.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable, Mapping, Sequence

from leadmagnet.domain.message import SLOT, Batch, Content, Letter
from leadmagnet.mail import headers

#: The sum of tags and values of one personalization, in bytes.
MOST_SUBSTITUTION_BYTES = 10_000
#: Recipients of one request.
MOST_RECIPIENTS = 1_000

#: All of them explicit: the account's own settings would hold otherwise. Links and the unsubscribe are ours.
_NO_TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}

_NOT_IN_NAMES = re.compile(r"[;,]")


def _sound(value: str) -> str:
    """Return the value without halves of surrogate pairs, which no JSON reader takes."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


#: A letter for the tag, and how a value is written in that part.
_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "s": headers.clean,
    "t": _sound,
    "h": lambda value: html.escape(_sound(value)),
}


class Personalizer:
    """Writes requests for the letters of one batch."""

    def __init__(self, batch: Batch) -> None:
        """Write what all requests share. Raises ValueError where the sender's own identity is unusable."""
        self._sender = _person(headers.address(batch.from_email), batch.from_name)
        self._reply_to = {"email": headers.address(batch.reply_to)} if batch.reply_to else None
        parts = {"s": batch.content.subject, "t": batch.content.text, "h": batch.content.html}
        mark = _unused_mark(batch)
        self._tags = {
            (kind, slot): f"-{mark}{kind}.{slot}-"
            for kind, part in parts.items()
            for slot in sorted(set(SLOT.findall(part)))
        }
        self._content = Content(*(self._tagged(kind, parts[kind]) for kind in ("s", "h", "t")))

    def _tagged(self, kind: str, part: str) -> str:
        return SLOT.sub(lambda found: self._tags[kind, found[1]], part)

    def personalization(self, letter: Letter) -> dict[str, object]:
        """Return what is the letter's own. Raises ValueError where SendGrid would refuse it or a header is unsafe."""
        values = {tag: _SPELLINGS[kind](letter.values[slot]) for (kind, slot), tag in self._tags.items()}
        if sum(len(tag) + len(value.encode()) for tag, value in values.items()) > MOST_SUBSTITUTION_BYTES:
            raise ValueError(f"the values of the slots exceed {MOST_SUBSTITUTION_BYTES} bytes")
        own: dict[str, object] = {
            "to": [_person(headers.address(letter.to_email), letter.to_name)],
            "headers": {"Message-ID": headers.message_id(letter.message_id), **headers.own_headers(letter)},
            "custom_args": {"lm_delivery": letter.delivery_id},
        }
        if values:
            own["substitutions"] = values
        return own

    def request(self, personalizations: Sequence[Mapping[str, object]]) -> dict[str, object]:
        """Return the body of one request."""
        body: dict[str, object] = {
            "personalizations": list(personalizations),
            "from": self._sender,
            "subject": headers.clean(self._content.subject),
            "content": [
                {"type": "text/plain", "value": self._content.text},
                {"type": "text/html", "value": self._content.html},
            ],
            "tracking_settings": _NO_TRACKING,
        }
        if self._reply_to:
            body["reply_to"] = self._reply_to
        return body


def _person(checked_address: str, name: str) -> dict[str, str]:
    """Return an address with its name; SendGrid takes no semicolons and commas in names."""
    name = headers.clean(_NOT_IN_NAMES.sub(" ", name))
    return {"email": checked_address, "name": name} if name else {"email": checked_address}


def _unused_mark(batch: Batch) -> str:
    content = batch.content
    while True:
        mark = secrets.token_hex(3)
        texts = (content.subject, content.html, content.text)
        if not any(mark in text for text in texts) and not any(
            mark in value for letter in batch.letters for value in letter.values.values()
        ):
            return mark
