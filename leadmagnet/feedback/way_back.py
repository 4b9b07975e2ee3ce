"""The way back for an address that stays stopped: somebody at the clinic opens it, because its owner has asked.

Nothing is sent and nobody becomes active by it. Who was stopped stands afterwards as somebody who has left: they sign
up on the form themselves, and confirm. Must not know: pages, commands, what a mail provider has on a list of its own.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.status import FOR_GOOD, SubscriberStatus
from leadmagnet.store.subscribers import Subscriber

#: The kind of the record in a person's timeline.
OPENED = "may come back"


def stays_stopped(session: Session, person: Subscriber, key: str) -> bool:
    """Say whether signing up again leads this person nowhere. `key` is that of the fingerprints."""
    if person.status in FOR_GOOD:
        return True
    found = store.suppressions.suppressed(session, key, person.email_canonical)
    return found is not None and found.reason != store.suppressions.ERASED


def open_way_back(session: Session, email_canonical: str, now: datetime, *, key: str, actor: str) -> bool:
    """Let a canonical address sign up again; False where nothing kept it out.

    `key` is that of the fingerprints, `now` on the course clock. What comes in later of an email to them stops them
    again.
    """
    person = store.subscribers.lock(session, email_canonical)
    if person is None:
        # As after any other erasure: they themselves may ask, and no import brings them back.
        return store.suppressions.let_ask(session, key, email_canonical)
    opened = store.suppressions.remove(session, key, email_canonical)
    if person.status in FOR_GOOD:
        store.activities.add(session, person.id, now, OPENED, detail=f"was {person.status}", actor=actor)
        person.status = SubscriberStatus.UNSUBSCRIBED
        opened = True
    return opened
