"""The claim and what follows it: set-based statements over the ledger, alike on SQLite and PostgreSQL.

due -> claimed (lease) -> call begun -> sent | failed | due again | unknown. Each function is one short transaction's
work; the caller commits between them and talks to the network with none open.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, exists, select, update
from sqlalchemy.orm import Session

from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.among import among, among_given, fixed
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.in_hand import IN_FLIGHT, due, held_under, may_receive
from leadmagnet.store.kept import given, plain, to_set
from leadmagnet.store.pauses import hold_again
from leadmagnet.store.subscribers import Subscriber

#: What a delivery forgets when it becomes due again.
_UNCLAIMED: dict[str, Any] = {"claim_id": None, "lease_until": None, "call_begun_at": None}


def claim(
    session: Session, *, now: datetime, real_now: datetime, lease_until: datetime, claim_id: str, lane: int, limit: int
) -> list[int]:
    """Claim up to `limit` rows of a lane that are due at `now`, oldest first, and return their ids.

    On PostgreSQL locked rows are passed over; SQLite has one writer at a time and needs no lock.
    """
    told = {"now": now, "real_now": real_now, "of_lane": lane, "most": limit}
    told |= {"new_status": str(DeliveryStatus.CLAIMED), "new_claim_id": claim_id, "new_lease_until": lease_until}
    return sorted(session.connection().execute(_claim(), told | {"new_call_begun_at": None}).scalars().all())


@cache
def _claim() -> Executable:
    chosen = (
        select(Delivery.id)
        .where(*due())
        .order_by(Delivery.due_at, Delivery.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        # A CTE that locks runs once; as a plain subquery PostgreSQL may run it again and claim more than the limit.
        .cte("chosen")
    )
    return _changing(Delivery.id.in_(select(chosen.c.id)), DeliveryStatus.DUE, _CLAIM)


@cache
def _allowed() -> ColumnElement[bool]:
    # With the readers named, PostgreSQL looks them up; by the deliveries alone it may read all people instead.
    reader = among_given(Subscriber.id, "readers"), Subscriber.id == Delivery.subscriber_id
    return exists().where(*reader, may_receive()).correlate(Delivery)


def begin_call(
    session: Session, claim_id: str, ids: Collection[int], readers: Collection[int], real_now: datetime
) -> set[int]:
    """Mark that the provider's call begins, for those who may still receive it; return their ids.

    `readers`: the subscriber ids of these deliveries.

    This is the last look at consent before the network: who left a moment ago is not in the answer. A call begins once:
    whoever comes second with the same claim (a message delivered twice, say) gets nothing.
    """
    return _ids(session, _begin_call(), given({"call_begun_at": real_now}, ids=ids, readers=readers, claim=claim_id))


@cache
def _begin_call() -> Executable:
    mine = among_given(Delivery.id), Delivery.claim_id == bindparam("claim"), Delivery.call_begun_at.is_(None)
    return _changing(and_(*mine, _allowed()), DeliveryStatus.CLAIMED, ("call_begun_at",))


def begin_due(
    session: Session,
    ids: Collection[int],
    readers: Collection[int],
    claim_id: str,
    lease_until: datetime,
    real_now: datetime,
) -> set[int]:
    """Claim due rows that were looked at and mark that the provider's call begins, as `begin_call` does."""
    return _ids(session, _begin_due(), given(_as_claim(claim_id, lease_until, real_now), ids=ids, readers=readers))


@cache
def _begin_due() -> Executable:
    free = and_(among_given(Delivery.id), Delivery.held.is_(None), _allowed())
    return _changing(free, DeliveryStatus.DUE, _CLAIM)


def keep(session: Session, ids: Collection[int], claim_id: str, lease_until: datetime) -> set[int]:
    """Claim due rows that were looked at and whose call does not begin yet."""
    return change(session, ids, DeliveryStatus.DUE, **_as_claim(claim_id, lease_until, None))


#: What a claim writes on its rows.
_CLAIM = ("status", "claim_id", "lease_until", "call_begun_at")


