"""Erase a person: the row, and everything that hangs on it.

What stays is one keyed hash of the address: without it, the next import would write to them again. Where they had
asked for silence or a mail server had refused us, the address stays stopped for good; where they had not left, nobody
else can bring it back, and they themselves may sign up and confirm anew, as a stranger. Of somebody who had never
confirmed nothing stays: perhaps it was not they who had typed it. Figures keep them as numbers
(remains.py). Copies outside the database are noted here and go with the next pass of the worker, or at once, where the
caller calls leadmagnet/erasing.py; docs/privacy.md names those that nobody here can reach.
Must not know: who asked.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience import remains
from leadmagnet.clock import Now
from leadmagnet.domain.status import DeliveryStatus, SubscriberStatus
from leadmagnet.domain.zones import zone
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import ERASED, Suppression, email_hash, suppressed

STAYS_STOPPED = (SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)


def erase(session: Session, email: str, now: Now, suppression_key: str, *, clinic_zone: str) -> bool:
    """Erase whoever is at this address, sign-ups nobody has looked at among it. False where nobody was.

    `clinic_zone` is the time zone in which the figures' days begin.
    """
    typed = email.strip()
    at_address = or_(Subscriber.email_canonical == typed.lower(), Subscriber.email == typed)
    person = session.scalars(select(Subscriber).where(at_address).with_for_update()).first()
    canonical = person.email_canonical if person else typed.lower()
    if person and person.status != SubscriberStatus.PENDING and not suppressed(session, suppression_key, canonical):
        reason = person.status if person.status in STAYS_STOPPED else ERASED
        session.add(Suppression(email_hash=email_hash(suppression_key, canonical), reason=reason, at=now.course))
    addresses = {canonical} | ({one.lower() for one in _known_as(session, person)} if person else set())
    until = _last_claim(session, person.id, now.real) if person else now.real
    waiting = or_(SignUp.email_canonical.in_(addresses), func.lower(SignUp.email).in_(addresses))
    found = session.execute(delete(SignUp).where(waiting).returning(SignUp.id)).all()
    if person:
        _erase(session, person, clinic_zone)
    store.events.forget_addresses(session, addresses)
    store.fresh_links.forget_new(session, addresses)
    if person or found:
        hashes = {email_hash(suppression_key, one) for one in addresses}
        store.erasures.add(session, hashes, now.real, until)
    session.flush()
    return bool(person or found)


def _known_as(session: Session, person: Subscriber) -> set[str]:
    """Return every spelling and every former address of a person."""
    return {person.email, *store.consents.addresses_of(session, person.id)}


def _last_claim(session: Session, subscriber_id: int, real_now: datetime) -> datetime:
    """Return until when an email that is on its way may still become a file."""
    mine = Delivery.subscriber_id == subscriber_id, Delivery.status == DeliveryStatus.CLAIMED
    last = session.scalar(select(func.max(Delivery.lease_until)).where(*mine))
    return max(last, real_now) if last else real_now


def _erase(session: Session, person: Subscriber, clinic_zone: str) -> None:
    wordings = store.consents.import_wordings_of(session, person.id)
    remains.count(session, person, zone(clinic_zone))
    store.events.forget(session, store.deliveries.public_ids_of(session, person.id))
    store.roll_up.count_away(session, person.id, zone(clinic_zone))
    # The tables of a person's rows delete them with the person (ON DELETE CASCADE).
    session.execute(delete(Subscriber).where(Subscriber.id == person.id))
    session.expire_all()
    store.consents.forget_unused(session, wordings)
