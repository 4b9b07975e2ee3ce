"""What counts as an answer to reminders, and what an answer resets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.status import DeliveryKind, SkipReason
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


def answered(person: Subscriber, now: datetime, *, exercised: bool = False) -> None:
    """Note that the person has acted: reminders go back to the exercise days."""
    person.unanswered = 0
    person.last_active_at = now
    if exercised and person.started_at is None:
        person.started_at = now


def want_plan(session: Session, subscriber_id: int) -> None:
    """Ask the enrollment room to date the person's next email anew."""
    session.execute(
        update(Enrollment)
        .where(Enrollment.subscriber_id == subscriber_id, Enrollment.status == "active")
        .values(wants_plan=True)
    )


def drop_reminders(session: Session, subscriber_id: int, reason: SkipReason) -> None:
    """Skip reminders that have not gone out, for a recorded reason."""
    where = (Delivery.subscriber_id == subscriber_id) & (Delivery.kind == DeliveryKind.REMINDER)
    store.claims.skip_due(session, reason, where)
