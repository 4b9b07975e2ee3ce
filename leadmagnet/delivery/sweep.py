"""Leases that are over: what a crash, or a call without an answer, has left behind.

Call not begun: due again, at no cost. Call begun: the mailer is asked for evidence (the outbox has it in its file
names); without any, `unknown` waits for the provider's events and is then sent once more with the same Message-ID.
"""

from __future__ import annotations

from datetime import timedelta

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.send import Post
from leadmagnet.delivery.settle import Tally, count_reminders, hand_on
from leadmagnet.domain.status import DeliveryStatus

#: A letter of which nobody knows is sent once more; after a second silence a person has to look.
MOST_RESENT = 1


def sweep(post: Post, now: Now, tally: Tally, limit: int = 200) -> int:
    """Settle up to `limit` rows whose lease is over and return how many there were."""
    with store.reading(post.engine) as session:
        rows = [
            (row.id, row.public_id, DeliveryStatus(row.status), row.call_begun_at is not None, row.resent)
            for row in store.claims.leases_over(session, now.real, limit)
        ]
    for row_id, public_id, status, begun, resent in rows:
        # Asked outside any transaction: the answer may come from a disk or from far away.
        taken = post.mailer.taken(public_id) if begun else None
        _settle_one(post, now, tally, row_id, status, begun=begun, taken=taken, resent=resent)
    return len(rows)


def _settle_one(
    post: Post,
    now: Now,
    tally: Tally,
    row_id: int,
    status: DeliveryStatus,
    *,
    begun: bool,
    taken: bool | None,
    resent: int,
) -> None:
    with store.writing(post.engine) as session:
        if not begun:
            store.claims.reopen(session, [row_id], status)
        elif taken:
            values = {"status": DeliveryStatus.SENT, "sent_at": now.course, "settled_at": now.real}
            done = store.claims.change(session, [row_id], status, **values, provider=post.mailer.name)
            tally.sent += len(done)
            count_reminders(session, done)
            hand_on(session, done, now.course)
        elif taken is None and status is DeliveryStatus.CLAIMED and post.mailer.has_evidence:
            window = now.real + timedelta(seconds=post.evidence_seconds)
            values = {"status": DeliveryStatus.UNKNOWN, "lease_until": window, "detail": "no answer known"}
            tally.unknown += len(store.claims.change(session, [row_id], status, **values))
        elif taken is None and resent >= MOST_RESENT:
            values = {"status": DeliveryStatus.FAILED, "settled_at": now.real, "detail": "no answer known, twice"}
            done = store.claims.change(session, [row_id], status, **values)
            tally.failed += len(done)
            hand_on(session, done, now.course)
        else:
            again = resent if taken is False else resent + 1
            store.claims.reopen(session, [row_id], status, resent=again)