def _as_claim(claim_id: str, lease_until: datetime, begun: datetime | None) -> dict[str, Any]:
    return dict(zip(_CLAIM, (str(DeliveryStatus.CLAIMED), claim_id, lease_until, begun), strict=True))


def _changing(which: ColumnElement[bool], before: DeliveryStatus, columns: tuple[str, ...]) -> Executable:
    """Return the statement that sets columns of the rows that match and stand at `before`; it gives their ids."""
    return (
        update(Delivery).where(which, Delivery.status == fixed(before)).values(to_set(columns)).returning(Delivery.id)
    )


def _ids(session: Session, statement: Executable, told: dict[str, Any]) -> set[int]:
    # Past the session: what it holds of the ledger is not touched here, and to look through it takes time.
    return set(session.connection().execute(statement, told).scalars().all())


def settle(session: Session, claim_id: str, ids: Collection[int], /, **values: Any) -> set[int]:
    """Write the same outcome on claimed rows of one claim and return the ids that were still ours to settle."""
    if not ids:
        return set()
    if not plain(values):
        mine = update(Delivery).where(among(Delivery.id, ids), *held_under(claim_id))
        return _ids(session, mine.values(**values).returning(Delivery.id), {})
    return _ids(session, _settle(tuple(values)), given(values, ids=ids, claim=claim_id))


@cache
def _settle(columns: tuple[str, ...]) -> Executable:
    mine = and_(among_given(Delivery.id), Delivery.claim_id == bindparam("claim"))
    return _changing(mine, DeliveryStatus.CLAIMED, columns)


def give_back(session: Session, claim_id: str, ids: Collection[int], /, **values: Any) -> set[int]:
    """Make claimed rows due again; held, where their sequence has been paused since."""
    back = settle(session, claim_id, ids, status=DeliveryStatus.DUE, **_UNCLAIMED, **values)
    hold_again(session, back)
    return back


def leases_over(session: Session, real_now: datetime, limit: int) -> Sequence[Delivery]:
    """Return claimed and unknown rows whose time is over, the longest over first."""
    query = select(Delivery).where(IN_FLIGHT, Delivery.lease_until <= real_now)
    return session.scalars(query.order_by(Delivery.lease_until).limit(limit)).all()


def end_claim(
    session: Session, row_id: int, before: DeliveryStatus, claim_id: str | None, /, **values: Any
) -> set[int]:
    """Change a row that still stands at `before` under the same claim; return its id if it was changed.

    A row that somebody has claimed anew since it was looked at is left alone.
    """
    statement = (
        update(Delivery)
        .where(Delivery.id == row_id, Delivery.status == before, Delivery.claim_id == claim_id)
        .values(**values)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return set(session.execute(statement).scalars().all())


def reopen(session: Session, row_id: int, before: DeliveryStatus, claim_id: str | None, /, **values: Any) -> set[int]:
    """Make a row due again, unless somebody has claimed it anew; held, where its sequence has been paused since."""
    back = end_claim(session, row_id, before, claim_id, status=DeliveryStatus.DUE, **_UNCLAIMED, **values)
    hold_again(session, back)
    return back


def change(session: Session, ids: Collection[int], before: DeliveryStatus, /, **values: Any) -> set[int]:
    """Change rows that still stand at `before`; return the ids that were changed."""
    if not ids:
        return set()
    session.flush()
    return _ids(session, _change(before, tuple(values)), given(values, ids=ids))


@cache
def _change(before: DeliveryStatus, columns: tuple[str, ...]) -> Executable:
    return _changing(among_given(Delivery.id), before, columns)


def skip_due(session: Session, reason: str, where: ColumnElement[bool]) -> int:
    """Skip due rows that match, for a recorded reason; return how many."""
    statement = (
        update(Delivery)
        .where(Delivery.status == DeliveryStatus.DUE, where)
        .values(status=DeliveryStatus.SKIPPED, skip_reason=reason)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement).scalars().all())
