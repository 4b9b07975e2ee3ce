"""The button on the confirmation page: pending -> active, consent recorded, enrollment made.

A link lives seven days on the real clock and then offers a new one. Pressing it twice changes nothing more. Presses of
one moment are handled by the set: a few statements, however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import COURSE, LINK_LIVES, Channel, ConsentKind, Origin, Purpose, read_purposes
from leadmagnet.domain.status import DeliveryKind, EnrollmentStatus, SubscriberStatus
from leadmagnet.signup.answering import CONFIRMATION_COOL_DOWN, answer
from leadmagnet.store.consents import Requested, Said
from leadmagnet.store.subscribers import Subscriber


class Answer(StrEnum):
    """What the link found."""

    READY = "ready"  #: may confirm
    CONFIRMED = "confirmed"
    ALREADY = "already"  #: was confirmed before
    EXPIRED = "expired"
    GONE = "gone"  #: nobody here by that number: purged or erased
    STOPPED = "stopped"  #: bounced or complained: no button brings emails back


class Press(NamedTuple):
    """A button pressed: whose, and when its link was made (real clock)."""

    subscriber_id: int
    issued_at: datetime
    request_id: int | None = None
    """The request that the page showed; empty: the newest."""


#: What a link found, and whom; nobody by that number is None.
Found = tuple[Answer, Subscriber | None]


def look(session: Session, subscriber_id: int, issued_at: datetime, now: Now) -> Found:
    """Say what the button would do, changing nothing."""
    return _look(session.get(Subscriber, subscriber_id), issued_at, now)


def _look(person: Subscriber | None, issued_at: datetime, now: Now) -> Found:
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
) -> Found:
    """Press the button. `request_id` names the request that the page showed; without it, it is the newest.

    The page says what is confirmed. A sign-up that somebody else sends between the page and the button is not.
    """
    return confirm_all(session, [Press(subscriber_id, issued_at, request_id)], now, origin)[subscriber_id]


def confirm_all(session: Session, presses: Sequence[Press], now: Now, origin: Origin) -> dict[int, Found]:
    """Press the buttons of different people; return what each found, by subscriber id."""
    people = store.subscribers.locked(session, [press.subscriber_id for press in presses])
    found = {press.subscriber_id: _look(people.get(press.subscriber_id), press.issued_at, now) for press in presses}
    ready = {one: person for one, (answer, person) in found.items() if answer is Answer.READY and person is not None}
    if ready:
        pressed = [press for press in presses if press.subscriber_id in ready]
        requests = store.consents.requests_of(session, {press.subscriber_id: press.request_id for press in pressed})
        for person in ready.values():
            person.status = SubscriberStatus.ACTIVE
            person.confirmed_at = now.course
            person.left_at = person.left_real_at = None
            person.want(())
        said = [_said(ready[press.subscriber_id], requests.get(press.subscriber_id), press) for press in pressed]
        channel = Channel.CONFIRMATION
        store.consents.record_all(session, ConsentKind.CONFIRMED, said, now.course, channel=channel, origin=origin)
        _enroll(session, ready, requests, now)
    return found | {one: (Answer.CONFIRMED, person) for one, person in ready.items()}


def _said(person: Subscriber, asked: Requested | None, press: Press) -> Said:
    return Said(
        person,
        purposes_of(asked),
        wording_id=asked.wording_id if asked else None,
        form=asked.form if asked else person.source,
        page=asked.page if asked else "",
        detail=f"link issued {press.issued_at:%Y-%m-%dT%H:%M:%SZ}",
    )


def requested(session: Session, subscriber_id: int, request_id: int | None = None) -> Requested | None:
    """Return what a person asked for on a form: the request of that id, else the newest; None where there is none."""
    return store.consents.requests_of(session, {subscriber_id: request_id}).get(subscriber_id)


def purposes_of(asked: Requested | None) -> frozenset[Purpose]:
    """Return the kinds of emails that a request is about."""
    return read_purposes(asked.purposes) if asked else COURSE


def _enroll(session: Session, people: Mapping[int, Subscriber], requests: Mapping[int, Requested], now: Now) -> None:
    """Begin the form's sequence, or take up the one that leaving had stopped."""
    by_form: dict[str, list[Subscriber]] = {}
    for one, person in people.items():
        by_form.setdefault(requests[one].form if one in requests else person.source, []).append(person)
    by_sequence: dict[int, list[Subscriber]] = {}
    for slug, mine in by_form.items():
        form = store.forms.get(session, slug) or store.forms.first(session)
        sequence = store.sequences.by_slug(session, form.sequence_slug) if form else None
        if sequence is not None:
            by_sequence.setdefault(sequence.id, []).extend(mine)
    for sequence_id, mine in by_sequence.items():
        last = store.enrollments.newest_in(session, sequence_id, [person.id for person in mine])
        new = [person.id for person in mine if person.id not in last]
        store.enrollments.begin(session, sequence_id, new, now.course)
        for person in mine:
            if person.id in last:
                # Coming back: on with the first unsent video, and with the reminders where they had begun.
                person.unanswered = 0
                person.remind_at = now.course if last[person.id].begun else None
        stopped = [one.id for one in last.values() if one.status == EnrollmentStatus.STOPPED]
        if stopped:
            store.enrollments.want_plan(session, stopped, status=EnrollmentStatus.ACTIVE)


def renew(session: Session, subscriber_id: int, now: Now) -> None:
    """Send a fresh link, for an old one that was opened too late. Within the cool-down nothing happens."""
    person = session.get(Subscriber, subscriber_id)
    if person and person.status in (SubscriberStatus.PENDING, SubscriberStatus.UNSUBSCRIBED):
        answer(session, person.id, DeliveryKind.CONFIRMATION, now, CONFIRMATION_COOL_DOWN)
