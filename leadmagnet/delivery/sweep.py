"""Leases that are over: what a crash, or a call without an answer, has left behind.

Call not begun: due again, at no cost. Call begun: the mailer is asked for evidence (the outbox has it in its file
names); without any, `unknown` waits for the provider's events and is then sent once more with the same Message-ID.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.send import Post
from leadmagnet.delivery.settle import Tally, begin_reminders, count_reminders, hand_on
from leadmagnet.domain.failures import NO_ANSWER
from leadmagnet.domain.retry import retry_at
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.mail import has_evidence_from

#: A letter of which nobody can know is sent once more, and again after another silence, but not for ever: one that
#: kills its worker must come to an end. Then a person has to look. The first times it was one of many, so it takes
#: some more to know that it was the one. Where events would have told, there is no limit.
MOST_RESENT = 5
#: However silent the provider's events are, an unknown letter is sent once more after this long (real time).
LONGEST_HOLD = timedelta(hours=24)
#: Rows that go back at once because their call had not begun.
REOPENED = 5000


@dataclass(frozen=True, slots=True)
class Stale:
    """A row whose lease was over when it was looked at."""

    row_id: int
    public_id: str
    subscriber_id: int
    enrollment_id: int | None
    kind: str
    status: DeliveryStatus
    claim_id: str | None
    begun_at: datetime
    lane: int
    resent: int
    provider: str
    """Who has left it unknown; empty where a worker died during the call."""


def sweep(post: Post, now: Now, tally: Tally, limit: int = 200) -> int:
    """Settle up to `limit` rows whose lease is over and whose call had begun; return how many rows were over.

    Rows whose call had not begun are due again in one statement: a broker can lose many of them at once.
    """
    with store.writing(post.engine) as session:
        reopened = store.outstanding.reopen(session, now.real, REOPENED)
    with store.reading(post.engine) as session:
        stale = [
            Stale(
                row.id,
                row.public_id,
                row.subscriber_id,
                row.enrollment_id,
                row.kind,
                DeliveryStatus(row.status),
                row.claim_id,
                row.call_begun_at,
                row.lane,
                row.resent,
                row.provider if row.status == DeliveryStatus.UNKNOWN else "",
            )
            for row in store.claims.leases_over(session, now.real, limit)
            if row.call_begun_at is not None
        ]
    for row in stale:
        # Asked outside any transaction: the answer may come from a disk or from far away.
        taken = post.mailer.taken(row.public_id)
        with store.writing(post.engine) as session:
            _settle(session, post, now, tally, row, taken)
    return reopened + len(stale)


def _settle(session: Session, post: Post, now: Now, tally: Tally, row: Stale, taken: bool | None) -> None:
    if taken:
        values = {"status": DeliveryStatus.SENT, "sent_at": now.course, "settled_at": now.real}
        done = _end(session, row, provider=post.mailer.name, **values)
        tally.sent += len(done)
        if done and row.kind == DeliveryKind.REMINDER:
            count_reminders(session, [row.subscriber_id])
        if done and row.kind == DeliveryKind.VIDEO:
            begin_reminders(session, [row.subscriber_id], now.course)
        hand_on(session, [row] if done else [], now.course)
    elif taken is None and row.status is DeliveryStatus.CLAIMED and post.mailer.has_evidence:
        window = now.real + timedelta(seconds=post.evidence_seconds)
        values = {"status": DeliveryStatus.UNKNOWN, "lease_until": window, "detail": NO_ANSWER}
        tally.unknown += len(_end(session, row, **values))
    elif taken is None and _holds(session, post, now, row):
        _end(session, row, lease_until=now.real + timedelta(seconds=post.evidence_seconds))
    elif taken is None and row.resent >= MOST_RESENT and not _told(session, post, row):
        values = {"status": DeliveryStatus.FAILED, "settled_at": now.real, "detail": f"{NO_ANSWER}, again and again"}
        done = _end(session, row, **values)
        tally.failed += len(done)
        hand_on(session, [row] if done else [], now.course)
    elif taken is False:
        store.claims.reopen(session, row.row_id, row.status, row.claim_id)
    else:
        # Not at once: others go first, so that a letter which kills its worker does not stop the queue.
        again = retry_at(row.resent + 1, now.real)
        store.claims.reopen(session, row.row_id, row.status, row.claim_id, resent=row.resent + 1, retry_at=again)


def _holds(session: Session, post: Post, now: Now, row: Stale) -> bool:
    """Say whether an unknown letter must wait on, because the provider's events have not reached us either.

    Events that come in, of other letters, show that one of this letter would have come as well. An answer to what
    somebody has just done does not wait: missing is worse than twice there.
    """
    if row.status is not DeliveryStatus.UNKNOWN or not post.listens or row.lane == 0:
        return False
    if not has_evidence_from(post.mailer, row.provider) or now.real - row.begun_at > LONGEST_HOLD:
        return False
    return not _told(session, post, row)


def _told(session: Session, post: Post, row: Stale) -> bool:
    """Say whether the provider's events have reached us since the call, so that one of this letter would have, too."""
    listens = post.listens and has_evidence_from(post.mailer, row.provider)
    return listens and store.events.heard_since(session, row.begun_at)


def _end(session: Session, row: Stale, **values: Any) -> set[int]:
    return store.claims.end_claim(session, row.row_id, row.status, row.claim_id, **values)
