"""One batch through the send path.

Claim, begin the call, call, settle. Three short transactions, none across the network. direct.py takes the first two
together, where one worker does all of it and no limit holds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery import pace
from leadmagnet.delivery.letters import Desk, Outgoing, batches
from leadmagnet.delivery.settle import PlanNext, Tally, hand_on, retry, settle_results
from leadmagnet.domain.message import Mailer, MailError, Outcome, Result
from leadmagnet.domain.rates import Limits
from leadmagnet.domain.retry import lease_end
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SkipReason, SubscriberStatus
from leadmagnet.mail import has_evidence_from
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.links import Links
from leadmagnet.store.base import random_id
from leadmagnet.store.claims import Claimed

log = structlog.get_logger(__name__)

#: After a refusal of the whole provider: how long nothing is claimed before one careful try (real seconds).
HALT_SECONDS = 60
#: After a batch of which nothing is known: how long nothing is claimed before one careful try (real seconds).
UNKNOWN_SECONDS = 5
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
    #: Whether the provider's events reach us: then an unknown letter waits for them, and only while others come in.
    listens: bool = False
    limits: Limits = field(default_factory=Limits)
    #: Plans what follows an email together with its outcome. Without it, enrollments ask for a plan.
    plan_next: PlanNext | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that is ours until its lease is over. `ids` is empty where another process made the claim."""

    id: str
    ids: tuple[int, ...] = ()


def claim_due(post: Post, clock: Callable[[], Now], lane: int, *, limit: int | None = None) -> Claim | None:
    """Claim one batch of a lane; None when nothing is due, sending is halted, or a limit is reached."""
    now, claim_id = clock(), random_id()
    with store.writing(post.engine, durable=False) as session:
        halt = store.halts.current(session)
        if halt is not None and halt.blocks(now.real):
            return None
        wanted = 1 if halt is not None else (limit or post.mailer.batch_size)
        room = pace.room(session, post.limits, now.real, wanted, lane)
        if not room:
            return None
        ids = store.claims.claim(
            session,
            now=now.course,
            real_now=now.real,
            lease_until=lease_end(now.real, post.lease_seconds),
            claim_id=claim_id,
            lane=lane,
            limit=room,
        )
        pace.claimed(session, post.limits, now.real, len(ids))
    return Claim(claim_id, tuple(ids)) if ids else None


def send_claim(post: Post, clock: Callable[[], Now], claim: Claim, tally: Tally) -> int:
    """Send what stands claimed and has not begun; return how many rows that was, 0 where another was faster."""
    with store.reading(post.engine) as session:
        rows = store.claims.claimed(session, claim.id, claim.ids or None)
        ready = [row for row in rows if row.allowed]
        desk = Desk(session, ready)
    if aside := [row for row in rows if not row.allowed]:
        with store.writing(post.engine) as session:
            put_aside(session, claim.id, aside, tally)
    letters = batches(desk, ready, clock(), clinic=post.clinic, links=post.links, most=post.mailer.batch_size)
    for outgoing in letters:
        if not call(post, clock, claim.id, outgoing, tally):
            break
    return len(rows)


def put_aside(session: Session, claim_id: str, rows: Sequence[Claimed], tally: Tally) -> None:
    """Hold what a pause or pain stops for a time; skip the rest for good, with the reason."""
    resting = [row.id for row in rows if _rests(row)]
    # What is allowed after all was not a moment ago: a pause has ended since, and it goes with the next claim.
    store.claims.give_back(session, claim_id, [*resting, *(row.id for row in rows if row.allowed)])
    if resting:
        tally.skipped[SkipReason.SEQUENCE_PAUSED] += len(resting)
    for row in rows:
        if row.allowed or _rests(row):
            continue
        reason = SkipReason.HURT if row.hurt else SkipReason.PAUSED if row.paused else SkipReason.NOT_ACTIVE
        course = row.kind in (DeliveryKind.VIDEO, DeliveryKind.FINISHED)
        if (row.hurt or row.paused) and course and row.person_status == SubscriberStatus.ACTIVE:
            store.claims.give_back(session, claim_id, [row.id], held=str(reason))
        else:
            skipped = {"status": DeliveryStatus.SKIPPED, "skip_reason": reason}
            store.claims.settle(session, claim_id, [row.id], **skipped)
        tally.skipped[reason] += 1


def _rests(row: Claimed) -> bool:
    """Say whether nothing but the pause of its sequence stands in an email's way."""
    return row.sequence_paused and not (row.hurt or row.paused) and row.person_status == SubscriberStatus.ACTIVE


