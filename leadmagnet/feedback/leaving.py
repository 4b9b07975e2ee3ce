"""Leaving: all emails stop at once, whatever was due. Works twice, works for the pending, never asks for a login.

`leave` is the one way in for whoever hears that a person wants no more emails, by whichever channel. Must not know:
pages, mailboxes, providers.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, not_, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import ALL, Channel, ConsentKind, Origin
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.status import (
    STOPPED,
    DeliveryKind,
    DeliveryStatus,
    EnrollmentStatus,
    SkipReason,
    SubscriberStatus,
    after,
)
from leadmagnet.feedback.fresh_links import TEXTS
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

#: The texts of emails that whoever has left may still ask for.
_RIGHTS = (TEXTS[Opens.DATA], TEXTS[Opens.ERASE])
#: Facts that have a channel of their own, whichever way they were told.
_OF_FACTS = {SubscriberStatus.BOUNCED: Channel.BOUNCE, SubscriberStatus.COMPLAINED: Channel.COMPLAINT}


def drop(session: Session, theirs: ColumnElement[bool], status: SubscriberStatus, now: datetime) -> None:
    """Skip what is due to people who stand at `status` from now on. `now` is on the course clock.

    Who has left keeps their right to a copy and to be erased, so a link to these still comes. A confirmation that is in
    somebody's hands cannot be skipped: it is closed, so that it goes out no more once it comes back.
    """
    rights = Delivery.kind == DeliveryKind.FRESH_LINK, Delivery.text_slug.in_(_RIGHTS)
    gone = and_(theirs, not_(and_(*rights))) if status is SubscriberStatus.UNSUBSCRIBED else theirs
    store.claims.skip_due(session, SkipReason.NOT_ACTIVE, gone)
    in_hand = Delivery.status.in_((DeliveryStatus.CLAIMED, DeliveryStatus.UNKNOWN))
    asked = update(Delivery).where(theirs, in_hand, Delivery.kind == DeliveryKind.CONFIRMATION)
    session.execute(asked.values(closes_at=now).execution_options(synchronize_session=False))


def channel_of(fact: SubscriberStatus, told_by: str) -> str:
    """Return by which way an end came, in the words of the record."""
    return _OF_FACTS.get(fact, told_by)


def kind_of(fact: SubscriberStatus) -> ConsentKind:
    """Return what an end is to the record of consent. An address that takes no mail is nobody's wish."""
    return ConsentKind.STOPPED if fact is SubscriberStatus.BOUNCED else ConsentKind.WITHDRAWN


def leave(
    session: Session,
    person: Subscriber,
    now: Now,
    channel: str,
    ip: str = "",
    user_agent: str = "",
    actor: str = "subscriber",
    *,
    asked_at: datetime | None = None,
) -> bool:
    """Stop all emails to a person, as that person wishes. False when they were stopped already.

    Then only what they had asked for on a form since is taken back. `channel` is one of domain/consent.py's Channel;
    `asked_at` when they said so (course clock), where that was before `now`.
    """
    if person.status in STOPPED and asked_at is None:
        person.left_real_at = now.real
        drop(session, Delivery.subscriber_id == person.id, SubscriberStatus.UNSUBSCRIBED, now.course)
    return stop(session, person, SubscriberStatus.UNSUBSCRIBED, now, channel, ip, user_agent, actor, asked_at=asked_at)


def stop(
    session: Session,
    person: Subscriber,
    fact: SubscriberStatus,
    now: Now,
    channel: str,
    ip: str = "",
    user_agent: str = "",
    actor: str = "subscriber",
    *,
    asked_at: datetime | None = None,
) -> bool:
    """Stop all emails to a person for a fact: left, bounced or complained. A stronger one than before is written down.

    False where the person stands there already, or for a stronger fact: then nothing changes.
    """
    before = SubscriberStatus(person.status)
    status = after(before, fact)
    if status == before:
        return False
    person.status = status
    person.left_at, person.left_real_at = person.left_at or now.course, person.left_real_at or now.real
    if before in (SubscriberStatus.PENDING, SubscriberStatus.ACTIVE):
        person.left_at, person.left_real_at = now.course, now.real
    person.remind_at = person.paused_at = person.paused_until = person.snoozed_until = None
    store.consents.record(
        session,
        person,
        kind_of(fact),
        ALL,
        now.course,
        channel=channel_of(fact, channel),
        origin=Origin(ip, user_agent),
        asked_at=asked_at,
        detail="" if actor == "subscriber" else f"by {actor}",
    )
    drop(session, Delivery.subscriber_id == person.id, status, now.course)
    session.execute(
        update(Enrollment)
        .where(Enrollment.subscriber_id == person.id, Enrollment.status == EnrollmentStatus.ACTIVE)
        .values(status=EnrollmentStatus.STOPPED, wants_plan=False)
    )
    return True
