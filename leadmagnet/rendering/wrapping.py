"""Plain text at 76 columns, before the values of its slots are known. Addresses stay whole, written lines stay lines.

Must not know: what the text says.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from leadmagnet.domain.message import SLOT
from leadmagnet.rendering.slots import LINK_SLOTS, WIDTHS

COLUMNS = 76
#: While a line is wrapped, each slot is a run of one private character, as wide as its value will be.
_STAND_IN = 0xE000


def wrap(text: str, widths: Mapping[str, int] = WIDTHS) -> str:
    """Return `text` with every long line wrapped; `widths` says how wide the values of slots will be."""
    return "\n".join(_wrap_line(line.rstrip(), widths) for line in text.split("\n"))


def _wrap_line(line: str, widths: Mapping[str, int]) -> str:
    slots: list[str] = []

    def stand_in(found: re.Match[str]) -> str:
        slots.append(found[0])
        width = COLUMNS if found[1] in LINK_SLOTS else widths.get(found[1], len(found[0]))
        return chr(_STAND_IN + len(slots) - 1) * width

    item = re.match(r"\s*(?:[-*]|\d+\.)\s+|\s*", line)
    indent = " " * (item.end() if item else 0)
    lines = textwrap.wrap(
        SLOT.sub(stand_in, line), COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    wrapped = "\n".join(lines)
    for number, slot in enumerate(slots):
        wrapped = re.sub(f"{chr(_STAND_IN + number)}+", slot, wrapped)
    return wrapped