def call(post: Post, clock: Callable[[], Now], claim_id: str, outgoing: Outgoing, tally: Tally) -> bool:
    """Begin the call with one batch of a claim and hand it over; False when the rest must not be tried now."""
    with store.writing(post.engine) as session:
        ids = [row.id for row in outgoing.rows]
        if store.halts.by_hand(session):
            store.claims.give_back(session, claim_id, [row.id for row in store.claims.claimed(session, claim_id)])
            return False
        begun_at = clock().real
        ready = store.claims.begin_call(session, claim_id, ids, begun_at)
        pace.begun(session, post.limits, begun_at, len(ready))
        if len(ready) < len(ids):
            # Looked at anew: they have left, paused or been claimed by another since the letters were written.
            gone = [row_id for row_id in ids if row_id not in ready]
            put_aside(session, claim_id, store.claims.claimed(session, claim_id, gone), tally)
    if not ready:
        return True
    if len(ready) < len(ids):
        outgoing = only(outgoing, ready)
    return hand_over(post, clock, claim_id, outgoing, begun_at, tally)


def hand_over(
    post: Post, clock: Callable[[], Now], claim_id: str, outgoing: Outgoing, begun_at: datetime, tally: Tally
) -> bool:
    """Hand a batch whose call has begun to the provider and settle it; False when the rest must not be tried now."""
    try:
        results = post.mailer.send(outgoing.batch)
    except MailError as error:
        _refused(post, clock(), begun_at, claim_id, outgoing, error, tally)
        return False
    _settle(post, clock, begun_at, claim_id, outgoing, results, tally)
    return True


def _settle(
    post: Post,
    clock: Callable[[], Now],
    begun_at: datetime,
    claim_id: str,
    outgoing: Outgoing,
    results: Sequence[Result],
    tally: Tally,
) -> None:
    """Write the answer down. It is known only here, so a database that is away for a moment is asked again."""
    found = {result.delivery_id: result for result in results}
    pairs = [(row, found[row.public_id]) for row in outgoing.rows]
    for wait in (*SETTLE_WAITS, None):
        mine = Tally()
        try:
            with store.writing(post.engine) as session:
                _rest(session, pairs, clock())
                postponed = sum(result.outcome is Outcome.RETRY for _, result in pairs)
                pace.refused(session, post.limits, begun_at, clock().real, postponed)
                settle_results(
                    session,
                    claim_id,
                    pairs,
                    clock(),
                    evidence_seconds=lambda provider: (
                        post.evidence_seconds if has_evidence_from(post.mailer, provider) else 0
                    ),
                    jitter=random.random(),  # noqa: S311 (spreads retries; no secret)
                    tally=mine,
                    plan_next=post.plan_next,
                )
        except OperationalError as error:
            if wait is None:
                raise
            log.warning("answer not written down, next try soon", wait_seconds=wait, error=str(error.orig)[:200])
            time.sleep(wait)
        else:
            tally.add(mine)
            return


def _rest(session: Session, pairs: Sequence[tuple[Claimed, Result]], now: Now) -> None:
    """Let sending go on; or rest a little, where the provider has left a whole batch without an answer.

    While a gateway answers for a provider that is away, each try would leave another batch unknown.
    """
    if pairs and all(result.outcome is Outcome.UNKNOWN for _, result in pairs):
        until = now.real + timedelta(seconds=UNKNOWN_SECONDS)
        store.halts.stop(session, f"no answer known: {pairs[0][1].detail}", now.real, until)
    else:
        store.halts.lift(session)


def only(outgoing: Outgoing, ready: set[int]) -> Outgoing:
    """Return the batch without those who left since it was written."""
    pairs = zip(outgoing.rows, outgoing.batch.letters, strict=True)
    kept = [(row, letter) for row, letter in pairs if row.id in ready]
    letters = tuple(letter for _, letter in kept)
    return Outgoing(replace(outgoing.batch, letters=letters), tuple(row for row, _ in kept))


def _refused(
    post: Post, now: Now, begun_at: datetime, claim_id: str, outgoing: Outgoing, error: MailError, tally: Tally
) -> None:
    """The provider took nothing. A permanent refusal halts the queue for everybody, at no cost to any delivery."""
    jitter = random.random()  # noqa: S311 (spreads retries; no secret)
    with store.writing(post.engine) as session:
        untried = [row.id for row in store.claims.claimed(session, claim_id)]
        tried = [row.id for row in outgoing.rows]
        pace.refused(session, post.limits, begun_at, now.real, len(tried))
        if error.permanent:
            store.halts.stop(session, str(error), now.real, now.real + timedelta(seconds=HALT_SECONDS))
            store.claims.give_back(session, claim_id, [*tried, *untried], detail=str(error)[:300])
            waiting = len(tried) + len(untried)
            log.error("sending halted", reason=str(error), waiting=waiting, retry_in_seconds=HALT_SECONDS)
            return
        again = dict.fromkeys(tried, (str(error), error.retry_after))
        given_up = retry(session, claim_id, again, now, jitter, tally)
        store.claims.give_back(session, claim_id, untried)
        hand_on(session, [row for row in outgoing.rows if row.id in given_up], now.course)
    log.warning("provider not reached", reason=str(error), waiting=len(tried))
