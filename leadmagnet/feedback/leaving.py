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
    """Stop all emails to a person. False when they were stopped already: then nothing changes."""
    status = after(SubscriberStatus(person.status), SubscriberStatus.UNSUBSCRIBED)
    if status == person.status:
        return False
    person.status, person.left_at, person.left_real_at = status, now.course, now.real
    person.remind_at = person.paused_at = person.paused_until = person.snoozed_until = None
    session.add(
        store.consents.ConsentEvent(
            subscriber_id=person.id,
            kind=ConsentKind.WITHDRAWN,
            at=now.course,
            channel=channel,
            ip=ip[:45],
            user_agent=user_agent[:300],
            detail="" if actor == "subscriber" else f"by {actor}",
        )
    )
    store.claims.skip_due(session, SkipReason.NOT_ACTIVE, Delivery.subscriber_id == person.id)
    session.execute(
        update(Enrollment)
        .where(Enrollment.subscriber_id == person.id, Enrollment.status == EnrollmentStatus.ACTIVE)
        .values(status=EnrollmentStatus.STOPPED, wants_plan=False)
    )
    return True
