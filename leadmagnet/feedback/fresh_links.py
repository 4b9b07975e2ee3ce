"""Links on request: asked for on the own page, sent to the person's address, good for one thing, once, for an hour.

To the outside the answer is the same whether a link goes out or the last one is too fresh.
Must not know: what a link opens does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.fresh_links import FOR_WHOM, ONE_DAY, Opens, alive, may_ask, open_parts
from leadmagnet.domain.status import DeliveryKind, SkipReason
from leadmagnet.store.base import random_id
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.fresh_links import FreshLink
from leadmagnet.store.subscribers import Subscriber

#: The email that carries a link, by what it opens.
TEXTS = {
    Opens.DATA: "fresh-data",
    Opens.ERASE: "fresh-erase",
    Opens.ADDRESS: "fresh-address",
    Opens.NEW_ADDRESS: "new-address",
}
_WORDS = {Opens.DATA: "for a copy of the data", Opens.ERASE: "to erase", Opens.ADDRESS: "to change the address"}


class State(StrEnum):
    """What a link finds."""

    OPEN = "open"
    OLD = "old"  #: its hour is over
    USED = "used"  #: all of it has been taken, or another link made it void
    GONE = "gone"  #: it was never there, or went with the person


@dataclass(frozen=True, slots=True)
class Found:
    """What a link finds, and whose it is. `parts` are what it still gives."""

    state: State
    link: FreshLink | None = None
    person: Subscriber | None = None
    parts: frozenset[str] = frozenset()


def ask(session: Session, person: Subscriber, opens: Opens, now: Now) -> bool:
    """Send a person a link; False where none goes out, because one did a moment ago or the person may not have it."""
    # Of two who press at once, one is first; the cool-down then counts for the other.
    session.execute(select(Subscriber.id).where(Subscriber.id == person.id).with_for_update())
    if person.status not in FOR_WHOM[opens]:
        return False
    if not may_ask(store.fresh_links.asked(session, person.id, opens, now.real - ONE_DAY), now.real):
        return False
    if not has_text(session, opens):
        return False
    link = FreshLink(subscriber_id=person.id, opens=opens, public_id=random_id(), asked_at=now.real)
    session.add(link)
    session.add(letter(link, opens, now, DeliveryKind.FRESH_LINK))
    store.activities.add(session, person.id, now.course, "asked for a link", detail=_WORDS[opens])
    return True


def has_text(session: Session, opens: Opens) -> bool:
    """Say whether the email for such a link is loaded. A letter without words would stop all those behind it."""
    return session.get(EmailText, TEXTS[opens]) is not None


def letter(link: FreshLink, opens: Opens, now: Now, kind: DeliveryKind) -> Delivery:
    """Return the delivery that carries a link: an answer, in the lane of answers."""
    return Delivery(
        public_id=link.public_id,
        subscriber_id=link.subscriber_id,
        kind=kind,
        text_slug=TEXTS[opens],
        lane=0,
        created_at=now.course,
        due_at=now.course,
        reason="asked for on the own page",
    )


def look(session: Session, opens: Opens, link_id: int, issued: datetime, now: Now) -> Found:
    """Say what a link finds, changing nothing. `issued` is when its letter was written (real time)."""
    link = session.get(FreshLink, link_id)
    return _found(session, link, opens, issued, now)


def hold(session: Session, opens: Opens, link_id: int, issued: datetime, now: Now) -> Found:
    """The same with the link locked, for somebody who is about to take something with it."""
    return _found(session, store.fresh_links.held(session, link_id), opens, issued, now)


def make_void(session: Session, person: Subscriber, now: Now) -> None:
    """Make all links of a person void, and keep back the ones whose letter has not gone out."""
    store.fresh_links.make_void(session, person.id, now.real)
    on_request = Delivery.kind.in_([DeliveryKind.FRESH_LINK, DeliveryKind.NEW_ADDRESS])
    store.claims.skip_due(session, SkipReason.SUPERSEDED, (Delivery.subscriber_id == person.id) & on_request)


def _found(session: Session, link: FreshLink | None, opens: Opens, issued: datetime, now: Now) -> Found:
    person = session.get(Subscriber, link.subscriber_id) if link else None
    if link is None or person is None or link.opens != opens:
        return Found(State.GONE)
    parts = open_parts(opens, link.parts, void=link.void_at is not None)
    if not parts:
        return Found(State.USED, link, person)
    # Who was active when they asked may have left, bounced or complained since.
    if not alive(issued, now.real) or person.status not in FOR_WHOM[opens]:
        return Found(State.OLD, link, person)
    return Found(State.OPEN, link, person, parts)
