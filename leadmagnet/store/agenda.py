"""What there is to do at an instant: one cheap statement, so that an idle worker writes nothing and locks nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, exists, false, or_, select
from sqlalchemy.orm import Session

from leadmagnet.domain.clicks import LOOK_AGAIN_AFTER
from leadmagnet.domain.consent import LINK_LIVES
from leadmagnet.domain.fresh_links import KEPT
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.store import fresh_links
from leadmagnet.store.among import fixed, one_of
from leadmagnet.store.base import Instant
from leadmagnet.store.clicks import WAITING, LinkClick
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import WANTING, Enrollment, in_hand
from leadmagnet.store.event_batches import EventBatch
from leadmagnet.store.events import ProviderEvent
from leadmagnet.store.in_hand import IN_FLIGHT
from leadmagnet.store.proofs import SpentProof
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Agenda:
    """What waits. Each answer is a look at the head of one index."""

    sign_ups: bool
    plans: bool
    pauses: bool
    reminders: bool
    overdue: bool
    answers: bool
    letters: bool
    leases: bool
    events: bool
    stale: bool
    clicks: bool

    @property
    def anything(self) -> bool:
        """Whether there is anything to plan or to send."""
        return self.letters or self.besides_letters

    @property
    def besides_letters(self) -> bool:
        """Whether there is anything to plan, or to send before the course's emails."""
        return any((self.sign_ups, self.plans, self.pauses, self.reminders, self.overdue, self.answers))


def forgettable(stale_before: datetime, real_now: datetime) -> ColumnElement[bool]:
    """Return the condition under which a sign-up that nobody confirmed is to be forgotten.

    It is from before `stale_before` (course clock), and the link in its newest confirmation has run out (real clock): a
    course that runs fast must not forget somebody whose link still works.
    """
    return _forgettable(stale_before, real_now - LINK_LIVES)


def _forgettable(stale_before: Any, link_before: Any) -> ColumnElement[bool]:
    open_link = exists().where(
        Delivery.subscriber_id == Subscriber.id,
        Delivery.kind == fixed(DeliveryKind.CONFIRMATION),
        or_(
            one_of(Delivery.status, (DeliveryStatus.DUE, DeliveryStatus.CLAIMED, DeliveryStatus.UNKNOWN)),
            Delivery.settled_at > link_before,
        ),
    )
    old = and_(Subscriber.status == fixed(SubscriberStatus.PENDING), Subscriber.created_at <= stale_before)
    return and_(old, ~open_link.correlate(Subscriber))


def agenda(
    session: Session, now: datetime, real_now: datetime, stale_before: datetime, *, thorough: bool = True
) -> Agenda:
    """Return what waits at `now` on the course clock and `real_now` on the real one.

    `overdue` is only looked at where `thorough`: while a hundred thousand wait, each has to be looked at.

    `stale_before`: sign-ups from before then (course clock) are to be forgotten.
    """
    instants = {
        "now": now,
        "real_now": real_now,
        "stale_before": stale_before,
        "link_before": real_now - LINK_LIVES,
        "clicked_before": real_now - LOOK_AGAIN_AFTER,
        "fresh_before": real_now - KEPT,
    }
    return Agenda(*(bool(answer) for answer in session.execute(_asked(thorough=thorough), instants).one()))


@cache
def _asked(*, thorough: bool) -> Executable:
    """Return the statement, put together once: that takes longer than asking, and an idle worker asks each second."""
    names = "now", "real_now", "stale_before", "link_before", "clicked_before", "fresh_before"
    now, real_now, stale_before, link_before, clicked_before, fresh_before = (
        bindparam(name, type_=Instant()) for name in names
    )
    due = and_(Delivery.status == fixed(DeliveryStatus.DUE), Delivery.held.is_(None), Delivery.due_at <= now)
    ready = and_(
        due,
        or_(Delivery.retry_at.is_(None), Delivery.retry_at <= real_now),
        or_(Delivery.closes_at.is_(None), Delivery.closes_at > now),
    )
    asked: tuple[ColumnElement[bool], ...] = (
        or_(exists().where(SignUp.handled_at.is_(None)), exists().where(SignUp.again_at <= real_now)),
        exists(select(Enrollment.id).where(WANTING, ~in_hand())),
        exists().where(Subscriber.paused_until <= now),
        exists().where(Subscriber.remind_at <= now),
        or_(_first(due, 0, Delivery.closes_at <= now), _first(due, 1, Delivery.closes_at <= now))
        if thorough
        else false(),
        _first(ready, 0),
        _first(ready, 1),
        exists(select(Delivery.id).where(IN_FLIGHT, Delivery.lease_until <= real_now)),
        or_(exists(select(EventBatch.id)), exists().where(ProviderEvent.applied_at.is_(None))),
        or_(
            exists().where(_forgettable(stale_before, link_before)),
            exists().where(SignUp.handled_at.is_not(None), SignUp.asked_at <= stale_before),
            exists().where(fresh_links.forgettable(fresh_before)),
            exists().where(SignUp.network_until <= real_now),
            exists().where(SpentProof.until <= real_now),
        ),
        exists().where(WAITING, LinkClick.real_at <= clicked_before),
    )
    return select(*asked)


def _first(where: ColumnElement[bool], lane: int, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say whether there is such a row, asked for in the order of the index.

    A plain EXISTS over a ledger of millions lets PostgreSQL hope to meet one soon, and read all where there is none.
    """
    found = select(Delivery.id).where(where, Delivery.lane == fixed(lane), *more)
    return found.order_by(Delivery.due_at, Delivery.id).limit(1).scalar_subquery().is_not(None)
