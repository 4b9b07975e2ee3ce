"""What a returned email says of its address, and when several say enough; how many are so many that sending must rest.

Sources: RFC 3463 for the codes; mailbox providers' own limits for complaints (0.1 % is their target, 0.3 % their end).
Must not know: any provider's own words, how anything is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from leadmagnet.domain.signals import Signal

#: Soft bounces in a row after which a mailbox is left alone.
SOFT_IN_A_ROW = 5
#: The brake looks at emails that left within this time: so many complaints and bounces at least, and such a share.
WINDOW = timedelta(hours=24)
LEAST_COMPLAINTS, MOST_COMPLAINTS = 3, 0.001
LEAST_BOUNCES, MOST_BOUNCES = 20, 0.05

_CODE = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?!\d|\.\d)")
#: The details of 5.1 that mean: no such mailbox, domain or person, or nobody takes mail there any more.
_NO_SUCH = frozenset({0, 1, 2, 3, 4, 6, 10})
#: By the subject of a permanent failure: 2 the mailbox (full, off), 3 the system, 4 the way there, 5 how we spoke,
#: 6 what we wrote, 7 policy. Full and away can pass; the last three are ours.
_BY_SUBJECT: Mapping[int, Signal] = {
    2: Signal.BOUNCED_SOFT,
    3: Signal.BOUNCED_SOFT,
    4: Signal.BOUNCED_SOFT,
    5: Signal.BLOCKED,
    6: Signal.BLOCKED,
    7: Signal.BLOCKED,
}
#: 5.2.1 is a mailbox that was closed; 5.3.4 and 5.2.3 mean that we wrote too much; 5.4.4 that no host is there.
_BY_CODE: Mapping[tuple[int, int], Signal] = {
    (2, 1): Signal.BOUNCED_HARD,
    (2, 3): Signal.BLOCKED,
    (3, 4): Signal.BLOCKED,
    (4, 4): Signal.BOUNCED_HARD,
}


#: RFC 5321 4.2.3, where a server gives nothing finer: 552 too full, 554 no reason.
_BASIC = re.compile(r"(?<![\d.])(5\d\d)(?![\d.])")
_BY_BASIC: Mapping[str, Signal] = {"552": Signal.BOUNCED_SOFT, "554": Signal.BLOCKED}


def bounce_after(*said: str) -> Signal | None:
    """Return what the first enhanced status code in a server's words means, a code that says something going first.

    None where no code is found. x.0.0 says nothing but whether it is for good; then the three figures of SMTP go first.
    """
    codes = [tuple(map(int, found)) for words in said for found in _CODE.findall(words)]
    if not codes:
        return None
    kind, subject, detail = next((code for code in codes if code[1] or code[2]), codes[0])
    if kind == 4:
        return Signal.BOUNCED_SOFT
    if not (subject or detail):
        basic = _BASIC.search(" ".join(said))
        return _BY_BASIC.get(basic[1], Signal.BOUNCED_HARD) if basic else Signal.BOUNCED_HARD
    if subject == 1:
        return Signal.BOUNCED_HARD if detail in _NO_SUCH else Signal.BLOCKED
    return _BY_CODE.get((subject, detail)) or _BY_SUBJECT.get(subject, Signal.BOUNCED_HARD)


class Fate(StrEnum):
    """What is known of one email, for the count of soft bounces."""

    ARRIVED = "arrived"
    SOFT = "soft"
    TAKEN = "taken"  #: handed over by a way that tells only of failures: no news is good news, once later ones tell
    SILENT = "silent"  #: nobody knows, or it failed for other reasons


def soft_in_a_row(newest_first: Iterable[Fate]) -> int:
    """Return how many emails of one person came back softly since the last one that arrived."""
    count = 0
    for fate in newest_first:
        if fate is Fate.ARRIVED or (fate is Fate.TAKEN and count):
            break
        count += fate is Fate.SOFT
    return count


@dataclass(frozen=True, slots=True)
class Came:
    """Of the emails that left within the window: how many, and what came back of them."""

    sent: int
    complained: int
    bounced: int
    """For good."""


def brake(came: Came) -> str | None:
    """Return why sending must stop, as a sentence; None where it may go on."""
    # What is told of emails that nobody counted must not look like a share of nothing.
    base = max(came.sent, came.complained, came.bounced, 1)
    if came.complained >= LEAST_COMPLAINTS and came.complained > MOST_COMPLAINTS * base:
        return f"{_share(came.complained, base)} of the last 24 hours were marked as spam."
    if came.bounced >= LEAST_BOUNCES and came.bounced > MOST_BOUNCES * base:
        return f"{_share(came.bounced, base)} of the last 24 hours went to addresses that do not exist."
    return None


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} emails ({100 * part / whole:.2g}%)"
