"""Cells of a CSV file that people open in a spreadsheet: guarded on the way out, and bare again on the way in.

Must not know: which columns there are.
"""

from __future__ import annotations

import re

#: A spreadsheet runs a cell that begins with one of these (OWASP ASVS 5.0, 1.2.10).
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\0")
# Apostrophes before such a sign are counted in, or a cell that really begins with one could not be told from a guarded.
_GUARDED = re.compile(f"'*[{re.escape(''.join(DANGEROUS))}]")


def safe_cell(text: str) -> str:
    """Return the text, with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if _GUARDED.match(text) else text


def plain_cell(text: str) -> str:
    """Return what `safe_cell` was given."""
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text
