"""Sign-ups become pending subscribers with a confirmation due, or whatever the person's standing asks for.

Rules (docs/architecture.md, 'Coming back'): pending -> the confirmation goes out again, with a cool-down; active ->
nothing changes, one 'you are already in' a day at most; unsubscribed -> must confirm again; bounced, complained or
suppressed -> stays stopped. An anonymous sign-up never overwrites the data of somebody we know.

A batch is handled by the set: a few statements, however many sign-ups there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import ConsentKind
from leadmagnet.domain.status import DeliveryKind, SubscriberStatus
from leadmagnet.signup.answering import ALREADY_COOL_DOWN, CONFIRMATION_COOL_DOWN, answer_all
from leadmagnet.store.base import random_id
from leadmagnet.store.signups import Asked
from leadmagnet.store.subscribers import Known

#: What a sign-up finds, by where the person stands; everybody else is asked to confirm.
_STANDING = {
    str(SubscriberStatus.BOUNCED): "stopped",
    str(SubscriberStatus.COMPLAINED): "stopped",
    str(SubscriberStatus.ACTIVE): "active",
}


def process_sign_ups(session: Session, now: Now, *, clinic_zone: str, suppression_key: str, limit: int = 500) -> int:
    """Handle up to `limit` waiting sign-ups and return how many there were."""
    rows = store.signups.waiting(session, limit)
    outcomes: dict[int, str] = {}
    for several in _one_each(rows):
        outcomes |= _handle(session, several, now, clinic_zone, suppression_key)
    groups: dict[str, list[int]] = defaultdict(list)
    for row_id, outcome in outcomes.items():
        groups[outcome].append(row_id)
    for outcome, ids in groups.items():
        store.signups.handled(session, ids, outcome, now.real)
    return len(rows)


def _one_each(rows: Iterable[Asked]) -> Iterator[list[Asked]]:
    """Give the sign-ups in rounds, so that nobody is in one twice: what came first is handled first."""
    waiting = list(rows)
    while waiting:
        first: dict[str, Asked] = {}
        for row in waiting:
            first.setdefault(row.email_canonical, row)
        yield list(first.values())
        waiting = [row for row in waiting if first[row.email_canonical] is not row]


def _handle(
    session: Session, rows: Sequence[Asked], now: Now, clinic_zone: str, suppression_key: str
) -> dict[int, str]:
    """Handle sign-ups of different people; return what became of each, by its id."""
    barred = store.suppressions.among_addresses(session, suppression_key, [row.email_canonical for row in rows])
    found = {row.id: "suppressed" for row in rows if row.email_canonical in barred}
    open_rows = [row for row in rows if row.email_canonical not in barred]
    people = _people(session, open_rows, clinic_zone)
    groups: dict[str, list[Asked]] = {"stopped": [], "active": [], "asking": []}
    for row in open_rows:
        groups[_STANDING.get(people[row.email_canonical].status, "asking")].append(row)
    found |= {row.id: "stopped" for row in groups["stopped"]}
    store.consents.add_all(session, [_request(people[row.email_canonical].id, row) for row in groups["asking"]])
    for mine, kind, cool_down in (
        (groups["active"], DeliveryKind.ALREADY_SUBSCRIBED, ALREADY_COOL_DOWN),
        (groups["asking"], DeliveryKind.CONFIRMATION, CONFIRMATION_COOL_DOWN),
    ):
        ids = {row.id: people[row.email_canonical].id for row in mine}
        told = answer_all(session, list(ids.values()), kind, now, cool_down)
        found |= {row_id: told[subscriber_id] for row_id, subscriber_id in ids.items()}
    return found


def _people(session: Session, rows: Sequence[Asked], clinic_zone: str) -> Mapping[str, Known]:
    """Return the people at these addresses, locked, by address; who is not known yet is made a pending subscriber."""
    found = store.subscribers.lock_by_canonical(session, [row.email_canonical for row in rows])
    if new := [row for row in rows if row.email_canonical not in found]:
        store.subscribers.add_all(session, [_pending(row, clinic_zone) for row in new])
        # Read back, not taken for granted: another worker may have made one of them this moment.
        found |= store.subscribers.lock_by_canonical(session, [row.email_canonical for row in new])
    return found


def _pending(row: Asked, clinic_zone: str) -> dict[str, object]:
    return {
        "email": row.email,
        "email_canonical": row.email_canonical,
        "first_name": row.first_name,
        "timezone": row.timezone or clinic_zone,
        "source": row.form,
        "leave_id": random_id(),
        "created_at": row.asked_at,
    }


def _request(subscriber_id: int, row: Asked) -> dict[str, object]:
    return {
        "subscriber_id": subscriber_id,
        "kind": str(ConsentKind.REQUESTED),
        "wording_id": row.wording_id,
        "at": row.asked_at,
        "channel": "form",
        "form": row.form,
        "page": row.page,
        "ip": row.ip,
        "user_agent": row.user_agent,
    }
