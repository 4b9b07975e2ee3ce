"""Many people stopped at once, for what was reported of each: the set-based twin of leaving.stop.

Must not know: who reports, in whose words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import ALL, written
from leadmagnet.domain.status import EnrollmentStatus, SubscriberStatus, after
from leadmagnet.feedback.leaving import channel_of, drop, kind_of
from leadmagnet.store.among import among
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

_OPEN = (SubscriberStatus.PENDING, SubscriberStatus.ACTIVE)
_NOT_WANTED = dict.fromkeys(("wants_videos", "wants_reminders", "wants_news"), False)


def stop_all(session: Session, facts: Mapping[int, SubscriberStatus], now: Now, *, channel: str, actor: str) -> int:
    """Stop all emails to people, by subscriber id, each for a fact; return how many changed.

    Who stands there already, or for a stronger fact, stays as they are.
    """
    if not facts:
        return 0
    # In the order of their ids, so that two who stop the same people do not block one another.
    known = select(Subscriber.id, Subscriber.status, Subscriber.email).where(among(Subscriber.id, facts))
    moves: dict[tuple[bool, SubscriberStatus], list[int]] = defaultdict(list)
    addresses: dict[int, str] = {}
    for person_id, status, email in session.connection().execute(known.order_by(Subscriber.id).with_for_update()):
        before, addresses[person_id] = SubscriberStatus(status), email
        if (state := after(before, facts[person_id])) is not before:
            moves[before in _OPEN, state].append(person_id)
    stopped = [person_id for ids in moves.values() for person_id in ids]
    if not stopped:
        return 0
    for (open_before, state), ids in moves.items():
        _write(session, ids, state, now, open_before=open_before)
    _record(session, {person_id: facts[person_id] for person_id in stopped}, addresses, now, channel, actor)
    for (_, state), ids in moves.items():
        drop(session, among(Delivery.subscriber_id, ids), state, now.course)
    going = among(Enrollment.subscriber_id, stopped), Enrollment.status == EnrollmentStatus.ACTIVE
    over = update(Enrollment).where(*going).values(status=EnrollmentStatus.STOPPED, wants_plan=False)
    session.execute(over.execution_options(synchronize_session=False))
    return len(stopped)


def _write(session: Session, ids: list[int], state: SubscriberStatus, now: Now, *, open_before: bool) -> None:
    values: dict[str, Any] = {"status": state, "left_at": now.course, "left_real_at": now.real}
    if not open_before:
        values["left_at"] = func.coalesce(Subscriber.left_at, now.course)
        values["left_real_at"] = func.coalesce(Subscriber.left_real_at, now.real)
    nothing = dict.fromkeys(("remind_at", "paused_at", "paused_until", "snoozed_until"))
    if state is not SubscriberStatus.BOUNCED:
        values |= _NOT_WANTED
    statement = update(Subscriber).where(among(Subscriber.id, ids)).values(**values, **nothing)
    session.execute(statement.execution_options(synchronize_session=False))


def _record(
    session: Session,
    facts: Mapping[int, SubscriberStatus],
    addresses: Mapping[int, str],
    now: Now,
    channel: str,
    actor: str,
) -> None:
    rows = [
        {
            "subscriber_id": person_id,
            "email": addresses[person_id],
            "kind": str(kind_of(fact)),
            "purposes": written(ALL),
            "at": now.course,
            "effective_at": now.course,
            "channel": channel_of(fact, channel),
            "detail": f"by {actor}",
        }
        for person_id, fact in facts.items()
    ]
    store.consents.add_all(session, rows)
