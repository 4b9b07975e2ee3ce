"""What the provider's events say of deliveries: they settle what was unknown, and tell delivered from bounced.

Must not know: people (feedback/signals.py does), where events come from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.settle import DETAIL, begin_reminders, count_reminders, hand_on
from leadmagnet.domain.signals import delivery_after, stronger, was_dropped
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.events import DROPPED, Waiting

#: States in which we had not yet written down that the letter is out.
_NOT_OUT = (DeliveryStatus.UNKNOWN, DeliveryStatus.DUE, DeliveryStatus.FAILED)


def apply_evidence(session: Session, events: Sequence[Waiting], now: Now) -> set[int]:
    """Bring the ledger to where these events say it stands.

    Return the deliveries that somebody else has changed since they were looked at: their events are to be applied anew.
    """
    by_delivery: dict[int, list[Waiting]] = defaultdict(list)
    for event in events:
        if event.delivery_id is not None:
            by_delivery[event.delivery_id].append(event)
    moves: dict[tuple[DeliveryStatus, DeliveryStatus, str, str], list[Waiting]] = defaultdict(list)
    for told in by_delivery.values():
        first, before = told[0], DeliveryStatus(told[0].status or "")
        state = stronger(before, delivery_after([one.signal for one in told]), dropped_before=first.dropped)
        if state is not before:
            detail = _reason(told) if state is DeliveryStatus.FAILED else ""
            moves[before, state, first.provider, detail].append(first)
    missed: set[int] = set()
    for key, rows in moves.items():
        missed |= _move(session, *key, rows, now)
    return missed


def _reason(told: Sequence[Waiting]) -> str:
    """Return why it was dropped: the same words, whatever the order of the events."""
    said = min((one.detail for one in told if was_dropped(one.signal) and one.detail), default="")
    return f"{DROPPED}{said}"[:DETAIL]


def _move(
    session: Session,
    before: DeliveryStatus,
    state: DeliveryStatus,
    provider: str,
    detail: str,
    rows: Sequence[Waiting],
    now: Now,
) -> set[int]:
    """Change deliveries that still stand at `before`; return those that do not."""
    values: dict[str, Any] = {"status": state, "detail": detail}
    if before in _NOT_OUT:
        values |= {"sent_at": now.course, "settled_at": now.real, "provider": provider, "lease_until": None}
    if before is DeliveryStatus.FAILED:
        # Its day may have gone to another email meanwhile.
        values["day"] = None
    ids = {row.delivery_id: row for row in rows if row.delivery_id is not None}
    changed = [ids[row_id] for row_id in store.claims.change(session, ids, before, **values)]
    if before in _NOT_OUT:
        store.outcomes.sent(session, len(changed), now.real)
    if before in (DeliveryStatus.UNKNOWN, DeliveryStatus.DUE):
        hand_on(session, changed, now.course)
        out = [row for row in changed if row.subscriber_id is not None]
        reminded = [row.subscriber_id for row in out if row.kind == DeliveryKind.REMINDER and row.subscriber_id]
        count_reminders(session, reminded)
        shown = [row.subscriber_id for row in out if row.kind == DeliveryKind.VIDEO and row.subscriber_id]
        begin_reminders(session, shown, now.course)
    return ids.keys() - {row.delivery_id for row in changed}
