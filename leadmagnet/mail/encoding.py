"""Text -> the transfer encodings of MIME (RFC 2045): quoted-printable and base64, with CRLF and lines of at most 76.

Must not know: messages, slots, headers.
"""

from __future__ import annotations

import binascii
import re

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
#: RFC 2045, 6.7: an "=" at the end of a line joins it to the next one.
SOFT_BREAK = b"=\r\n"
#: binascii makes a line of 77 where a space or tab at its end has to be protected (Python 3.11).
_TOO_LONG = re.compile(rb"(?<![^\n])([^\r\n]{74})(=20|=09)(?=\r\n)")


def octets(text: str) -> bytes:
    """Return the text in UTF-8 with CRLF line ends. Halves of surrogate pairs become question marks."""
    if "\n" in text or "\r" in text:
        text = _LINE_BREAK.sub("\r\n", text)
    return text.encode("utf-8", "replace")


def quoted_printable(raw: bytes) -> bytes:
    """Return the octets in quoted-printable, as they stand at the beginning of a line; no break is added at the end."""
    # The line break at the end makes binascii choose CRLF for its soft breaks and protect a space at the very end.
    encoded = binascii.b2a_qp(raw + b"\r\n")
    if b"=20\r\n" in encoded or b"=09\r\n" in encoded:
        encoded = _TOO_LONG.sub(rb"\1=\r\n\2", encoded)
    return encoded[:-2]


def base64_lines(raw: bytes) -> bytes:
    """Return the octets in base64, in lines of 76."""
    return b"\r\n".join(binascii.b2a_base64(raw[at : at + 57], newline=False) for at in range(0, len(raw), 57))


def encoded_body(text: str) -> tuple[str, bytes]:
    """Return the transfer encoding and the encoded text: quoted-printable, or base64 where that is shorter."""
    raw = octets(text)
    printable = quoted_printable(raw)
    if len(printable) < 1.3 * len(raw):
        return "quoted-printable", printable
    compact = base64_lines(raw)
    return ("base64", compact) if len(compact) < len(printable) else ("quoted-printable", printable)
