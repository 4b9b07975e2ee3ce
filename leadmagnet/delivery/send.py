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
from leadmagnet.delivery.aside import bar, barred_among, put_aside
from leadmagnet.delivery.by_domain import LOOKS, DomainClaim
from leadmagnet.delivery.desk import Desk
from leadmagnet.delivery.letters import Outgoing, batches
from leadmagnet.delivery.settle import PlanNext, Tally, hand_on, retry, settle_results
from leadmagnet.delivery.watch import Watch
from leadmagnet.domain.message import Mailer, MailError, Outcome, Result
from leadmagnet.domain.rates import Limits
from leadmagnet.domain.retry import lease_end
from leadmagnet.mail import has_evidence_from
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.links import Links
from leadmagnet.store.base import random_id
from leadmagnet.store.in_hand import Claimed

log = structlog.get_logger(__name__)

#: After a refusal of the whole provider: how long nothing is claimed before one careful try (real seconds).
HALT_SECONDS = 60
#: After a batch that a provider did not take, or of which nothing is known: the same. As long as it asks for, but that
#: long at most: what it asks for may have been a mistake of its own.
REST_SECONDS, LONGEST_REST_SECONDS = 5, 15 * 60
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
    #: Applies what the provider has told meanwhile: before a claim, and before a call begins.
    hear_first: Callable[[Now], object] | None = None
    #: Keys the fingerprints of addresses that stay stopped. Without it, nobody looks for them.
    suppression_key: str = ""

    def hear(self, clock: Callable[[], Now]) -> None:
        """Apply what the provider has told meanwhile."""
        if self.hear_first:
            self.hear_first(clock())


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that is ours until its lease is over. `ids` is empty where another process made the claim."""

    id: str
    ids: tuple[int, ...] = ()


def claim_due(post: Post, clock: Callable[[], Now], lane: int, *, limit: int | None = None) -> Claim | None:
    """Claim one batch of a lane; None when nothing is due, sending is halted, or a limit is reached."""
    for _ in range(LOOKS if post.limits.domains else 1):
        if (claim := _claim(post, clock, lane, limit)) is not None:
            return claim if claim.ids else None
    return None


def _claim(post: Post, clock: Callable[[], Now], lane: int, limit: int | None) -> Claim | None:
    """Claim one batch, or nothing; None where all that was looked at had to move aside for its domain's rate."""
    now, claim_id = clock(), random_id()
    lease_until, nothing = lease_end(now.real, post.lease_seconds), Claim(claim_id)
    post.hear(clock)
    with store.writing(post.engine, durable=False) as session:
        halt = store.halts.current(session)
        if halt is not None and halt.blocks(now.real):
            return nothing
        wanted = 1 if halt is not None else (limit or post.mailer.batch_size)
        room = pace.room(session, post.limits, now.real, wanted, lane)
        if not room:
            return nothing
        if post.limits.domains:
            found = DomainClaim(session, post.limits.domains, now, lane, claim_id, lease_until)
            ids = found.take(room)
            if found.moved_aside and not ids:
                return None
        else:
            ids = store.claims.claim(
                session,
                now=now.course,
                real_now=now.real,
                lease_until=lease_until,
                claim_id=claim_id,
                lane=lane,
                limit=room,
            )
        pace.claimed(session, post.limits, now.real, len(ids))
    return Claim(claim_id, tuple(ids))


def send_claim(post: Post, clock: Callable[[], Now], claim: Claim, tally: Tally) -> int:
    """Send what stands claimed and has not begun; return how many rows that was, 0 where another was faster."""
    with store.reading(post.engine) as session:
        rows = store.in_hand.claimed(session, claim.id, claim.ids or None)
        barred = barred_among(session, [row for row in rows if row.allowed], post.suppression_key)
        ready = [row for row in rows if row.allowed and row.email not in barred]
        desk = Desk(session, ready, tracks=post.links.tracks)
    if aside := [row.id for row in rows if not row.allowed]:
        with store.writing(post.engine) as session:
            put_aside(session, claim.id, aside, tally)
    if barred:
        with store.writing(post.engine) as session:
            bar(session, claim.id, [row for row in rows if row.email in barred], clock(), tally)
    letters = batches(desk, ready, clock(), clinic=post.clinic, links=post.links, most=post.mailer.batch_size)
    for outgoing in letters:
        if not call(post, clock, claim.id, outgoing, tally):
            break
    return len(rows)


def call(post: Post, clock: Callable[[], Now], claim_id: str, outgoing: Outgoing, tally: Tally) -> bool:
    """Begin the call with one batch of a claim and hand it over; False when the rest must not be tried now."""
    post.hear(clock)
    with store.writing(post.engine, by_ids=True) as session:
        ids = [row.id for row in outgoing.rows]
        if store.halts.by_hand(session):
            store.claims.give_back(session, claim_id, [row.id for row in store.in_hand.claimed(session, claim_id)])
            return False
        begun_at = clock().real
        readers = {row.subscriber_id for row in outgoing.rows}
        ready = store.claims.begin_call(session, claim_id, ids, readers, begun_at)
        pace.begun(session, post.limits, begun_at, len(ready))
        if len(ready) < len(ids):
            # Looked at anew: they have left, paused or been claimed by another since the letters were written.
            gone = [row_id for row_id in ids if row_id not in ready]
            put_aside(session, claim_id, gone, tally)
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
        results = post.mailer.send(replace(outgoing.batch, may_begin=Watch(post.engine)))
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
            with store.writing(post.engine, by_ids=True) as session:
                _rest(session, pairs, clock())
                postponed = sum(result.outcome in {Outcome.RETRY, Outcome.UNTRIED} for _, result in pairs)
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
                # At the end, because all workers write this row.
                store.outcomes.sent(session, mine.sent, clock().real)
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
        until = now.real + timedelta(seconds=REST_SECONDS)
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
    """The provider took nothing: the queue rests, because who does not take this batch does not take the next either.

    A permanent refusal costs no delivery an attempt; any other only those that were tried.
    """
    jitter = random.random()  # noqa: S311 (spreads retries; no secret)
    with store.writing(post.engine) as session:
        untried = [row.id for row in store.in_hand.claimed(session, claim_id)]
        tried = [row.id for row in outgoing.rows]
        pace.refused(session, post.limits, begun_at, now.real, len(tried))
        if error.permanent:
            store.halts.stop(session, str(error), now.real, now.real + timedelta(seconds=HALT_SECONDS))
            store.claims.give_back(session, claim_id, [*tried, *untried], detail=str(error)[:300])
            waiting = len(tried) + len(untried)
            log.error("sending halted", reason=str(error), waiting=waiting, retry_in_seconds=HALT_SECONDS)
            return
        rest = min(max(error.retry_after or 0.0, REST_SECONDS), LONGEST_REST_SECONDS)
        store.halts.stop(session, str(error), now.real, now.real + timedelta(seconds=rest))
        again = dict.fromkeys(tried, (str(error), error.retry_after))
        given_up = retry(session, claim_id, again, now, jitter, tally)
        store.claims.give_back(session, claim_id, untried)
        hand_on(session, [row for row in outgoing.rows if row.id in given_up], now.course)
    log.warning("provider not reached", reason=str(error), waiting=len(tried))
