"""Sign-ups become pending subscribers with a confirmation due, or whatever the person's standing asks for.

Rules (docs/architecture.md, 'Coming back'): pending -> the confirmation goes out again, with a cool-down; active ->
nothing changes, one 'you are already in' a day at most; unsubscribed -> must confirm again, unless they have left after
they asked; bounced, complained or suppressed -> stays stopped. An anonymous sign-up never overwrites the data of
somebody we know. More of them than the caps allow are held before anybody looks at whose they are (admission.py).

A batch is handled by the set: a few statements, however many sign-ups there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import Channel, ConsentKind
from leadmagnet.domain.status import DeliveryKind, SubscriberStatus
from leadmagnet.signup.admission import Guard, admit
from leadmagnet.signup.answering import ALREADY_COOL_DOWN, CONFIRMATION_COOL_DOWN, answer_all
from leadmagnet.store.base import random_id
from leadmagnet.store.held import NETWORK_STAYS, whole_hour
from leadmagnet.store.signups import Asked
from leadmagnet.store.subscribers import Known

#: Sign-ups that one transaction answers.
MOST_ANSWERED = 500
#: What a sign-up finds, by where the person stands; everybody else is asked to confirm.
_STANDING = {
    str(SubscriberStatus.BOUNCED): "stopped",
    str(SubscriberStatus.COMPLAINED): "stopped",
    str(SubscriberStatus.ACTIVE): "active",
}


@dataclass(frozen=True, slots=True)
class House:
    """What the clinic's settings say about whoever signs up."""

    clinic_zone: str
    suppression_key: str
    most_a_day: int
    """Confirmations to one address; 0: no limit."""


def process_sign_ups(
    session: Session,
    now: Now,
    *,
    clinic_zone: str,
    suppression_key: str,
    guard: Guard | None = None,
    limit: int = 500,
    most: int = MOST_ANSWERED,
) -> int:
    """Weigh up to `limit` sign-ups, waiting or in their turn; handle up to `most`. Return how many were weighed."""
    guard = guard or Guard()
    house = House(clinic_zone, suppression_key, guard.caps.address)
    store.held.weigh_alone(session)
    rows = store.signups.waiting(session, limit)
    rows += store.signups.turns(session, now.real, limit - len(rows))
    outcomes: dict[int, str] = {}
    for several in _one_each(admit(session, rows, guard, now.real, most)):
        outcomes |= _handle(session, several, now, house)
    groups: dict[str, list[int]] = defaultdict(list)
    for row_id, outcome in outcomes.items():
        groups[outcome].append(row_id)
    for outcome, ids in groups.items():
        store.signups.handled(session, ids, outcome, now.real, whole_hour(now.real + NETWORK_STAYS))
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


def _handle(session: Session, rows: Sequence[Asked], now: Now, house: House) -> dict[int, str]:
    """Handle sign-ups of different people; return what became of each, by its id."""
    known = store.suppressions.reasons(session, house.suppression_key, [row.email_canonical for row in rows])
    # Who was erased without having left may ask anew, and has to confirm as everybody.
    barred = {address for address, reason in known.items() if reason != store.suppressions.ERASED}
    found = {row.id: "suppressed" for row in rows if row.email_canonical in barred}
    open_rows = [row for row in rows if row.email_canonical not in barred]
    people = _people(session, open_rows, house.clinic_zone)
    groups: dict[str, list[Asked]] = {"stopped": [], "active": [], "asking": [], "left since": []}
    for row in open_rows:
        groups[_finds(people[row.email_canonical], row)].append(row)
    found |= {row.id: outcome for outcome in ("stopped", "left since") for row in groups[outcome]}
    store.consents.add_all(session, [_request(people[row.email_canonical], row) for row in groups["asking"]])
    for mine, kind, cool_down, most_a_day in (
        (groups["active"], DeliveryKind.ALREADY_SUBSCRIBED, ALREADY_COOL_DOWN, 0),
        (groups["asking"], DeliveryKind.CONFIRMATION, CONFIRMATION_COOL_DOWN, house.most_a_day),
    ):
        ids = {row.id: people[row.email_canonical].id for row in mine}
        told = answer_all(session, list(ids.values()), kind, now, cool_down, most_a_day)
        found |= {row_id: told[subscriber_id] for row_id, subscriber_id in ids.items()}
    return found


def _finds(person: Known, row: Asked) -> str:
    """Return what a sign-up finds at its address."""
    found = _STANDING.get(person.status, "asking")
    # Who said no after this yes, before anybody had looked at it, is not asked to confirm it.
    if found == "asking" and person.left_real_at is not None and row.asked_real_at < person.left_real_at:
        return "left since"
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
        "track_links": row.track_links,
        "created_at": row.asked_at,
    }


def _request(person: Known, row: Asked) -> dict[str, object]:
    return {
        "subscriber_id": person.id,
        "email": person.email,
        "kind": str(ConsentKind.REQUESTED),
        "purposes": row.purposes,
        "wording_id": row.wording_id,
        "at": row.asked_at,
        "channel": str(Channel.FORM),
        "form": row.form,
        "page": row.page,
        "ip": row.ip,
        "user_agent": row.user_agent,
    }
