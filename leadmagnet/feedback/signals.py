"""What the provider's events say of people: an address that bounced for good, a complaint, an unsubscribe.

Each takes effect at once and for good. Must not know: deliveries' states, where events come from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.signals import PERSON_AFTER, gravest
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.feedback.stopping import stop_all
from leadmagnet.store.among import among, among_texts
from leadmagnet.store.events import Waiting
from leadmagnet.store.subscribers import Subscriber


def apply_signals(session: Session, events: Iterable[Waiting], now: Now, suppression_key: str) -> int:
    """Stop the people whom these events stop; return how many changed."""
    grave = [event for event in events if event.signal in PERSON_AFTER]
    if not grave:
        return 0
    people = _people(session, grave)
    facts: dict[int, SubscriberStatus] = {}
    barred: dict[str, SubscriberStatus] = {}
    actors: dict[str, dict[int, SubscriberStatus]] = defaultdict(dict)
    for event in grave:
        fact = PERSON_AFTER[event.signal]
        person_id, address = people.get(event.subscriber_id or event.email, (0, ""))
        if person_id:
            facts[person_id] = actors[event.provider][person_id] = gravest([fact, facts.get(person_id, fact)])
        # An email of ours to somebody who has been erased since: the address stays stopped all the same.
        elif event.public_id and event.delivery_id is None:
            address = event.email
        if address and (not person_id or fact is not SubscriberStatus.UNSUBSCRIBED):
            barred[address] = gravest([fact, barred.get(address, fact)])
    store.suppressions.add(session, suppression_key, barred, now.real)
    return sum(stop_all(session, told, now, channel="provider", actor=name) for name, told in actors.items())


def _people(session: Session, events: Sequence[Waiting]) -> dict[int | str, tuple[int, str]]:
    """Return id and address of people by id, and by address for events that carry no delivery of ours.

    Late bounces do not.
    """
    ids = {event.subscriber_id for event in events if event.subscriber_id is not None}
    addresses = {event.email for event in events if event.subscriber_id is None and event.email}
    known = or_(among(Subscriber.id, ids), among_texts(Subscriber.email_canonical, addresses))
    found: dict[int | str, tuple[int, str]] = {}
    for person_id, address in session.connection().execute(
        select(Subscriber.id, Subscriber.email_canonical).where(known)
    ):
        found[person_id] = found[address] = person_id, address
    return found
