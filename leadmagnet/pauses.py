"""Pause a whole sequence and let it go on: the transactions, in the one order that keeps workers apart.

Must not know: who asks, pages; when a held email goes out (enrollment/plan.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leadmagnet import store
from leadmagnet.services import Services


@dataclass(frozen=True, slots=True)
class Change:
    """What an act came to. `changed` is False where the sequence stood so already; `waiting` counts held emails."""

    changed: bool
    waiting: int


def pause(services: Services, slug: str, now: datetime, by: str) -> Change | None:
    """Pause a sequence at `now` (course clock) and hold its queue; None where there is no such sequence.

    The mark is committed first: from then on no call with its emails begins, and only then can the queue be held
    without anybody waiting in a circle. Cut short between the two, what workers claim is held then; done again, the
    rest is held as well.
    """
    with store.writing(services.engine) as session:
        sequence = store.sequences.by_slug(session, slug)
        if sequence is None:
            return None
        number = sequence.id
        changed = store.pauses.begin(session, number, now, by)
    with store.writing(services.engine) as session:
        store.pauses.hold(session, number)
        return Change(changed, store.pauses.waiting(session, number))


def resume(services: Services, slug: str, now: datetime, by: str) -> Change | None:
    """End a pause at `now` (course clock); None where there is no such sequence. The planner dates each email anew."""
    with store.writing(services.engine) as session:
        sequence = store.sequences.by_slug(session, slug)
        if sequence is None:
            return None
        waiting = store.pauses.end(session, sequence.id, now, by)
    return Change(waiting is not None, waiting or 0)
