"""An address taken out of a text that is kept. Must not know: where the text comes from, who keeps it."""

from __future__ import annotations

import re

INSTEAD = "[address]"


def without_address(text: str, address: str) -> str:
    """Return the text with something else in place of the address, however its letters are written there."""
    # The plain look is fast, and nearly always enough.
    if not address or address.lower() not in text.lower():
        return text
    return re.sub(re.escape(address), INSTEAD, text, flags=re.IGNORECASE)
