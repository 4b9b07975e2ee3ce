"""A content -> pre-encoded MIME segments, made once; a letter -> the same segments with its own values between them.

Encoding 14 KB costs far more than joining it, and all letters of a revision share all of it but a few values. A segment
ends and begins with a soft line break, so a value always stands on lines of its own: it may have any length without
making a line longer than 76 octets, and what stands around it need not be looked at again.
Must not know: any provider, headers other than a part's own, where the bytes go.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from leadmagnet.domain.message import SLOT, Content, UnknownSlot, fill
from leadmagnet.mail.encoding import SOFT_BREAK, encoded_body, octets, quoted_printable

#: "=_" occurs in neither quoted-printable nor base64, so this line can never occur inside a part.
BOUNDARY: Final = "=_leadmagnet"
#: Contents kept compiled, each about 20 KB; a course with its reminders has thirty.
_KEPT = 256
_MARK = f"\r\n--{BOUNDARY}\r\n".encode()
_END = f"\r\n--{BOUNDARY}--\r\n".encode()


class CompiledBody:
    """The multipart/alternative body of one content: plain text, then HTML."""

    def __init__(self, content: Content) -> None:
        """Encode everything that letters share."""
        self.slots = content.slots()
        self._pieces: list[bytes] = []
        #: Places among the pieces where a value goes: as it is in plain text, escaped in HTML.
        self._gaps: list[tuple[int, str, bool]] = []
        #: Places where a whole part goes: subtype, text.
        self._wholes: list[tuple[int, str, str]] = []
        self._add("plain", content.text)
        self._add("html", content.html)
        self._pieces.append(_END)
        self._names = tuple({name: True for _, name, _ in self._gaps})

    def _add(self, subtype: str, text: str) -> None:
        encoding, body = encoded_body(text)
        fixed = SLOT.split(text)
        if encoding == "base64" and len(fixed) > 1:
            # There a value shifts all that follows, so nothing can be encoded in advance.
            self._wholes.append((len(self._pieces), subtype, text))
            self._pieces.append(b"")
        elif encoding == "base64":
            self._pieces.append(_part_head(subtype, encoding) + body)
        else:
            self._pieces.append(_part_head(subtype, encoding))
            self._add_segments(fixed, escaped=subtype == "html")

    def _add_segments(self, fixed: list[str], *, escaped: bool) -> None:
        """Take a text split at its slots: segment, name, segment …, segment."""
        last = len(fixed) - 1
        for at, piece in enumerate(fixed):
            if at % 2:
                self._gaps.append((len(self._pieces), piece, escaped))
                self._pieces.append(b"")
            else:
                self._pieces.append(_segment(piece, after_value=at > 0, before_value=at < last))

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """Return the pieces of the body for one reader, from the first boundary to the end. Raises UnknownSlot."""
        try:
            spelled = {name: _spellings(values[name]) for name in self._names}
        except KeyError as error:
            raise UnknownSlot(f"no value for the slot {{{{{error.args[0]}}}}}") from None
        pieces = self._pieces.copy()
        for at, name, escaped in self._gaps:
            pieces[at] = spelled[name][escaped]
        for at, subtype, text in self._wholes:
            encoding, body = encoded_body(fill(text, values, escape=subtype == "html"))
            pieces[at] = _part_head(subtype, encoding) + body
        return pieces


@lru_cache(maxsize=_KEPT)
def compiled(content: Content) -> CompiledBody:
    """Return the compiled body of a content, from the cache where it was compiled before."""
    return CompiledBody(content)


def _part_head(subtype: str, encoding: str) -> bytes:
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return _MARK + head.encode()


def _segment(text: str, *, after_value: bool, before_value: bool) -> bytes:
    """Return a segment, with a soft break wherever it meets a value."""
    before = SOFT_BREAK if after_value else b""
    if not before_value:
        return before + quoted_printable(octets(text))
    encoded = _unfinished(text)
    return before + (encoded if not encoded or encoded.endswith(b"\r\n") else encoded + SOFT_BREAK)


# Many values are the same for many readers: the exercise, its length, the day of the next one.
@lru_cache(maxsize=1024)
def _spellings(value: str) -> tuple[bytes, bytes]:
    """Return a value as it stands in plain text and in HTML. Most need no escaping and are encoded once for both."""
    plain = _unfinished(value)
    escaped = html.escape(value)
    return plain, plain if escaped == value else _unfinished(escaped)


def _unfinished(text: str) -> bytes:
    """Return the text in quoted-printable, with room for a soft break on the last line: at most 75 octets."""
    # The extra letter takes that room; after it a space needs no protection, nor does it before a soft break.
    return quoted_printable(octets(text) + b"x")[:-1]
