"""Write down what became of a call, and hand the enrollment on to be planned.

A result that comes after its lease was lost finds no claimed row and changes nothing: the sweep has taken over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

import structlog
from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.failures import GAVE_UP
from leadmagnet.domain.message import Outcome, Result
from leadmagnet.domain.retry import retry_at
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.among import among, among_given
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.in_hand import Claimed
from leadmagnet.store.subscribers import Subscriber

log = structlog.get_logger(__name__)

#: Plans what follows emails that are over, at an instant of the course; returns how many enrollments that were.
PlanNext = Callable[[Session, Sequence[Claimed], datetime], int]
#: Characters that the ledger keeps of a provider's words, and of its id.
DETAIL = 300
PROVIDER_ID = 120


@dataclass(slots=True)
class Tally:
    """What happened, in deliveries."""

    planned: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    retried: int = 0
    skipped: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.planned += other.planned
        self.sent += other.sent
        self.failed += other.failed
        self.unknown += other.unknown
        self.retried += other.retried
        for reason, count in other.skipped.items():
            self.skipped[reason] += count


def settle_results(
    session: Session,
    claim_id: str,
    pairs: Sequence[tuple[Claimed, Result]],
    now: Now,
    *,
    evidence_seconds: Callable[[str], float],
    jitter: float,
    tally: Tally,
    plan_next: PlanNext | None = None,
) -> None:
    """Write the results of one batch down; `pairs` are rows of the ledger with their results.

    `evidence_seconds` says, for a provider's name, how long its events may still tell what became of an unknown letter.
    `plan_next` plans what follows at once; without it, the enrollments ask for a plan.
    """
    groups: dict[Outcome, list[tuple[Claimed, Result]]] = defaultdict(list)
    for row, result in pairs:
        groups[result.outcome].append((row, result))
    for row, result in groups[Outcome.UNKNOWN]:
        values = unknown(now, result, evidence_seconds(result.provider))
        tally.unknown += len(store.claims.settle(session, claim_id, [row.id], **values))
    store.claims.give_back(session, claim_id, [row.id for row, _ in groups[Outcome.UNTRIED]])
    ended: set[int] = set()
    for row, result in groups[Outcome.REJECTED]:
        ended |= store.claims.settle(session, claim_id, [row.id], **_failed(now, result.detail, result.provider))
    tally.failed += len(ended)
    again = {row.id: (result.detail, result.retry_after) for row, result in groups[Outcome.RETRY]}
    ended |= retry(session, claim_id, again, now, jitter, tally)
    not_sent = ended.copy()
    ended |= _sent(session, claim_id, groups[Outcome.SENT], now, tally)
    over = [row for row, _ in pairs if row.id in ended]
    if plan_next is None:
        hand_on(session, over, now.course)
    else:
        _plan_on(session, over, now.course, plan_next, tally)
        # Behind the plan, which locks the sequence: whoever ends its pause takes that first, and then enrollments.
        course = {row.enrollment_id for row in over if row.id in not_sent and row.enrollment_id is not None}
        store.enrollments.note_end(session, course, now.course)


def _sent(session: Session, claim_id: str, pairs: Sequence[tuple[Claimed, Result]], now: Now, tally: Tally) -> set[int]:
    """One answer of the provider may cover all, as SendGrid's does, or each has its own, as with SMTP."""
    values = {"status": DeliveryStatus.SENT, "sent_at": now.course, "settled_at": now.real, "detail": ""}
    told = {row.id: (result.provider, result.provider_id[:PROVIDER_ID]) for row, result in pairs}
    answers = set(told.values())
    if len(answers) == 1:
        ((values["provider"], values["provider_id"]),) = answers
        ids = store.claims.settle(session, claim_id, told, **values)
    else:
        ids = store.answers.settle(session, claim_id, told, **values)
    tally.sent += len(ids)
    reminded = [row.subscriber_id for row, _ in pairs if row.id in ids and row.kind == DeliveryKind.REMINDER]
    count_reminders(session, reminded)
    first = (row for row, _ in pairs if row.unreminded and row.kind == DeliveryKind.VIDEO)
    begun = [row.subscriber_id for row in first if row.id in ids]
    begin_reminders(session, begun, now.course)
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
    failures: Mapping[int, tuple[str, float | None]],
    now: Now,
    jitter: float,
    tally: Tally,
) -> set[int]:
    """Make rows due again after a wait, or give them up when their budget is spent; return the ids given up.

    `failures`: by ledger id, what was said, and the seconds that the provider asked for.
    """
    groups: dict[tuple[int, str, float | None], list[int]] = defaultdict(list)
    if failures:
        for row_id, attempts in session.execute(
            select(Delivery.id, Delivery.attempts).where(among(Delivery.id, failures))
        ):
            groups[attempts + 1, *failures[row_id]].append(row_id)
    given_up: set[int] = set()
    for (attempts, detail, retry_after), group in groups.items():
        again = retry_at(attempts, now.real, jitter=jitter, retry_after=retry_after)
        if again is None:
            given_up |= store.claims.settle(session, claim_id, group, **_failed(now, f"{GAVE_UP}{detail}", ""))
        else:
            values = {"attempts": attempts, "retry_at": again, "detail": detail[:DETAIL]}
            tally.retried += len(store.claims.give_back(session, claim_id, group, **values))
    tally.failed += len(given_up)
    return given_up


class Ended(Protocol):
    """A delivery that is over, one way or another."""

    @property
    def enrollment_id(self) -> int | None:
        """The enrollment that goes on after it; None for what is no step."""
        ...


def hand_on(session: Session, rows: Iterable[Ended], now: datetime) -> None:
    """Ask for the next plan of the enrollments behind deliveries that are over."""
    waiting = {row.enrollment_id for row in rows if row.enrollment_id is not None}
    if waiting:
        store.enrollments.want_plan(session, waiting, last_settled_at=now)


def _plan_on(session: Session, rows: Sequence[Claimed], now: datetime, plan_next: PlanNext, tally: Tally) -> None:
    """Plan what follows, within the transaction; a plan that fails must not cost us the provider's answer."""
    steps = [row for row in rows if row.enrollment_id is not None]
    if not steps:
        return
    try:
        with session.begin_nested():
            tally.planned += plan_next(session, steps, now)
    except OperationalError:
        raise  # the database, not the plan: all of it is written once more
    except Exception as error:  # noqa: BLE001 (whatever it is, it must not cost us the answer)
        # The planner meets the error by itself, and there nothing catches it.
        said = store.short(error)
        log.error("not planned with the answer", enrollments=len(steps), error=said)  # noqa: TRY400 (a traceback shows values, which are addresses)
        hand_on(session, steps, now)


def begin_reminders(session: Session, subscriber_ids: Collection[int], now: datetime) -> None:
    """After a first video, let reminders begin."""
    if subscriber_ids:
        session.connection().execute(_begin_reminders(), {"ids": subscriber_ids, "moment": now})


@cache
def _begin_reminders() -> Executable:
    statement = update(Subscriber).where(among_given(Subscriber.id), Subscriber.remind_at.is_(None))
    return statement.values(remind_at=bindparam("moment"))


def count_reminders(session: Session, subscriber_ids: Collection[int]) -> None:
    """Count sent reminders as unanswered until the person acts."""
    if subscriber_ids:
        session.connection().execute(_count_reminders(), {"ids": subscriber_ids})


@cache
def _count_reminders() -> Executable:
    return update(Subscriber).where(among_given(Subscriber.id)).values(unanswered=Subscriber.unanswered + 1)
