"""Claimed emails that must not go out after all: held for a time, skipped for good, or to a stopped address.

Who is known here and on the list of stopped addresses was stopped when the address came on it. The look at fingerprints
is the second one: for an address that changed, or a person who came back from a copy of the database.
Must not know: letters, providers, why an address is on the list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, EnrollmentStatus, SkipReason, SubscriberStatus
from leadmagnet.store.among import among
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.in_hand import Claimed, Stopped
from leadmagnet.store.subscribers import Subscriber

_OPEN = (SubscriberStatus.PENDING, SubscriberStatus.ACTIVE)


def put_aside(session: Session, claim_id: str, ids: Collection[int], tally: Tally) -> None:
    """Hold what a pause, pain or a missing consent stops for a time; skip the rest for good, with the reason.

    `ids` stand claimed under this id, and may not be sent.
    """
    if not ids:
        return
    rows = store.in_hand.stopped(session, claim_id, ids)
    resting = [row.id for row in rows if _rests(row)]
    # What is allowed after all was not a moment ago: a pause has ended since, and it goes with the next claim.
    store.claims.give_back(session, claim_id, [*resting, *(row.id for row in rows if row.allowed)])
    if resting:
        tally.skipped[SkipReason.SEQUENCE_PAUSED] += len(resting)
    for row in rows:
        if row.allowed or _rests(row):
            continue
        reason = _reason(row)
        course = row.kind in (DeliveryKind.VIDEO, DeliveryKind.FINISHED)
        if reason is not SkipReason.NOT_ACTIVE and course:
            store.claims.give_back(session, claim_id, [row.id], held=str(reason))
            if reason is SkipReason.NO_CONSENT and row.enrollment_id:
                # Who agreed anew this moment has asked for a plan that may have met a row in our hands.
                store.enrollments.want_plan(session, [row.enrollment_id])
        else:
            skipped = {"status": DeliveryStatus.SKIPPED, "skip_reason": reason}
            store.claims.settle(session, claim_id, [row.id], **skipped)
        tally.skipped[reason] += 1


def _reason(row: Stopped) -> SkipReason:
    """Return what of the person's own stands in an email's way."""
    if row.person_status != SubscriberStatus.ACTIVE:
        return SkipReason.NOT_ACTIVE
    own = (
        (SkipReason.HURT, row.hurt),
        (SkipReason.PAUSED, row.paused),
        (SkipReason.UNREACHABLE, row.unreachable),
        (SkipReason.NO_CONSENT, not row.wanted),
    )
    return next((reason for reason, holds in own if holds), SkipReason.NOT_ACTIVE)


def _rests(row: Stopped) -> bool:
    """Say whether nothing but the pause of its sequence stands in an email's way."""
    alone = _reason(row) is SkipReason.NOT_ACTIVE
    return row.sequence_paused and alone and row.person_status == SubscriberStatus.ACTIVE


def barred_among(session: Session, rows: Sequence[Claimed], suppression_key: str) -> set[str]:
    """Return those addresses of claimed rows that are suppressed.

    An address that was erased and not stopped is open to whoever confirms it anew; an import confirms nothing.
    """
    if not (rows and suppression_key):
        return set()
    by_canonical = {row.email_canonical: row for row in rows}
    found = store.suppressions.reasons(session, suppression_key, by_canonical.keys())
    return {
        by_canonical[canonical].email
        for canonical, reason in found.items()
        if reason != store.suppressions.ERASED or not _asks_anew(by_canonical[canonical])
    }


def _asks_anew(row: Claimed) -> bool:
    return row.confirmed or row.kind == DeliveryKind.CONFIRMATION


def bar(session: Session, claim_id: str, rows: Sequence[Claimed], now: Now, tally: Tally) -> None:
    """Skip claimed rows for good, and stop their people: otherwise the planner would plan them anew."""
    if not rows:
        return
    skipped = {"status": DeliveryStatus.SKIPPED, "skip_reason": SkipReason.SUPPRESSED}
    gone = store.claims.settle(session, claim_id, [row.id for row in rows], **skipped)
    tally.skipped[SkipReason.SUPPRESSED] += len(gone)
    _stop(session, {row.subscriber_id for row in rows}, now)


def _stop(session: Session, ids: Collection[int], now: Now) -> None:
    locked = select(Subscriber.id).where(among(Subscriber.id, ids)).order_by(Subscriber.id).with_for_update()
    session.connection().execute(locked)
    people = update(Subscriber).where(among(Subscriber.id, ids), Subscriber.status.in_(_OPEN))
    values = {"status": SubscriberStatus.UNSUBSCRIBED, "left_at": now.course, "left_real_at": now.real}
    session.execute(people.values(**values, remind_at=None).execution_options(synchronize_session=False))
    store.claims.skip_due(session, SkipReason.SUPPRESSED, among(Delivery.subscriber_id, ids))
    going = among(Enrollment.subscriber_id, ids), Enrollment.status == EnrollmentStatus.ACTIVE
    over = update(Enrollment).where(*going).values(status=EnrollmentStatus.STOPPED, wants_plan=False)
    session.execute(over.execution_options(synchronize_session=False))
