"""What counts as an answer to reminders, and what an answer resets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SkipReason
from leadmagnet.store.among import among_given, fixed, one_of
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber


def answered(person: Subscriber, now: datetime, *, exercised: bool = False) -> None:
    """Note that the person has acted: reminders go back to the exercise days."""
    person.unanswered = 0
    person.last_active_at = now
    if exercised and person.started_at is None:
        person.started_at = now


def want_plan(session: Session, subscriber_id: int) -> None:
    """Ask the enrollment room to date the person's next email anew."""
    want_plans(session, [subscriber_id])


def want_plans(session: Session, subscriber_ids: Collection[int]) -> None:
    """Ask the same for several people."""
    if subscriber_ids:
        store.enrollments.people_want_plan(session, subscriber_ids)


def drop_reminders(session: Session, subscriber_id: int, reason: SkipReason) -> None:
    """Skip reminders that have not gone out, for a recorded reason."""
    drop_reminders_of(session, [subscriber_id], reason)


def drop_reminders_of(session: Session, subscriber_ids: Collection[int], reason: SkipReason) -> None:
    """Skip the reminders of several people that have not gone out, for a recorded reason."""
    if subscriber_ids:
        session.connection().execute(_dropped(), {"ids": subscriber_ids, "why": str(reason)})


def close_in_hand(session: Session, subscriber_id: int, now: datetime) -> None:
    """Let emails whose call may have begun be out or be dated anew, because the reader's window is another one.

    One that a provider takes is out. One that comes back (an outage, "later", no answer known) is not due again in the
    old window.
    """
    in_hand = one_of(Delivery.status, (DeliveryStatus.CLAIMED, DeliveryStatus.UNKNOWN))
    mine = among_given(Delivery.subscriber_id), in_hand
    closed = update(Delivery).where(*mine, Delivery.closes_at > now).values(closes_at=now)
    session.connection().execute(closed, {"ids": [subscriber_id]})


@cache
def _dropped() -> Executable:
    mine = among_given(Delivery.subscriber_id), Delivery.kind == DeliveryKind.REMINDER
    waiting = Delivery.status == fixed(DeliveryStatus.DUE)
    values = {"status": DeliveryStatus.SKIPPED, "skip_reason": bindparam("why")}
    return update(Delivery).where(waiting, *mine).values(**values)
