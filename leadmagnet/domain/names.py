"""First names: one rule for the form and for imports. What emails and pages show obeys it as well.

Must not know: where a name came from.
"""

from __future__ import annotations

import re
import unicodedata

#: The most letters of a name, as emails show it in full.
NAME_LENGTH = 40
#: Mail programs turn these into links: an address, a host, a scheme, a path. Looked for in the plainest spelling, too:
#: wide and small forms of these signs, letters in circles, and what else means the same as an ordinary letter.
LINK = re.compile(r"[@/\\:。．｡＠／：]|www\.|\w\.[^\W\d_]{2}", re.IGNORECASE)
#: ZWNJ and ZWJ: needed inside words of Persian, of Indic scripts and others, although they are invisible.
JOINERS = "\u200c\u200d"


class BadName(ValueError):
    """The name carries what no name has. The message says so kindly."""


def parse_name(text: str) -> str:
    """Return a first name with its white space tidied; empty is fine. Raises BadName."""
    name = " ".join(text.split()).strip(JOINERS)
    if LINK.search(name) or LINK.search(unicodedata.normalize("NFKC", name)):
        raise BadName("A first name is enough, without links or addresses. After a dot, leave a space.")
    if not name.translate(dict.fromkeys(map(ord, JOINERS))).isprintable():
        raise BadName("The name holds a sign that nobody can see. Please type it once more.")
    if len(name) > NAME_LENGTH:
        raise BadName(f"Please keep the name to {NAME_LENGTH} letters.")
    return name
