"""A letter -> the bytes of an RFC 5322 message: headers, then multipart/alternative with plain text before HTML.

Built by hand, because EmailMessage takes about 3 ms a message and encodes headers that must stay as they are. The body
comes from compiled.py; here are the headers. Must not know: any provider, where the bytes go.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from leadmagnet.domain.message import SLOT, Batch, Letter, UnknownSlot, fill
from leadmagnet.mail import headers
from leadmagnet.mail.compiled import BOUNDARY, compiled

_MIME_HEADERS = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n'


def require_values(batch: Batch) -> None:
    """Check that every letter has a value for every slot. Raises UnknownSlot, before anything is sent."""
    slots = compiled(batch.content).slots
    for letter in batch.letters:
        if not slots <= letter.values.keys():
            raise UnknownSlot(f"no value for the slot {{{{{min(slots - letter.values.keys())}}}}}")


class Composer:
    """Makes the messages of one batch."""

    def __init__(self, batch: Batch) -> None:
        """Take the compiled content and sender. Raises ValueError where the sender's own identity is unusable."""
        self._body = compiled(batch.content)
        self._subject = batch.content.subject
        self._fixed_subject = "" if SLOT.search(self._subject) else headers.written("Subject", self._subject)
        self._sender_lines = _sender_lines(batch.from_email, batch.from_name, batch.reply_to)

    def message(self, letter: Letter) -> bytes:
        """Return the finished message with CRLF line ends; ASCII unless an address needs SMTPUTF8.

        Raises ValueError where a header, the address or the Message-ID cannot be written safely.
        """
        return b"".join(self.pieces(letter))

    def pieces(self, letter: Letter) -> list[bytes]:
        """Return the same in pieces, the headers first: whoever joins it to something else joins it only once."""
        lines = [
            self._sender_lines,
            headers.mailbox("To", letter.to_name, headers.address(letter.to_email)),
            self._fixed_subject or self._subject_line(letter.values),
            _date_line(letter.date),
            f"Message-ID: {headers.message_id(letter.message_id)}",
            *headers.own_lines(letter),
            _MIME_HEADERS,
        ]
        return ["\r\n".join(lines).encode(), *self._body.filled(letter.values)]

    def _subject_line(self, values: Mapping[str, str]) -> str:
        return headers.written("Subject", fill(self._subject, values))


@lru_cache(maxsize=64)
def _sender_lines(from_email: str, from_name: str, reply_to: str) -> str:
    sender = headers.mailbox("From", from_name, headers.address(from_email))
    return f"{sender}\r\nReply-To: {headers.address(reply_to)}" if reply_to else sender


# A batch has one date, or few: its letters were claimed together.
@lru_cache(maxsize=64)
def _date_line(date: datetime) -> str:
    return f"Date: {format_datetime(date)}"
