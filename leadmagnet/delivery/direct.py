"""One batch by a worker that claims for itself: to look, to write the letters and to begin the call is one transaction.

Nobody else needs to see such a claim before its call begins, so each row is written once less, and a worker that dies
meanwhile leaves nothing behind. Where a limit holds, or a broker carries claims to other workers, send.py claims first.
Must not know: why an email was planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.aside import bar, barred_among, put_aside
from leadmagnet.delivery.desk import Desk
from leadmagnet.delivery.letters import Outgoing, batches
from leadmagnet.delivery.send import Post, call, claim_due, hand_over, only, send_claim
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.retry import lease_end
from leadmagnet.store.base import random_id
from leadmagnet.store.in_hand import Claimed


@dataclass(slots=True)
class Taken:
    """What one look at the queue has brought."""

    claim_id: str
    at: Now
    count: int = 0
    #: The batch whose call has begun.
    begun: Outgoing | None = None
    #: Claimed, to be called afterwards; and the ids of what may not be sent after all.
    waiting: list[Outgoing] = field(default_factory=list)
    aside: list[int] = field(default_factory=list)
    #: Claimed, to addresses that stay stopped.
    barred: list[Claimed] = field(default_factory=list)
    error: Exception | None = None


def send_due(post: Post, clock: Callable[[], Now], lane: int, tally: Tally, *, limit: int | None = None) -> int:
    """Send one batch of a lane; return how many rows were claimed, 0 when nothing is due or may be sent now."""
    if post.limits:
        claim = claim_due(post, clock, lane, limit=limit)
        return send_claim(post, clock, claim, tally) if claim else 0
    post.hear(clock)
    taken = _take(post, clock, lane, limit)
    if taken is None:
        return 0
    if taken.error is not None:
        raise taken.error
    if taken.aside or taken.barred:
        with store.writing(post.engine) as session:
            put_aside(session, taken.claim_id, taken.aside, tally)
            bar(session, taken.claim_id, taken.barred, taken.at, tally)
    if taken.begun and not hand_over(post, clock, taken.claim_id, taken.begun, taken.at.real, tally):
        return taken.count
    for outgoing in taken.waiting:
        if not call(post, clock, taken.claim_id, outgoing, tally):
            break
    return taken.count


def _take(post: Post, clock: Callable[[], Now], lane: int, limit: int | None) -> Taken | None:
    """Claim one batch and begin its call. What was looked at is locked until then: a tenth of a second at most."""
    taken = Taken(random_id(), clock())
    with store.writing(post.engine, by_ids=True) as session:
        halt = store.halts.current(session)
        if halt is not None and halt.blocks(taken.at.real):
            return None
        most = 1 if halt is not None else (limit or post.mailer.batch_size)
        rows = store.in_hand.look(session, now=taken.at.course, real_now=taken.at.real, lane=lane, limit=most)
        if not rows:
            return None
        ready, taken.aside = [row for row in rows if row.allowed], [row.id for row in rows if not row.allowed]
        if barred := barred_among(session, ready, post.suppression_key):
            taken.barred = [row for row in ready if row.email in barred]
            ready = [row for row in ready if row.email not in barred]
        try:
            desk = Desk(session, ready, tracks=post.links.tracks)
            letters = batches(desk, ready, taken.at, clinic=post.clinic, links=post.links, most=post.mailer.batch_size)
        except DBAPIError:
            raise  # this transaction is lost, and nothing of it was claimed
        except Exception as error:  # noqa: BLE001 (raised again, once these rows no longer stand before all others)
            taken.error = error
            letters = []
        begun = _begin(session, post, taken, letters, clock)
        ahead = {row.id for row in letters[0].rows} if letters else set()
        kept = [row.id for row in rows if row.id not in ahead]
        store.claims.keep(session, kept, taken.claim_id, lease_end(taken.at.real, post.lease_seconds))
        taken.count = begun + len(kept)
    return taken


def _begin(session: Session, post: Post, taken: Taken, letters: Sequence[Outgoing], clock: Callable[[], Now]) -> int:
    """Begin the call with the first batch, for those who may still receive it; return how many those are.

    Who has left since the look stays due: the next look puts them aside.
    """
    if not letters:
        return 0
    first, taken.waiting = letters[0], list(letters[1:])
    ids = [row.id for row in first.rows]
    taken.at = clock()
    lease_until = lease_end(taken.at.real, post.lease_seconds)
    readers = {row.subscriber_id for row in first.rows}
    ready = store.claims.begin_due(session, ids, readers, taken.claim_id, lease_until, taken.at.real)
    taken.begun = only(first, ready) if len(ready) < len(ids) else first
    if not ready:
        taken.begun = None
    return len(ready)
