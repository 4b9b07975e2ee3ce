"""Letters that share a content -> the JSON of one Mail Send request, with the content written once.

SendGrid replaces literal tags by each recipient's values, in the subject and both parts. A value that all letters of a
batch share is part of the content. One slot can need three spellings: escaped in HTML, raw in plain text, on one line
in the subject; where no letter of a batch has anything to escape, HTML and plain text share a tag. Tags carry a mark
that nobody can know and that occurs in no value, because the provider may replace tags inside values too.
Bodies are not compressed: SendGrid unpacks gzip only for accounts that its support has enabled (tsg_mail_v3.json,
Content-Encoding). Must not know: HTTP, answers, the sendgrid package.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import orjson

from leadmagnet.domain.message import SLOT, Batch, Letter
from leadmagnet.mail import headers

#: The sum of tags and values of one personalization, in bytes.
MOST_SUBSTITUTION_BYTES = 10_000
#: Recipients of one request.
MOST_RECIPIENTS = 1_000
#: Of one request; documented for a message, and surely true of what holds it.
MOST_BODY_BYTES = 30_000_000

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


_Spelling = Callable[[str], str]
#: A letter for the tag, and how a value is written in that part. None: as it is, because nothing in it needs a change.
_SPELLINGS: Mapping[str, _Spelling] = {
    "s": headers.clean,
    "t": _sound,
    "h": lambda value: html.escape(_sound(value)),
}
_PARTS = ("s", "t", "h")


class Personalizer:
    """Writes requests for the letters of one batch."""

    def __init__(self, batch: Batch) -> None:
        """Write what all requests share. Raises ValueError where the sender's own identity is unusable."""
        content = batch.content
        parts = {"s": content.subject, "t": content.text, "h": content.html}
        slots = {kind: sorted(set(SLOT.findall(parts[kind]))) for kind in _PARTS}
        columns = {slot: [letter.values[slot] for letter in batch.letters] for slot in sorted(content.slots())}
        once = {
            slot: values[0] for slot, values in columns.items() if values and values.count(values[0]) == len(values)
        }
        all_values = {slot: "\n".join(values) for slot, values in columns.items() if slot not in once}
        mark = _unused_mark([*parts.values(), *all_values.values(), *once.values()])
        #: Tag, slot, and how the value is written.
        self._tags: list[tuple[str, str, _Spelling | None]] = []
        #: What stands in the place of a slot, in each part.
        tag_of: dict[tuple[str, str], str] = {}
        for kind in _PARTS:
            for slot in slots[kind]:
                if slot in once:
                    tag_of[kind, slot] = _SPELLINGS[kind](once[slot])
                    continue
                is_shared = kind != "s" and _is_plain(all_values[slot])
                tag_of[kind, slot] = f"-{mark}{'x' if is_shared else kind}.{slot}-"
                if not is_shared or (kind == "t" or slot not in slots["t"]):
                    self._tags.append((tag_of[kind, slot], slot, None if is_shared else _SPELLINGS[kind]))
        tagged = {kind: _tagged(kind, _sound(parts[kind]), tag_of) for kind in _PARTS}
        self._tag_bytes = sum(len(tag) for tag, _, _ in self._tags)
        #: The end of each request: all but the opening brace.
        self._shared = orjson.dumps(_shared(batch, tagged))[1:]

    def personalization(self, letter: Letter, checked_address: str) -> bytes:
        """Return what is the letter's own, as JSON.

        Raises ValueError where SendGrid would refuse it or a header is unsafe.
        """
        own: dict[str, object] = {
            "to": [_person(checked_address, letter.to_name)],
            "headers": headers.own_headers(letter) | {"Message-ID": headers.message_id(letter.message_id)},
            "custom_args": {"lm_delivery": letter.delivery_id},
        }
        if self._tags:
            own["substitutions"] = self._substitutions(letter.values)
        # At once, while all of it is at hand for the processor: later, a thousand of them would have to be fetched.
        return orjson.dumps(own)

    def _substitutions(self, given: Mapping[str, str]) -> dict[str, str]:
        values = {tag: spell(given[slot]) if spell else given[slot] for tag, slot, spell in self._tags}
        # A character has at most four bytes: counting characters is enough for nearly all.
        if (
            self._tag_bytes + 4 * sum(map(len, values.values())) > MOST_SUBSTITUTION_BYTES
            and self._tag_bytes + sum(len(value.encode()) for value in values.values()) > MOST_SUBSTITUTION_BYTES
        ):
            raise ValueError(f"the values of the slots exceed {MOST_SUBSTITUTION_BYTES} bytes")
        return values

    def request(self, personalizations: Iterable[bytes]) -> bytes:
        """Return the body of one request."""
        return b'{"personalizations":[' + b",".join(personalizations) + b"]," + self._shared


def _shared(batch: Batch, tagged: Mapping[str, str]) -> dict[str, object]:
    """Return what a request says once for all recipients."""
    shared: dict[str, object] = {
        "from": _person(headers.address(batch.from_email), batch.from_name),
        "subject": headers.clean(tagged["s"]),
        "content": [
            {"type": "text/plain", "value": tagged["t"]},
            {"type": "text/html", "value": tagged["h"]},
        ],
        "tracking_settings": _NO_TRACKING,
    }
    if batch.reply_to:
        shared["reply_to"] = {"email": headers.address(batch.reply_to)}
    return shared


# People share their first names.
@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    """Return a name as SendGrid takes it: without semicolons and commas."""
    return headers.clean(_NOT_IN_NAMES.sub(" ", name))


def _person(checked_address: str, name: str) -> dict[str, str]:
    """Return an address with its name."""
    name = _name(name)
    return {"email": checked_address, "name": name} if name else {"email": checked_address}


def _tagged(kind: str, part: str, tag_of: Mapping[tuple[str, str], str]) -> str:
    return SLOT.sub(lambda found: tag_of[kind, found[1]], part)


def _is_plain(values: str) -> bool:
    """Say whether all of the values read the same in HTML and in plain text."""
    return values.isascii() and not any(mark in values for mark in "&<>\"'")


def _unused_mark(texts: Sequence[str]) -> str:
    while True:
        mark = secrets.token_hex(3)
        if not any(mark in text for text in texts):
            return mark
