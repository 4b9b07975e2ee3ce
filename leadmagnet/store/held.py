"""Sign-ups against the caps: how many were let through, and the queue of those that are held. By the set.

A held sign-up is a row of `sign_up` with the outcome `held`. It has made nobody a subscriber. It is deleted with the
other old rows, 30 days after it came. Must not know: the rules of the caps.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Executable, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from leadmagnet.domain.admission import Held, Source, Window
from leadmagnet.store.among import among, among_given, fixed
from leadmagnet.store.base import Instant
from leadmagnet.store.signups import SignUp

HELD, DISCARDED = "held", "discarded"
#: The network of a sign-up that is settled is kept a day for the caps and for whoever looks into a flood. Real time.
NETWORK_STAYS = timedelta(days=1)

#: The number of PostgreSQL's lock for weighing; any would do that nothing else uses.
_WEIGHING = 20_001
_HELD = SignUp.outcome == fixed(HELD)


@dataclass(frozen=True, slots=True)
class Pick:
    """Which of the held sign-ups: one by its number, those of a network or a form, or all."""

    id: int | None = None
    network: str | None = None
    form: str | None = None


def whole_hour(at: datetime) -> datetime:
    """Return the next full hour: what is to be forgotten goes once an hour, not second by second."""
    return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def weigh_alone(session: Session) -> None:
    """Wait until nobody else weighs sign-ups, until the transaction ends: two at once would each see half of the hour.

    On SQLite who writes is alone anyway.
    """
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_WEIGHING)))


def window(session: Session, since: datetime, *, and_waiting: bool = False) -> Window:
    """Count who was let through since an instant (real clock), by network and form; perhaps with who waits for it."""
    counts = SignUp.counted_at > since
    if and_waiting:
        counts = or_(counts, and_(SignUp.handled_at.is_(None), SignUp.decided_by == ""))
    query = select(SignUp.network, SignUp.form, func.count()).where(counts).group_by(SignUp.network, SignUp.form)
    found = Window()
    for network, form, number in session.execute(query):
        found.add(Source(network, form), number)
    return found


def mark_proofs(session: Session, seen: Collection[int], proven: Collection[int]) -> None:
    """Empty the proofs that have been looked at, and mark whose are good."""
    session.execute(update(SignUp).where(among(SignUp.id, seen)).values(proof=""), execution_options=_UNSYNCED)
    if proven:
        good = update(SignUp).where(among(SignUp.id, proven)).values(proven=True)
        session.execute(good, execution_options=_UNSYNCED)


def let_through(session: Session, ids: Collection[int], real_now: datetime) -> None:
    """Count sign-ups that go through under the caps."""
    if ids:
        session.connection().execute(_let_through(), {"ids": ids, "moment": real_now})


@cache
def _let_through() -> Executable:
    return update(SignUp).where(among_given(SignUp.id)).values(counted_at=bindparam("moment", type_=Instant()))


def hold(
    session: Session, ids: Sequence[int], cap: Held, *, real_now: datetime, proven: bool, again_at: datetime | None
) -> None:
    """Hold sign-ups because of one cap."""
    values = {
        "outcome": HELD,
        "held": cap.value,
        "handled_at": real_now,
        "proof": "",
        "proven": proven,
        "again_at": again_at,
    }
    session.execute(update(SignUp).where(among(SignUp.id, ids)).values(values), execution_options=_UNSYNCED)


def release(session: Session, pick: Pick, by: str) -> int:
    """Let held sign-ups go on as if they had just come, past all caps; return how many."""
    values = {"outcome": "", "handled_at": None, "again_at": None, "decided_by": by[:120]}
    return _decide(session, pick, values)


def discard(session: Session, pick: Pick, by: str, real_now: datetime) -> int:
    """Throw held sign-ups away: nothing is sent; the rows go with the other old ones. Return how many."""
    values = {"outcome": DISCARDED, "handled_at": real_now, "again_at": None, "decided_by": by[:120]}
    return _decide(session, pick, values | {"network_until": whole_hour(real_now + NETWORK_STAYS)})


def _decide(session: Session, pick: Pick, values: dict[str, Any]) -> int:
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE's result knows its rows
        update(SignUp).where(_HELD, *_picked(pick)).values(values), execution_options=_UNSYNCED
    )
    return done.rowcount


def _picked(pick: Pick) -> list[ColumnElement[bool]]:
    given = ((SignUp.id, pick.id), (SignUp.network, pick.network), (SignUp.form, pick.form))
    return [column == value for column, value in given if value is not None]


def count(session: Session, pick: Pick | None = None) -> int:
    """Return how many are held."""
    return session.scalar(select(func.count()).select_from(SignUp).where(_HELD, *_picked(pick or Pick()))) or 0


def page(session: Session, pick: Pick, size: int, before: int | None = None) -> list[SignUp]:
    """Return held sign-ups, the newest first, from below the number `before`."""
    query = select(SignUp).where(_HELD, *_picked(pick))
    if before is not None:
        query = query.where(SignUp.id < before)
    return list(session.scalars(query.order_by(SignUp.id.desc()).limit(size)))


def most(session: Session, column: InstrumentedAttribute[str], size: int) -> list[tuple[str, int]]:
    """Return from where most of the held ones came, by one column, with how many."""
    number = func.count()
    query = select(column, number).where(_HELD).group_by(column).order_by(number.desc(), column).limit(size)
    return [(name, many) for name, many in session.execute(query)]


def forget_networks(session: Session, real_now: datetime) -> int:
    """Empty the networks that nobody needs any more; return how many."""
    due = SignUp.network_until <= real_now
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(SignUp).where(due).values(network="", network_until=None), execution_options=_UNSYNCED
    )
    return done.rowcount


_UNSYNCED = {"synchronize_session": False}
