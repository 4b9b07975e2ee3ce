"""Another address: asked for with a link that went to the current one, and confirmed at the new one.

What somebody here is called, or that an address stays stopped, is not told to whoever asks: the answer is the same, and
no email goes out. The ledger, the consent and everything else stay with the person. Must not know: pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import ConsentKind, Purpose, granted
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SkipReason
from leadmagnet.feedback.answers import answered
from leadmagnet.feedback.fresh_links import Found, has_text, letter, make_void
from leadmagnet.store.base import random_id
from leadmagnet.store.fresh_links import FreshLink
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import email_hash, suppressed

#: As many digits of the keyed hash as tell two addresses apart, where somebody has to read them.
FINGERPRINT = 16


@dataclass(frozen=True, slots=True)
class NewAddress:
    """An address as typed, checked by syntax, and its canonical spelling."""

    email: str
    canonical: str


@dataclass(frozen=True, slots=True)
class Origin:
    """How a button press reached us, for the consent record."""

    ip: str = ""
    user_agent: str = ""


class Answer(StrEnum):
    """What became of a change."""

    CHANGED = "changed"
    TAKEN = "taken"  #: somebody else has come to use the address, or it was stopped, since it was asked for


def propose(session: Session, found: Found, new: NewAddress, now: Now, suppression_key: str) -> None:
    """Ask at the new address whether it is theirs. `found` is an open ADDRESS link, held."""
    if found.link is None or found.person is None:
        return
    found.link.take("ask")
    person = found.person
    link = FreshLink(
        subscriber_id=person.id,
        opens=Opens.NEW_ADDRESS,
        public_id=random_id(),
        asked_at=now.real,
        new_email=new.email,
        new_canonical=new.canonical,
    )
    row = letter(link, Opens.NEW_ADDRESS, now, DeliveryKind.NEW_ADDRESS)
    if _free(session, new.canonical, suppression_key) and has_text(session, Opens.NEW_ADDRESS):
        session.add(link)
    else:
        # As much work as the other way, and a line for the clinic's timeline; the address itself is not kept.
        row.status, row.skip_reason = DeliveryStatus.SKIPPED, SkipReason.ADDRESS_TAKEN
    session.add(row)
    answered(person, now.course)
    store.activities.add(session, person.id, now.course, "asked to change the address")


def change(session: Session, found: Found, now: Now, origin: Origin, suppression_key: str) -> Answer:
    """Take up the new address. `found` is an open NEW_ADDRESS link, held."""
    link, person = found.link, found.person
    if link is None or person is None or not _free(session, link.new_canonical, suppression_key):
        return Answer.TAKEN
    before = person.email_canonical
    try:
        with session.begin_nested():
            person.email, person.email_canonical = link.new_email, link.new_canonical
            session.flush()
    except IntegrityError:
        return Answer.TAKEN  # somebody has signed up with it this very moment
    link.take("change")
    session.flush()
    _move_sign_ups(session, before, person)
    _record(session, person, before, now, origin, suppression_key)
    make_void(session, person, now)
    answered(person, now.course)
    return Answer.CHANGED


def _free(session: Session, canonical: str, suppression_key: str) -> bool:
    """Say whether an address belongs to nobody here and is not stopped. Both are looked at, whatever the first says."""
    stopped = suppressed(session, suppression_key, canonical) is not None
    known = session.scalar(select(exists().where(Subscriber.email_canonical == canonical)))
    return not (stopped or known)


def _move_sign_ups(session: Session, before: str, person: Subscriber) -> None:
    """Let the person's handled forms follow: they are found by their address, by an erasure, too."""
    mine = update(SignUp).where(SignUp.email_canonical == before, SignUp.handled_at.is_not(None))
    values = {"email": person.email, "email_canonical": person.email_canonical}
    session.execute(mine.values(**values).execution_options(synchronize_session=False))


def _record(session: Session, person: Subscriber, before: str, now: Now, origin: Origin, key: str) -> None:
    """Keep on record that what was agreed to goes on at another address, confirmed there."""
    old, new = (email_hash(key, each)[:FINGERPRINT] for each in (before, person.email_canonical))
    events = store.consents.events_of(session, person.id)
    agreed = granted((ConsentKind(e.kind), frozenset(Purpose(p) for p in e.purposes.split())) for e in events)
    wording = next((e.wording_id for e in reversed(events) if e.kind == ConsentKind.CONFIRMED), None)
    session.add(
        store.consents.ConsentEvent(
            subscriber_id=person.id,
            kind=ConsentKind.CONFIRMED,
            purposes=" ".join(purpose for purpose in Purpose if purpose in agreed),
            wording_id=wording,
            at=now.course,
            channel="address change",
            ip=origin.ip[:45],
            user_agent=origin.user_agent[:300],
            detail=f"the address changed from fingerprint {old} to {new}",
        )
    )
    store.activities.add(session, person.id, now.course, "changed the address")
