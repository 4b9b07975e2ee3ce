"""Sign-ups become pending subscribers with a confirmation due, or whatever the person's standing asks for.

Rules (docs/architecture.md, 'Coming back'): pending -> the confirmation goes out again, with a cool-down; active ->
nothing changes, one 'you are already in' a day at most; unsubscribed -> must confirm again; bounced, complained or
suppressed -> stays stopped. An anonymous sign-up never overwrites the data of somebody we know. More of them than the
caps allow are held before anybody looks at whose they are (admission.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import Channel, ConsentKind, Origin, read_purposes
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.signup.admission import Guard, admit
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.held import NETWORK_STAYS, whole_hour
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber

#: Real time between two confirmations to one address.
CONFIRMATION_COOL_DOWN = timedelta(minutes=10)
#: Real time between two 'you are already in' emails to one address.
ALREADY_COOL_DOWN = timedelta(days=1)
#: The day over which confirmations to one address are counted. Real time.
ADDRESS_WINDOW = timedelta(days=1)
#: Sign-ups that one transaction answers.
MOST_ANSWERED = 25


def process_sign_ups(
    session: Session,
    now: Now,
    *,
    clinic_zone: str,
    suppression_key: str,
    guard: Guard | None = None,
    limit: int = 200,
    most: int = MOST_ANSWERED,
) -> int:
    """Weigh up to `limit` sign-ups, waiting or in their turn; handle up to `most`. Return how many were weighed."""
    guard = guard or Guard()
    store.held.weigh_alone(session)
    rows = store.signups.waiting(session, limit)
    rows += store.held.turns(session, now.real, limit - len(rows))
    for row in admit(session, rows, guard, now.real, most):
        row.outcome = _handle(session, row, now, clinic_zone, suppression_key, guard.caps.address)
        row.handled_at, row.again_at = now.real, None
        row.network_until = whole_hour(now.real + NETWORK_STAYS)
        session.flush()
    return len(rows)


def _handle(
    session: Session, row: SignUp, now: Now, clinic_zone: str, suppression_key: str, most_a_day: int = 0
) -> str:
    if store.suppressions.suppressed(session, suppression_key, row.email_canonical):
        return "suppressed"
    person = _find(session, row.email_canonical)
    if person is None:
        person = _new(session, row, clinic_zone)
    if person.status in (SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED):
        return "stopped"
    if person.status == SubscriberStatus.ACTIVE:
        return answer(session, person.id, DeliveryKind.ALREADY_SUBSCRIBED, now, ALREADY_COOL_DOWN)
    _ask_consent(session, person, row)
    return answer(session, person.id, DeliveryKind.CONFIRMATION, now, CONFIRMATION_COOL_DOWN, most_a_day)


def _find(session: Session, email_canonical: str) -> Subscriber | None:
    query = select(Subscriber).where(Subscriber.email_canonical == email_canonical).with_for_update()
    return session.scalar(query)


def _new(session: Session, row: SignUp, clinic_zone: str) -> Subscriber:
    person = Subscriber(
        email=row.email,
        email_canonical=row.email_canonical,
        first_name=row.first_name,
        timezone=row.timezone or clinic_zone,
        source=row.form,
        track_links=row.track_links,
        created_at=row.asked_at,
    )
    session.add(person)
    session.flush()
    return person


def _ask_consent(session: Session, person: Subscriber, row: SignUp) -> None:
    store.consents.record(
        session,
        person,
        ConsentKind.REQUESTED,
        read_purposes(row.purposes),
        row.asked_at,
        channel=Channel.FORM,
        origin=Origin(row.ip, row.user_agent),
        wording_id=row.wording_id,
        form=row.form,
        page=row.page,
    )


def answer(
    session: Session, subscriber_id: int, kind: DeliveryKind, now: Now, cool_down: timedelta, most_a_day: int = 0
) -> str:
    """Make an answering email due at once, unless one of its kind is on its way or went out within `cool_down`.

    With `most_a_day`, that many of a kind within a day are enough, too.
    """
    if _recent(session, subscriber_id, kind, now.real - cool_down):
        return f"{kind} cool-down"
    if most_a_day and _often(session, subscriber_id, kind, now.real - ADDRESS_WINDOW) >= most_a_day:
        return f"{kind} cap"
    session.add(
        Delivery(
            subscriber_id=subscriber_id,
            kind=kind,
            lane=0,
            created_at=now.course,
            due_at=now.course,
            reason="asked for on a form",
        )
    )
    return str(kind)


def _recent(session: Session, subscriber_id: int, kind: DeliveryKind, since: datetime) -> bool:
    query = select(Delivery.id).where(Delivery.subscriber_id == subscriber_id, Delivery.kind == kind)
    open_or_fresh = (Delivery.status.in_([DeliveryStatus.DUE, DeliveryStatus.CLAIMED])) | (Delivery.settled_at >= since)
    return session.execute(query.where(open_or_fresh).limit(1)).first() is not None


def _often(session: Session, subscriber_id: int, kind: DeliveryKind, since: datetime) -> int:
    query = select(func.count()).where(Delivery.subscriber_id == subscriber_id, Delivery.kind == kind)
    return session.scalar(query.where(Delivery.settled_at >= since)) or 0
