"""The Range header, read before werkzeug does: it answers 416 to what RFC 9110 14.2 wants ignored.

Must not know: which file is asked for.
"""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes\s*=\s*(\d*)-(\d*)\s*", re.IGNORECASE)
#: Longer than any file, and short enough to be read as a number.
_DIGITS = 18


def sound_range(header: str, length: int) -> str:
    """Return a range as it is to be answered for a file of `length` bytes; empty where the whole file is the answer.

    Another unit, several ranges and what cannot be read are ignored; a suffix longer than the file means all of it
    (14.1.2). A range that begins behind the end stays, and becomes a 416.
    """
    found = _ONE.fullmatch(header.strip())
    if not found or not any(found.groups()):
        return ""
    first, last = (_number(digits) for digits in found.groups())
    if first is None:
        return "bytes=0-" if last and last >= length else f"bytes=-{last}"
    if last is None:
        return f"bytes={first}-"
    return f"bytes={first}-{last}" if first <= last else ""


def _number(digits: str) -> int | None:
    if not digits:
        return None
    bare = digits.lstrip("0") or "0"
    return int(bare) if len(bare) <= _DIGITS else 10**_DIGITS
