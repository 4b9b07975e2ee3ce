"""A letter -> the bytes of an RFC 5322 message: headers, then multipart/alternative with plain text before HTML.

Built by hand, because EmailMessage takes about 3 ms a message and encodes headers that must stay as they are.
What all letters of a batch share is made once, in the constructor. Must not know: any provider, where the bytes go.
"""

from __future__ import annotations

import binascii
import re
from email.utils import format_datetime

from leadmagnet.domain.message import Batch, Letter, UnknownSlot, expand
from leadmagnet.mail import headers

#: "=_" occurs in neither quoted-printable nor base64, so this line can never occur inside a part.
BOUNDARY = "=_leadmagnet"

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MIME_HEADERS = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n'


def require_values(batch: Batch) -> None:
    """Check that every letter has a value for every slot. Raises UnknownSlot, before anything is sent."""
    slots = batch.content.slots()
    for letter in batch.letters:
        missing = slots - letter.values.keys()
        if missing:
            raise UnknownSlot(f"no value for the slot {{{{{min(missing)}}}}}")


class Composer:
    """Makes the messages of one batch."""

    def __init__(self, batch: Batch) -> None:
        """Write the lines that all letters share. Raises ValueError where the sender's own identity is unusable."""
        self._content = batch.content
        sender = headers.address(batch.from_email)
        reply_to = headers.address(batch.reply_to) if batch.reply_to else ""
        self._sender_lines = headers.mailbox("From", batch.from_name, sender)
        if reply_to:
            self._sender_lines += f"\r\nReply-To: {reply_to}"

    def message(self, letter: Letter) -> bytes:
        """Return the finished message with CRLF line ends; ASCII unless an address needs SMTPUTF8.

        Raises ValueError where a header, the address or the Message-ID cannot be written safely.
        """
        filled = expand(self._content, letter.values)
        lines = [
            self._sender_lines,
            headers.mailbox("To", letter.to_name, headers.address(letter.to_email)),
            headers.written("Subject", filled.subject),
            f"Date: {format_datetime(letter.date)}",
            f"Message-ID: {headers.message_id(letter.message_id)}",
            *(f"{name}: {value}" for name, value in headers.own_headers(letter).items()),
            _MIME_HEADERS,
        ]
        head = "\r\n".join(lines).encode()
        mark = f"--{BOUNDARY}".encode()
        parts = (_part("plain", filled.text), _part("html", filled.html))
        return head + b"".join(b"\r\n" + mark + b"\r\n" + part for part in parts) + b"\r\n" + mark + b"--\r\n"


def _part(subtype: str, text: str) -> bytes:
    encoding, body = encoded_body(text)
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + body


def encoded_body(text: str) -> tuple[str, bytes]:
    """Return the transfer encoding and the encoded text: quoted-printable, or base64 where that is shorter."""
    # The line break at the end makes binascii choose CRLF for its soft breaks and protect a space at the very end; it
    # is taken off again, because the line break before a boundary belongs to the boundary.
    raw = _LINE_BREAK.sub("\r\n", text).encode("utf-8", "replace") + b"\r\n"
    printable = binascii.b2a_qp(raw)[:-2]
    if len(printable) < 1.3 * len(raw):
        return "quoted-printable", printable
    raw = raw[:-2]
    compact = b"\r\n".join(binascii.b2a_base64(raw[at : at + 57], newline=False) for at in range(0, len(raw), 57))
    return ("base64", compact) if len(compact) < len(printable) else ("quoted-printable", printable)
