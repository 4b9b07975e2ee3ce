"""Old rows of the ledger become counters: which ones may, how far a pass has come, and one batch of it.

A batch is one transaction, so a death in its middle neither loses nor doubles a count. Decision 0013 says why a row may
move out. Must not know: how long rows stay, how many batches there are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from leadmagnet.domain.status import ANSWERS, DeliveryKind, DeliveryStatus, EnrollmentStatus
from leadmagnet.domain.zones import local_day, to_utc
from leadmagnet.store import counters, events
from leadmagnet.store.among import fixed
from leadmagnet.store.base import Base
from leadmagnet.store.counters import Sort
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment

_SENT = (fixed(DeliveryStatus.SENT), fixed(DeliveryStatus.DELIVERED))
_ENDED = (*_SENT, fixed(DeliveryStatus.BOUNCED), fixed(DeliveryStatus.FAILED), fixed(DeliveryStatus.SKIPPED))
_COUNTED = ("sent_at", "due_at", "kind", "step_id", "text_slug", "status", "skip_reason", "provider", "resent")


class RollUp(Base):
    """At most one row: the id up to which a pass has come, and when (real clock) the next look is worth it."""

    __tablename__ = "roll_up"

    id: Mapped[int] = mapped_column(primary_key=True)
    after_id: Mapped[int]
    next_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Age:
    """What is older may move out: on the course clock, and where an instant is of the real one, on that."""

    course: datetime
    real: datetime


@dataclass(slots=True)
class Moved:
    """What became of a batch, or of several: emails by their state, provider events, and whether the pass is over."""

    emails: Counter[str] = field(default_factory=Counter)
    events: int = 0
    looked_at: int = 0
    over: bool = False

    def add(self, other: Moved) -> None:
        """Add another batch; the newer one says whether the pass is over."""
        self.emails.update(other.emails)
        self.events, self.looked_at = self.events + other.events, self.looked_at + other.looked_at
        self.over = other.over


def waits(session: Session, real_now: datetime) -> bool:
    """Say whether a pass is under way, or the next one is to begin."""
    next_at = session.scalar(select(RollUp.next_at))
    return next_at is None or next_at <= real_now


def begin(session: Session, real_now: datetime) -> None:
    """Begin a pass at the oldest row, wherever the one before has come to."""
    place = _place(session, real_now)
    place.after_id, place.next_at = 0, real_now


def batch(session: Session, age: Age, zone: ZoneInfo, limit: int, real_now: datetime, next_at: datetime) -> Moved:
    """Look at the next `limit` rows of the ledger, and at as many events; count and delete those that may go.

    Once the pass has come to rows that are too young, `next_at` is when the next one begins. `zone` is the clinic's.
    """
    place = _place(session, real_now)
    window = select(Delivery.id, Delivery.created_at).where(Delivery.id > place.after_id)
    rows = window.order_by(Delivery.id).limit(limit).subquery()
    seen, last, oldest = session.execute(select(func.count(), func.max(rows.c.id), func.min(rows.c.created_at))).one()
    moved = Moved(looked_at=seen)
    if seen:
        moved.emails = _move(session, age, zone, place.after_id, last)
    moved.events = events.forget_old(session, age.real, limit)
    at_end = seen < limit or oldest >= age.course
    moved.over = at_end and moved.events < limit
    if moved.over:
        place.after_id, place.next_at = 0, next_at
    elif not at_end:
        place.after_id = last
    return moved


def _place(session: Session, real_now: datetime) -> RollUp:
    """Return how far the pass has come, locked: two processes would only stand in one another's way."""
    connection = session.connection()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    first = dialect.insert(RollUp).values(id=1, after_id=0, next_at=real_now)
    connection.execute(first.on_conflict_do_nothing())
    return session.scalars(select(RollUp).where(RollUp.id == 1).with_for_update()).one()


def _move(session: Session, age: Age, zone: ZoneInfo, after_id: int, last_id: int) -> Counter[str]:
    """Count and delete rows within a range of ids."""
    chosen = (
        select(Delivery.id)
        .where(Delivery.id > after_id, Delivery.id <= last_id, movable(age))
        .with_for_update(of=Delivery, skip_locked=True)
        .cte("chosen")
    )
    return _count_away(session, Delivery.id.in_(select(chosen.c.id)), zone)


def count_away(session: Session, subscriber_id: int, zone: ZoneInfo) -> None:
    """Count and delete what has ended of one person's rows, whatever a rule may still ask: the person is erased."""
    _count_away(session, and_(Delivery.subscriber_id == subscriber_id, Delivery.status.in_(_ENDED)), zone)


def _count_away(session: Session, where: ColumnElement[bool], zone: ZoneInfo) -> Counter[str]:
    """Count and delete. What is counted is what the deletion itself gives back."""
    gone = delete(Delivery).where(where)
    columns = [getattr(Delivery, name) for name in _COUNTED]
    emails: Counter[Sort] = Counter()
    again: Counter[Sort] = Counter()
    for sent_at, due_at, kind, step_id, *same, resent in session.connection().execute(gone.returning(*columns)):
        due = _day(due_at, zone)
        sort = Sort(_day(sent_at, zone) if sent_at else due, due, kind, step_id or 0, *same)
        emails[sort] += 1
        again[sort] += resent > 0
    counters.add(session, emails, again)
    states: Counter[str] = Counter()
    for sort, number in emails.items():
        states[sort.status] += number
    return states


def _day(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which a local day began."""
    return to_utc(local_day(at, zone), 0, zone)


def movable(age: Age) -> ColumnElement[bool]:
    """Return the condition under which a row of the ledger may become a number: no rule will ever ask for it again.

    It has ended long ago, and it never went out, or was an answer to what somebody did, or a later row of the same
    person says the same: the same step, or the same reminder.
    """
    later = aliased(Delivery)
    same = or_(
        later.step_id == Delivery.step_id,
        and_(
            Delivery.kind == DeliveryKind.REMINDER, later.kind == Delivery.kind, later.text_slug == Delivery.text_slug
        ),
    )
    mine = later.subscriber_id == Delivery.subscriber_id, later.id > Delivery.id
    repeated = select(later.id).where(*mine, later.status.in_(_SENT), same, _old(later, age)).correlate(Delivery)
    finished = select(Enrollment.id).where(
        Enrollment.id == Delivery.enrollment_id,
        Enrollment.status == EnrollmentStatus.FINISHED,
        Enrollment.wants_plan.is_(False),
    )
    over = or_(Delivery.enrollment_id.is_(None), finished.correlate(Delivery).exists())
    answer = Delivery.kind.in_(sorted(ANSWERS))
    failed = and_(Delivery.kind == DeliveryKind.REMINDER, Delivery.status == fixed(DeliveryStatus.FAILED))
    no_use = or_(Delivery.status == fixed(DeliveryStatus.SKIPPED), answer, failed)
    # In this order: what is repeated is rare, and enrollments are only looked up for it.
    return and_(Delivery.status.in_(_ENDED), _old(Delivery, age), or_(no_use, and_(repeated.exists(), over)))


def _old(row: Any, age: Age) -> ColumnElement[bool]:
    settled = or_(row.settled_at.is_(None), row.settled_at < age.real)
    return and_(func.coalesce(row.sent_at, row.due_at) < age.course, settled)
