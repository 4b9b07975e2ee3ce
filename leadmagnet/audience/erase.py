"""Erase a person: the row, and everything that hangs on it.

What stays is at most one keyed hash of the address, and only where somebody had asked for silence or a mail server had
refused us (unsubscribed, bounced, complained, or suppressed before): without it, the next import would write to them
again. Of a person who had not left, nothing stays; they may sign up anew as a stranger. Copies outside the database
(an outbox folder, a mail provider, backups) are not reached from here; docs/privacy.md says how long those live.
Must not know: who asked.
"""

from __future__ import annotations

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression, email_hash, suppressed

STAYS_STOPPED = (SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)


def erase(session: Session, email: str, now: Now, suppression_key: str) -> bool:
    """Erase whoever is at this address, sign-ups nobody has looked at among it. False where nobody was."""
    typed = email.strip()
    at_address = or_(Subscriber.email_canonical == typed.lower(), Subscriber.email == typed)
    person = session.execute(
        select(Subscriber.id, Subscriber.email_canonical, Subscriber.status).where(at_address).with_for_update()
    ).first()
    canonical = person.email_canonical if person else typed.lower()
    if person and person.status in STAYS_STOPPED and not suppressed(session, suppression_key, canonical):
        session.add(Suppression(email_hash=email_hash(suppression_key, canonical), reason=person.status, at=now.course))
    found = session.execute(delete(SignUp).where(SignUp.email_canonical == canonical).returning(SignUp.id)).all()
    if person:
        theirs = select(Delivery.public_id).where(Delivery.subscriber_id == person.id)
        store.events.forget(session, session.scalars(theirs).all())
        # The tables of a person's rows delete them with the person (ON DELETE CASCADE).
        session.execute(delete(Subscriber).where(Subscriber.id == person.id))
        session.expire_all()
    session.flush()
    return bool(person or found)
