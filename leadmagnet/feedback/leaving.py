"""Leaving: all emails stop at once, whatever was due. Works twice, works for the pending, never asks for a login."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import ConsentKind
from leadmagnet.domain.status import EnrollmentStatus, SkipReason, SubscriberStatus, after
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


def leave(
    session: Session,
    person: Subscriber,
    now: Now,
    channel: str,
    ip: str = "",
    user_agent: str = "",
    actor: str = "subscriber",
) -> bool:
    """Stop all emails to a person, as that person wishes. False when they were stopped already: nothing changes."""
    return stop(session, person, SubscriberStatus.UNSUBSCRIBED, now, channel, ip, user_agent, actor)


def stop(
    session: Session,
    person: Subscriber,
    fact: SubscriberStatus,
    now: Now,
    channel: str,
    ip: str = "",
    user_agent: str = "",
    actor: str = "subscriber",
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
    words = "" if actor == "subscriber" else f"by {actor}"
    session.add(
        store.consents.ConsentEvent(
            subscriber_id=person.id,
            kind=ConsentKind.WITHDRAWN,
            at=now.course,
            channel=channel,
            ip=ip[:45],
            user_agent=user_agent[:300],
            detail=words if fact is SubscriberStatus.UNSUBSCRIBED else f"{fact}, {words}",
        )
    )
    store.claims.skip_due(session, SkipReason.NOT_ACTIVE, Delivery.subscriber_id == person.id)
    session.execute(
        update(Enrollment)
        .where(Enrollment.subscriber_id == person.id, Enrollment.status == EnrollmentStatus.ACTIVE)
        .values(status=EnrollmentStatus.STOPPED, wants_plan=False)
    )
    return True
