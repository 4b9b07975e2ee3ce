"""Mailboxes that are full or away: after several soft bounces in a row they are left alone, until one email arrives.

What is known of the emails themselves decides, however the events came in. Must not know: where events come from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from leadmagnet.clock import Now
from leadmagnet.domain.bounces import SOFT_IN_A_ROW, Fate, soft_in_a_row
from leadmagnet.domain.signals import Signal
from leadmagnet.domain.status import DeliveryStatus, EnrollmentStatus
from leadmagnet.store.activities import Activity
from leadmagnet.store.among import among
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.events import REPORTED, ProviderEvent, Waiting
from leadmagnet.store.insert_rows import insert_columns
from leadmagnet.store.subscribers import Subscriber

#: A mail program fetches pictures, and a scanner follows links, only once an email is there.
_ARRIVED = (
    Signal.DELIVERED,
    Signal.OPENED_MACHINE,
    Signal.OPENED_UNKNOWN,
    Signal.OPENED_HUMAN,
    Signal.CLICKED,
)


def look_again(session: Session, events: Iterable[Waiting], now: Now) -> None:
    """Mark people whose mailbox takes nothing, and take the mark off where an email has arrived."""
    soft, arrived = set(), set()
    for event in events:
        if event.subscriber_id is None:
            continue
        if event.signal == Signal.BOUNCED_SOFT:
            soft.add(event.subscriber_id)
        elif event.signal in _ARRIVED:
            arrived.add(event.subscriber_id)
    marked = _marked(session, soft | arrived)
    if not (soft or marked):
        return
    away = {
        person_id
        for person_id, fates in _fates(session, soft | marked).items()
        if soft_in_a_row(fates) >= SOFT_IN_A_ROW
    }
    _write(session, away - marked, now, reachable=False)
    _write(session, marked - away, now, reachable=True)


def lift(session: Session, person_id: int, now: Now, actor: str) -> bool:
    """Write to somebody again because the clinic says so; False where nothing stood in the way."""
    marked = _marked(session, {person_id})
    _write(session, marked, now, reachable=True, actor=actor)
    return bool(marked)


def _marked(session: Session, ids: Collection[int]) -> set[int]:
    if not ids:
        return set()
    query = select(Subscriber.id).where(Subscriber.unreachable_at.is_not(None), among(Subscriber.id, ids))
    return set(session.connection().execute(query).scalars())


def _fates(session: Session, ids: Collection[int]) -> Mapping[int, list[Fate]]:
    """Return what is known of each person's emails, the newest first."""

    def told(*signals: Signal) -> ColumnElement[int]:
        return func.max(case((ProviderEvent.signal.in_(signals), 1), else_=0))

    query = (
        select(
            Delivery.subscriber_id,
            Delivery.status,
            Delivery.provider,
            told(Signal.BOUNCED_SOFT),
            told(Signal.BOUNCED_HARD, Signal.BLOCKED),
            told(*_ARRIVED),
        )
        .join(ProviderEvent, ProviderEvent.public_id == Delivery.public_id, isouter=True)
        .where(among(Delivery.subscriber_id, ids), Delivery.status.in_(OUT))
        .group_by(Delivery.id)
        .order_by(Delivery.subscriber_id, Delivery.id.desc())
    )
    found: dict[int, list[Fate]] = defaultdict(list)
    for person_id, status, provider, soft, other, seen in session.connection().execute(query):
        found[person_id].append(_fate(status, provider, soft=bool(soft and not other), seen=bool(seen)))
    return found


def _fate(status: str, provider: str, *, soft: bool, seen: bool) -> Fate:
    if status == DeliveryStatus.BOUNCED:
        return Fate.SOFT if soft else Fate.SILENT
    if status == DeliveryStatus.DELIVERED or seen:
        return Fate.ARRIVED
    return Fate.TAKEN if status == DeliveryStatus.SENT and provider == REPORTED else Fate.SILENT


def _write(
    session: Session, ids: Collection[int], now: Now, *, reachable: bool, actor: str = "the mail provider"
) -> None:
    if not ids:
        return
    marks = update(Subscriber).where(among(Subscriber.id, ids))
    marked = marks.values(unreachable_at=None if reachable else now.real)
    session.execute(marked.execution_options(synchronize_session=False))
    # The planner holds what is due, or lets it go.
    going = among(Enrollment.subscriber_id, ids), Enrollment.status == EnrollmentStatus.ACTIVE
    planned = update(Enrollment).where(*going).values(wants_plan=True)
    session.execute(planned.execution_options(synchronize_session=False))
    kind = "reachable again" if reachable else "unreachable"
    row = {"at": now.course, "kind": kind, "detail": "", "actor": actor}
    insert_columns(session.connection(), Activity, {"subscriber_id": sorted(ids)}, row)
