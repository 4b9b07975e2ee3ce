"""Write down what became of a call, and hand the enrollment on to be planned.

A result that comes after its lease was lost finds no claimed row and changes nothing: the sweep has taken over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.message import Outcome, Result
from leadmagnet.domain.retry import retry_at
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

DETAIL = 300


@dataclass(slots=True)
class Tally:
    """What happened, in deliveries."""

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    retried: int = 0
    skipped: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.sent += other.sent
        self.failed += other.failed
        self.unknown += other.unknown
        self.retried += other.retried
        for reason, count in other.skipped.items():
            self.skipped[reason] += count


def settle_results(
    session: Session,
    claim_id: str,
    pairs: Sequence[tuple[int, Result]],
    now: Now,
    *,
    message_ids: dict[int, str],
    evidence_seconds: float,
    jitter: float,
    tally: Tally,
) -> None:
    """Write the results of one batch down; `pairs` are ledger ids with their results."""
    ended: set[int] = set()
    for row_id, result in pairs:
        if result.outcome is Outcome.SENT:
            continue
        if result.outcome is Outcome.REJECTED:
            gone = store.claims.settle(session, claim_id, [row_id], **_failed(now, result.detail, result.provider))
            tally.failed += len(gone)
            ended |= gone
        elif result.outcome is Outcome.UNKNOWN:
            values = unknown(now, result, evidence_seconds)
            tally.unknown += len(store.claims.settle(session, claim_id, [row_id], **values))
        else:
            ended |= retry(session, claim_id, [row_id], now, result.detail, result.retry_after, jitter, tally)
    ended |= _sent(session, claim_id, pairs, now, message_ids, tally)
    hand_on(session, ended, now.course)


def _sent(
    session: Session,
    claim_id: str,
    pairs: Sequence[tuple[int, Result]],
    now: Now,
    message_ids: dict[int, str],
    tally: Tally,
) -> set[int]:
    taken = {row_id: result for row_id, result in pairs if result.outcome is Outcome.SENT}
    common = {"status": DeliveryStatus.SENT, "sent_at": now.course, "settled_at": now.real, "detail": ""}
    ids = store.claims.settle(session, claim_id, list(taken), **common)
    if ids:
        notes = [
            {
                "id": row_id,
                "provider": taken[row_id].provider,
                "provider_id": taken[row_id].provider_id[:120],
                "message_id": message_ids[row_id],
            }
            for row_id in sorted(ids)
        ]
        session.execute(update(Delivery), notes)
    tally.sent += len(ids)
    count_reminders(session, ids)
    return ids


def _failed(now: Now, detail: str, provider: str) -> dict[str, Any]:
    return {
        "status": DeliveryStatus.FAILED,
        "settled_at": now.real,
        "detail": detail[:DETAIL],
        "provider": provider,
        "attempts": Delivery.attempts + 1,
    }


def unknown(now: Now, result: Result, evidence_seconds: float) -> dict[str, Any]:
    """Return the columns of a delivery of which nobody knows whether it was taken."""
    return {
        "status": DeliveryStatus.UNKNOWN,
        "lease_until": now.real + timedelta(seconds=evidence_seconds),
        "provider": result.provider,
        "detail": result.detail[:DETAIL],
    }


def retry(
    session: Session,
    claim_id: str,
    ids: Collection[int],
    now: Now,
    detail: str,
    retry_after: float | None,
    jitter: float,
    tally: Tally,
) -> set[int]:
    """Make rows due again after a wait, or give them up when their budget is spent; return the ids given up."""
    by_attempts: dict[int, list[int]] = defaultdict(list)
    for row_id, attempts in session.execute(select(Delivery.id, Delivery.attempts).where(Delivery.id.in_(ids))):
        by_attempts[attempts + 1].append(row_id)
    given_up: set[int] = set()
    for attempts, group in by_attempts.items():
        again = retry_at(attempts, now.real, jitter=jitter, retry_after=retry_after)
        if again is None:
            given_up |= store.claims.settle(session, claim_id, group, **_failed(now, f"gave up: {detail}", ""))
        else:
            values = {"attempts": attempts, "retry_at": again, "detail": detail[:DETAIL]}
            tally.retried += len(store.claims.give_back(session, claim_id, group, **values))
    tally.failed += len(given_up)
    return given_up


def hand_on(session: Session, ids: Collection[int], now: datetime) -> None:
    """Ask for the next plan of the enrollments behind settled deliveries, and begin reminders after a first video."""
    if not ids:
        return
    enrollments = select(Delivery.enrollment_id).where(Delivery.id.in_(ids), Delivery.enrollment_id.is_not(None))
    session.execute(
        update(Enrollment)
        .where(Enrollment.id.in_(enrollments.scalar_subquery()))
        .values(wants_plan=True, last_settled_at=now)
        .execution_options(synchronize_session=False)
    )
    watchers = select(Delivery.subscriber_id).where(
        Delivery.id.in_(ids), Delivery.kind == DeliveryKind.VIDEO, Delivery.status == DeliveryStatus.SENT
    )
    session.execute(
        update(Subscriber)
        .where(Subscriber.id.in_(watchers.scalar_subquery()), Subscriber.remind_at.is_(None))
        .values(remind_at=now)
        .execution_options(synchronize_session=False)
    )


def count_reminders(session: Session, ids: Collection[int]) -> None:
    """Count sent reminders as unanswered until the person acts."""
    reminded = select(Delivery.subscriber_id).where(
        Delivery.id.in_(ids), Delivery.kind == DeliveryKind.REMINDER, Delivery.status == DeliveryStatus.SENT
    )
    session.execute(
        update(Subscriber)
        .where(Subscriber.id.in_(reminded.scalar_subquery()))
        .values(unanswered=Subscriber.unanswered + 1)
        .execution_options(synchronize_session=False)
    )
