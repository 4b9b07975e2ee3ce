"""How tall a sealed frame must be to show an email whole. Its page may not look inside, so the height is reckoned.

Must not know: which email it is, or how many pixels a class means (site.css does).
"""

from __future__ import annotations

#: Letters of the plain text for which the style sheets add one piece of height.
PIECE = 200
MOST = 24


def frame_size(text: str) -> int:
    """Return the number of the class `frame-N` for an email with this plain text; past the last, it scrolls."""
    return max(1, min(MOST, -(-len(text) // PIECE)))
