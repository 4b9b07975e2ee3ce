"""What the provider's events say of people: an address that bounced for good, a complaint, an unsubscribe.

Each takes effect at once and for good. Must not know: deliveries' states, where events come from.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet.clock import Now
from leadmagnet.domain.signals import PERSON_AFTER, Signal
from leadmagnet.domain.status import DeliveryKind, SubscriberStatus
from leadmagnet.feedback.leaving import leave, stop
from leadmagnet.store.events import Waiting
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression, email_hash

#: It went to an address that is not the person's: what happened there says nothing of them.
_AT_ANOTHER = DeliveryKind.NEW_ADDRESS


def apply_signals(session: Session, events: Sequence[Waiting], now: Now, suppression_key: str) -> int:
    """Stop the people whom these events stop; return how many changed."""
    grave = [event for event in events if Signal(event.signal) in PERSON_AFTER and event.kind != _AT_ANOTHER]
    if not grave:
        return 0
    people = _people(session, grave)
    changed = 0
    for event in grave:
        person = people.get(event.subscriber_id or event.email)
        if person is not None:
            changed += _apply(session, person, Signal(event.signal), event.provider, event.email, now, suppression_key)
    return changed


def _people(session: Session, events: Sequence[Waiting]) -> dict[int | str, Subscriber]:
    """Return people by id, and by address for events that carry no delivery of ours (late bounces do not)."""
    ids = {event.subscriber_id for event in events if event.subscriber_id is not None}
    addresses = {event.email for event in events if event.subscriber_id is None and event.email}
    found = session.scalars(
        select(Subscriber).where(Subscriber.id.in_(ids) | Subscriber.email_canonical.in_(addresses))
    ).all()
    return {person.id: person for person in found} | {person.email_canonical: person for person in found}


def _apply(
    session: Session, person: Subscriber, signal: Signal, provider: str, address: str, now: Now, suppression_key: str
) -> bool:
    status = PERSON_AFTER[signal]
    theirs = (person.email_canonical, person.email.lower())
    if status is SubscriberStatus.BOUNCED and address and address.lower() not in theirs:
        return False  # a late word of the address that they had before
    if status is SubscriberStatus.UNSUBSCRIBED:
        return leave(session, person, now, channel="provider", actor=provider)
    hashed = email_hash(suppression_key, person.email_canonical)
    known = session.get(Suppression, hashed)
    if known is None:
        session.add(Suppression(email_hash=hashed, reason=str(status), at=now.real))
    elif status is SubscriberStatus.COMPLAINED:
        known.reason = str(status)
    return stop(session, person, status, now, channel="provider", actor=provider)
