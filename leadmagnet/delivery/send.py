"""One batch through the send path.

Claim, begin the call, call, settle. Three short transactions, none across the network.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.letters import Desk, Outgoing, batches
from leadmagnet.delivery.settle import Tally, hand_on, retry, settle_results
from leadmagnet.domain.message import Mailer, MailError, Result
from leadmagnet.domain.retry import lease_end
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SkipReason
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.links import Links
from leadmagnet.store.base import random_id
from leadmagnet.store.claims import may_receive
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

log = structlog.get_logger(__name__)

#: After a refusal of the whole provider: how long nothing is claimed before one careful try (real seconds).
HALT_SECONDS = 60
#: Seconds between tries to write down a provider's answer; together well below a lease.
SETTLE_WAITS = (0.1, 0.5, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Post:
    """What the send path needs, besides a claim."""

    engine: Engine
    mailer: Mailer
    clinic: Clinic
    links: Links
    lease_seconds: float
    evidence_seconds: float


def send_due(post: Post, clock: Callable[[], Now], lane: int, tally: Tally, *, limit: int | None = None) -> int:
    """Claim and send one batch of a lane; return how many rows were claimed, 0 when nothing is due."""
    now = clock()
    claim_id = random_id()
    with store.writing(post.engine) as session:
        if _halted(session, now):
            return 0
        careful = store.halts.current(session) is not None
        ids = store.claims.claim(
            session,
            now=now.course,
            real_now=now.real,
            lease_until=lease_end(now.real, post.lease_seconds),
            claim_id=claim_id,
            lane=lane,
            limit=1 if careful else (limit or post.mailer.batch_size),
        )
    if not ids:
        return 0
    for outgoing in _prepare(post, claim_id, ids, now, tally):
        if not _call(post, clock, claim_id, outgoing, tally):
            break
    return len(ids)


def _halted(session: Session, now: Now) -> bool:
    halt = store.halts.current(session)
    return halt is not None and halt.until > now.real


def _prepare(post: Post, claim_id: str, ids: list[int], now: Now, tally: Tally) -> list[Outgoing]:
    """Look at consent, put aside who may not receive, and write the letters of the others."""
    with store.writing(post.engine) as session:
        allowed = set(
            session.scalars(
                select(Delivery.id)
                .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
                .where(Delivery.id.in_(ids), may_receive())
            )
        )
        _put_aside(session, claim_id, [row_id for row_id in ids if row_id not in allowed], tally)
        query = select(Delivery).where(Delivery.id.in_(allowed)).order_by(Delivery.due_at, Delivery.id)
        rows = session.scalars(query).all()
        desk = Desk(session, rows)
        return batches(desk, rows, now, clinic=post.clinic, links=post.links, most=post.mailer.batch_size)


def _put_aside(session: Session, claim_id: str, ids: list[int], tally: Tally) -> None:
    """Hold what a pause or pain stops for a time; skip the rest for good, with the reason."""
    query = select(Delivery, Subscriber).join(Subscriber, Subscriber.id == Delivery.subscriber_id)
    for row, person in session.execute(query.where(Delivery.id.in_(ids))):
        stopped = person.hurt_at is not None or person.paused_at is not None
        reason = SkipReason.HURT if person.hurt_at else SkipReason.PAUSED if person.paused_at else SkipReason.NOT_ACTIVE
        course = row.kind in (DeliveryKind.VIDEO, DeliveryKind.FINISHED)
        if stopped and course and person.status == "active":
            store.claims.give_back(session, claim_id, [row.id], held=str(reason))
        else:
            skipped = {"status": DeliveryStatus.SKIPPED, "skip_reason": reason}
            store.claims.settle(session, claim_id, [row.id], **skipped)
        tally.skipped[reason] += 1


def _call(post: Post, clock: Callable[[], Now], claim_id: str, outgoing: Outgoing, tally: Tally) -> bool:
    """Call the provider with one batch; False when the rest of the claim must not be tried now."""
    begun = clock()
    with store.writing(post.engine) as session:
        ready = store.claims.begin_call(session, claim_id, outgoing.ids, begun.real)
        gone = [row_id for row_id in outgoing.ids if row_id not in ready]
        _put_aside(session, claim_id, gone, tally)
    outgoing = _only(outgoing, ready)
    if not outgoing.ids:
        return True
    try:
        results = post.mailer.send(outgoing.batch)
    except MailError as error:
        _refused(post, clock(), claim_id, outgoing, error, tally)
        return False
    _settle(post, clock, claim_id, outgoing, results, tally)
    return True


def _settle(
    post: Post,
    clock: Callable[[], Now],
    claim_id: str,
    outgoing: Outgoing,
    results: Sequence[Result],
    tally: Tally,
) -> None:
    """Write the answer down. It is known only here, so a database that is away for a moment is asked again."""
    found = {result.delivery_id: result for result in results}
    rows = list(zip(outgoing.ids, outgoing.batch.letters, strict=True))
    for wait in (*SETTLE_WAITS, None):
        mine = Tally()
        try:
            with store.writing(post.engine) as session:
                store.halts.lift(session)
                settle_results(
                    session,
                    claim_id,
                    [(row_id, found[letter.delivery_id]) for row_id, letter in rows],
                    clock(),
                    message_ids={row_id: letter.message_id for row_id, letter in rows},
                    evidence_seconds=post.evidence_seconds if post.mailer.has_evidence else 0,
                    jitter=random.random(),  # noqa: S311 (spreads retries; no secret)
                    tally=mine,
                )
        except OperationalError as error:
            if wait is None:
                raise
            log.warning("answer not written down, next try soon", wait_seconds=wait, error=str(error.orig)[:200])
            time.sleep(wait)
        else:
            tally.add(mine)
            return


def _only(outgoing: Outgoing, ready: set[int]) -> Outgoing:
    """Return the batch without those who left between the claim and the call."""
    kept = [
        (row_id, letter) for row_id, letter in zip(outgoing.ids, outgoing.batch.letters, strict=True) if row_id in ready
    ]
    batch = outgoing.batch
    letters = tuple(letter for _, letter in kept)
    return Outgoing(
        type(batch)(batch.content, batch.from_email, batch.from_name, batch.reply_to, letters),
        tuple(row_id for row_id, _ in kept),
    )


def _refused(post: Post, now: Now, claim_id: str, outgoing: Outgoing, error: MailError, tally: Tally) -> None:
    """The provider took nothing. A permanent refusal halts the queue for everybody, at no cost to any delivery."""
    jitter = random.random()  # noqa: S311 (spreads retries; no secret)
    with store.writing(post.engine) as session:
        everything = list(
            session.scalars(
                select(Delivery.id).where(Delivery.claim_id == claim_id, Delivery.status == DeliveryStatus.CLAIMED)
            )
        )
        if error.permanent:
            store.halts.stop(session, str(error), now.real, now.real + timedelta(seconds=HALT_SECONDS))
            store.claims.give_back(session, claim_id, everything, detail=str(error)[:300])
            log.error("sending halted", reason=str(error), waiting=len(everything), retry_in_seconds=HALT_SECONDS)
            return
        tried = [row_id for row_id in everything if row_id in outgoing.ids]
        given_up = retry(session, claim_id, tried, now, str(error), error.retry_after, jitter, tally)
        untried = [row_id for row_id in everything if row_id not in outgoing.ids]
        store.claims.give_back(session, claim_id, untried)
        if given_up:
            hand_on(session, given_up, now.course)
    log.warning("provider not reached", reason=str(error), waiting=len(tried))
