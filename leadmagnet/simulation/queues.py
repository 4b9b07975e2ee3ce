"""How long the queue is before and after each pass, by day, and when the engine has something to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, ScalarSelect, bindparam, func, select

from leadmagnet import store
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.among import fixed
from leadmagnet.store.base import Instant
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.halts import Halt
from leadmagnet.store.in_hand import IN_FLIGHT
from leadmagnet.store.subscribers import Subscriber

LANES = (0, 1)
_NOW = bindparam("now", type_=Instant())


def _open(lane: int) -> tuple[ColumnElement[bool], ...]:
    return Delivery.status == fixed(DeliveryStatus.DUE), Delivery.held.is_(None), Delivery.lane == fixed(lane)


def _waiting() -> Iterator[ScalarSelect[Any]]:
    for lane in LANES:
        many = select(func.count()).select_from(Delivery).where(*_open(lane), Delivery.due_at <= _NOW)
        yield many.scalar_subquery()


def _coming() -> Iterator[ScalarSelect[Any]]:
    for lane in LANES:
        yield select(func.min(Delivery.due_at)).where(*_open(lane), Delivery.due_at > _NOW).scalar_subquery()
        for column in (Delivery.retry_at, Delivery.closes_at):
            late = select(func.min(column)).where(*_open(lane), Delivery.due_at <= _NOW, column > _NOW)
            yield late.scalar_subquery()
    yield select(func.min(Delivery.lease_until)).where(IN_FLIGHT, Delivery.lease_until > _NOW).scalar_subquery()
    yield select(func.min(Subscriber.remind_at)).where(Subscriber.remind_at > _NOW).scalar_subquery()
    yield select(func.min(Subscriber.paused_until)).where(Subscriber.paused_until > _NOW).scalar_subquery()
    yield select(func.min(Halt.until)).where(Halt.until > _NOW).scalar_subquery()


_BEFORE = select(*_waiting())
_AFTER = select(*_waiting(), *_coming())


@dataclass(slots=True)
class Depth:
    """The most emails that were due at once on a day: before a pass, and left over after one."""

    before: int = 0
    after: int = 0

    def __add__(self, other: Depth) -> Depth:
        """Return both as if their peaks had come together."""
        return Depth(self.before + other.before, self.after + other.after)


class Queues:
    """Depths by day, UTC."""

    def __init__(self, engine: Engine) -> None:
        """Watch a ledger."""
        self._engine = engine
        self._last: datetime | None = None
        self.days: dict[date, Depth] = {}
        #: When the engine has something to do, as seen after the last pass.
        self.next_at: datetime | None = None

    def before(self, at: datetime) -> None:
        """Look at the queue before a pass."""
        depth = self.days.setdefault(at.date(), Depth())
        with store.reading(self._engine) as session:
            depth.before = max(depth.before, sum(session.execute(_BEFORE, {"now": at}).one()))

    def after(self, at: datetime) -> None:
        """Look at the queue after a pass, and at what comes next."""
        depth = self.days.setdefault(at.date(), Depth())
        with store.reading(self._engine) as session:
            found: tuple[Any, ...] = tuple(session.execute(_AFTER, {"now": at}).one())
        depth.after = max(depth.after, sum(found[: len(LANES)]))
        self.next_at = min((coming for coming in found[len(LANES) :] if coming is not None), default=None)
        self._last = at

    def hours_since_last(self, at: datetime) -> float:
        """Return the hours since the pass before, one at most."""
        return min(1.0, (at - self._last).total_seconds() / 3600) if self._last else 0.0
