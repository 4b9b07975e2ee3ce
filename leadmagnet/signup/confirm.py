"""The button on the confirmation page: pending -> active, consent recorded, enrollment made.

A link lives seven days on the real clock and then offers a new one. Pressing it twice changes nothing more.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import COURSE, LINK_LIVES, Channel, ConsentKind, Origin, Purpose, read_purposes
from leadmagnet.domain.status import DeliveryKind, EnrollmentStatus, SubscriberStatus
from leadmagnet.signup.process import CONFIRMATION_COOL_DOWN, answer
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


class Answer(StrEnum):
    """What the link found."""

    READY = "ready"  #: may confirm
    CONFIRMED = "confirmed"
    ALREADY = "already"  #: was confirmed before
    EXPIRED = "expired"
    GONE = "gone"  #: nobody here by that number: purged or erased
    STOPPED = "stopped"  #: bounced or complained: no button brings emails back


def look(session: Session, subscriber_id: int, issued_at: datetime, now: Now) -> tuple[Answer, Subscriber | None]:
    """Say what the button would do, changing nothing."""
    person = session.get(Subscriber, subscriber_id)
    if person is None:
        return Answer.GONE, None
    if person.status == SubscriberStatus.ACTIVE:
        return Answer.ALREADY, person
    if person.status in (SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED):
        return Answer.STOPPED, person
    left_since = person.left_real_at is not None and issued_at <= person.left_real_at
    if now.real - issued_at > LINK_LIVES or left_since:
        return Answer.EXPIRED, person
    return Answer.READY, person


def confirm(
    session: Session, subscriber_id: int, issued_at: datetime, now: Now, origin: Origin, request_id: int | None = None
) -> tuple[Answer, Subscriber | None]:
    """Press the button. `request_id` names the request that the page showed; without it, it is the newest.

    The page says what is confirmed. A sign-up that somebody else sends between the page and the button is not.
    """
    session.execute(select(Subscriber.id).where(Subscriber.id == subscriber_id).with_for_update())
    found, person = look(session, subscriber_id, issued_at, now)
    if found is not Answer.READY or person is None:
        return found, person
    person.status = SubscriberStatus.ACTIVE
    person.confirmed_at = now.course
    person.left_at = person.left_real_at = None
    person.want(())
    asked = requested(session, person.id, request_id)
    form = asked.form if asked else person.source
    store.consents.record(
        session,
        person,
        ConsentKind.CONFIRMED,
        purposes_of(asked),
        now.course,
        channel=Channel.CONFIRMATION,
        origin=origin,
        wording_id=asked.wording_id if asked else None,
        form=form,
        page=asked.page if asked else "",
        detail=f"link issued {issued_at:%Y-%m-%dT%H:%M:%SZ}",
    )
    _enroll(session, person, form, now)
    return Answer.CONFIRMED, person


def requested(session: Session, subscriber_id: int, request_id: int | None = None) -> ConsentEvent | None:
    """Return what a person asked for on a form: the request of that id, else the newest; None where there is none."""
    events = [e for e in store.consents.events_of(session, subscriber_id) if e.kind == ConsentKind.REQUESTED]
    return next((e for e in events if e.id == request_id), events[-1] if events else None)


def purposes_of(asked: ConsentEvent | None) -> frozenset[Purpose]:
    """Return the kinds of emails that a request is about."""
    return read_purposes(asked.purposes) if asked else COURSE


def _enroll(session: Session, person: Subscriber, form_slug: str, now: Now) -> None:
    """Begin the form's sequence, or take up the one that leaving had stopped."""
    form = store.forms.get(session, form_slug) or store.forms.first(session)
    sequence = store.sequences.by_slug(session, form.sequence_slug) if form else None
    if sequence is None:
        return
    last = store.enrollments.newest_of(session, person.id, sequence.id)
    if last is None:
        session.add(Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=now.course))
        return
    # Coming back: on with the first unsent video, and with the reminders where they had begun.
    person.unanswered, person.remind_at = 0, now.course if last.last_settled_at else None
    if last.status == EnrollmentStatus.STOPPED:
        last.status, last.wants_plan = EnrollmentStatus.ACTIVE, True


def renew(session: Session, subscriber_id: int, now: Now) -> None:
    """Send a fresh link, for an old one that was opened too late. Within the cool-down nothing happens."""
    person = session.get(Subscriber, subscriber_id)
    if person and person.status in (SubscriberStatus.PENDING, SubscriberStatus.UNSUBSCRIBED):
        answer(session, person.id, DeliveryKind.CONFIRMATION, now, CONFIRMATION_COOL_DOWN)
