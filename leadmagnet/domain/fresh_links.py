"""Links sent on request, for what the own page must not do by itself: its own link may have been forwarded.

Each opens one thing, works once and lives for an hour. Must not know: who asks, how a link looks, what it opens does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from leadmagnet.domain.status import SubscriberStatus

#: How long a link works, from the moment at which its email was written (real time).
LIVES = timedelta(hours=1)
#: Real time between two links to the same thing.
COOL_DOWN = timedelta(minutes=10)
#: The most links to the same thing within a day: whoever has got hold of somebody's page shall not fill their mailbox.
A_DAY = 5
ONE_DAY = timedelta(days=1)
#: How long what is left of a link is kept (real time), at least as long as A_DAY looks back.
KEPT = timedelta(days=2)


class Opens(StrEnum):
    """What a link opens. The first three go to the address we know, the last to one that is to take its place."""

    DATA = "data"
    ERASE = "erase"
    ADDRESS = "address"
    NEW_ADDRESS = "new_address"


_ACTIVE = frozenset({SubscriberStatus.ACTIVE})
#: Who may have which. A copy and an erasure are everybody's right as long as we can write to them: who has left may ask
#: for one email more; an address that bounced takes none, and one that complained gets none.
FOR_WHOM: Mapping[Opens, frozenset[SubscriberStatus]] = {
    Opens.DATA: _ACTIVE | {SubscriberStatus.UNSUBSCRIBED},
    Opens.ERASE: _ACTIVE | {SubscriberStatus.UNSUBSCRIBED},
    Opens.ADDRESS: _ACTIVE,
    Opens.NEW_ADDRESS: _ACTIVE,
}
#: What may be taken with one link, each once: a copy comes as a page and as a file.
PARTS: Mapping[Opens, frozenset[str]] = {
    Opens.DATA: frozenset({"page", "file"}),
    Opens.ERASE: frozenset({"erase"}),
    Opens.ADDRESS: frozenset({"ask"}),
    Opens.NEW_ADDRESS: frozenset({"change"}),
}


def may_ask(before: Collection[datetime], now: datetime) -> bool:
    """Say whether one more link to a thing may go out; `before` are the instants (real time) of the ones before."""
    if any(now - asked < COOL_DOWN for asked in before):
        return False
    return sum(now - asked < ONE_DAY for asked in before) < A_DAY


def alive(issued: datetime, now: datetime) -> bool:
    """Say whether a link still works by its age (real time). It is we who signed when it was issued."""
    return now - issued <= LIVES


def open_parts(opens: Opens, taken: Collection[str], *, void: bool) -> frozenset[str]:
    """Return what a link still gives; nothing where it was made void."""
    return frozenset() if void else PARTS[opens] - set(taken)
