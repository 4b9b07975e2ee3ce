"""Why emails could not be sent, in groups: the same words but for a message's own numbers, and whether time may help.

Must not know: which provider it was, where the words are kept.
"""

from __future__ import annotations

import re

#: Before the words of the last try, once the tries are used up.
GAVE_UP = "gave up: "
#: A call whose answer nobody ever heard.
NO_ANSWER = "no answer known"
#: Ids, addresses of machines, sizes. Reply codes as 550 and 5.1.1 are shorter.
_OWN = re.compile(r"[^\s()<>\[\]]*\d[^\s()<>\[\]]*")
_SHORT = 5
_LONGEST = 120


def reason_of(detail: str) -> str:
    """Return what is the same in the words of one kind of failure, for a person to read."""

    def masked(found: re.Match[str]) -> str:
        return found[0] if len(found[0].rstrip(".,;:")) <= _SHORT else "…"

    words = " ".join(_OWN.sub(masked, detail).split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def may_pass(detail: str) -> bool:
    """Say whether it was the moment and not the letter: another try may well go through.

    Not so where no answer was ever known: those emails may have arrived, more than once.
    """
    return detail.startswith(GAVE_UP)
