"""Pauses of a whole sequence: who began and ended them, and the statements that hold its queue.

A held row stays due and leaves the index of the claim, so a claim costs the same with and without a pause. Nothing is
let go here: the end of a pause asks for plans, and the planner dates each email anew. Must not know: the schedule.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, ForeignKey, Index, Select, Update, and_, exists, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, EnrollmentStatus, SkipReason
from leadmagnet.store.among import among_given, fixed
from leadmagnet.store.base import Base, Name
from leadmagnet.store.courses import for_plans
from leadmagnet.store.deliveries import TRIED_AGAIN, Delivery
from leadmagnet.store.enrollments import Enrollment, want_plan
from leadmagnet.store.sequences import Sequence, Step

#: What `Delivery.held` says of a row that waits for its sequence.
HELD = str(SkipReason.SEQUENCE_PAUSED)
_WAITING = (Delivery.status == fixed(DeliveryStatus.DUE), Delivery.held.is_(None))


class SequencePause(Base):
    """One pause of a sequence, on the course clock. Rows stay, as the record of who did it."""

    __tablename__ = "sequence_pause"
    __table_args__ = (Index("ix_sequence_pause_sequence_id_id", "sequence_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id"))
    began_at: Mapped[datetime]
    began_by: Mapped[str] = mapped_column(Name(120))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(Name(120), default="")


class Standing(NamedTuple):
    """A sequence at rest: since when (course clock), by whom, and how many of its emails are held."""

    sequence_id: int
    slug: str
    title: str
    since: datetime
    by: str
    waiting: int


def resting_steps() -> Select[int]:
    """Return the query of the steps of paused sequences. It hangs on no row, so a statement asks it once."""
    return select(Step.id).join(Sequence, Sequence.id == Step.sequence_id).where(Sequence.paused_at.is_not(None))


def rests() -> ColumnElement[bool]:
    """Return the condition that a delivery is an email of a paused sequence. Never NULL, so it may be negated."""
    return func.coalesce(Delivery.step_id, 0).in_(resting_steps())


def begin(session: Session, sequence_id: int, now: datetime, by: str) -> bool:
    """Mark a sequence as paused; False where it was already. Once committed, no call with its emails begins."""
    statement = update(Sequence).where(Sequence.id == sequence_id, Sequence.paused_at.is_(None)).values(paused_at=now)
    begun = _changed(session, statement.returning(Sequence.id))
    if begun:
        session.add(SequencePause(sequence_id=sequence_id, began_at=now, began_by=by[:120]))
    return bool(begun)


def hold(session: Session, sequence_id: int) -> int:
    """Hold what waits in a paused sequence; return how many emails that was. In a transaction after `begin`.

    The lock waits for plans that were begun before the pause, and later ones know of it: what they write is held
    already. Rows that somebody has locked are passed over, as by a claim: they are being claimed, and go no further.
    """
    found = select(Sequence.paused_at).where(Sequence.id == sequence_id).with_for_update(key_share=True)
    if session.scalar(found) is None:
        return 0
    ours = Delivery.step_id.in_(select(Step.id).where(Step.sequence_id == sequence_id))
    _no_second_try(session, ours)
    held = _changed(session, _unlocked(ours).values(held=HELD).returning(Delivery.id))
    _drop_reminders(session, sequence_id)
    return len(held)


def hold_again(session: Session, ids: Collection[int]) -> None:
    """Hold those of these rows, just due again, whose sequence is paused, and ask for their plans.

    The plan matters where the pause ends this very moment: whoever plans after us finds the row and lets it go.
    """
    if ids:
        connection = session.connection()
        connection.execute(_no_second_try_of(), {"ids": ids})
        held = connection.execute(_hold_again(), {"ids": ids})
        if enrollments := set(held.scalars().all()) - {None}:
            for_plans(session)  # so that we and the end of a pause do not hold one another's enrollments
            want_plan(session, enrollments)


@cache
def _no_second_try_of() -> Executable:
    return _failed_again(among_given(Delivery.id) & rests())


@cache
def _hold_again() -> Executable:
    held = update(Delivery).where(*_WAITING, among_given(Delivery.id), rests()).values(held=HELD)
    return held.returning(Delivery.enrollment_id)


def end(session: Session, sequence_id: int, now: datetime, by: str) -> int | None:
    """End a pause and ask for a plan of everybody in the sequence; return how many emails wait, None without a pause.

    First the sequence, then its enrollments by their ids: in the order in which planners take them.
    """
    statement = update(Sequence).where(Sequence.id == sequence_id, Sequence.paused_at.is_not(None))
    if not _changed(session, statement.values(paused_at=None).returning(Sequence.id)):
        return None
    mine = update(SequencePause).where(SequencePause.sequence_id == sequence_id, SequencePause.ended_at.is_(None))
    session.execute(mine.values(ended_at=now, ended_by=by[:120]).execution_options(synchronize_session=False))
    active = select(Enrollment.id).where(Enrollment.sequence_id == sequence_id, _running())
    chosen = active.order_by(Enrollment.id).with_for_update().cte("chosen")
    wish = update(Enrollment).where(Enrollment.id.in_(select(chosen.c.id))).values(wants_plan=True)
    session.execute(wish.execution_options(synchronize_session=False))
    return waiting(session, sequence_id)


def waiting(session: Session, sequence_id: int) -> int:
    """Return how many emails of a sequence are held by its pause."""
    steps = select(Step.id).where(Step.sequence_id == sequence_id)
    held = Delivery.status == fixed(DeliveryStatus.DUE), Delivery.held == HELD, Delivery.step_id.in_(steps)
    return session.scalar(select(func.count()).select_from(Delivery).where(*held)) or 0


def standing(session: Session) -> list[Standing]:
    """Return the sequences at rest, the longest first."""
    query = (
        select(Sequence.id, Sequence.slug, Sequence.title, SequencePause.began_at, SequencePause.began_by)
        .join(SequencePause, SequencePause.sequence_id == Sequence.id)
        .where(Sequence.paused_at.is_not(None), SequencePause.ended_at.is_(None))
        .order_by(SequencePause.id)
    )
    return [Standing(*row, waiting(session, row[0])) for row in session.execute(query).all()]


def _no_second_try(session: Session, ours: ColumnElement[bool]) -> None:
    """Put what the clinic has sent on a second try back among the failed.

    Such an email is no enrollment's next one, so the planner would never let it go. It can be tried again afterwards.
    """
    session.execute(_failed_again(ours).execution_options(synchronize_session=False))


def _failed_again(ours: ColumnElement[bool]) -> Update:
    return _unlocked(ours & (Delivery.reason == TRIED_AGAIN)).values(status=DeliveryStatus.FAILED)


def _drop_reminders(session: Session, sequence_id: int) -> None:
    """Skip the reminders, due this moment, of people for whom no sequence runs on."""
    here = select(Enrollment.subscriber_id).where(Enrollment.sequence_id == sequence_id, _running())
    runs_on = (
        exists(select(Enrollment.id).join(Sequence, Sequence.id == Enrollment.sequence_id))
        .where(Enrollment.subscriber_id == Delivery.subscriber_id, _running(), Sequence.paused_at.is_(None))
        .correlate(Delivery)
    )
    mine = Delivery.subscriber_id.in_(here)
    dropped = _unlocked(and_(Delivery.kind == DeliveryKind.REMINDER, mine, ~runs_on))
    values = {"status": DeliveryStatus.SKIPPED, "skip_reason": HELD}
    session.execute(dropped.values(**values).execution_options(synchronize_session=False))


def _unlocked(where: ColumnElement[bool]) -> Update:
    """Return an update of waiting rows that match and that nobody has locked: a statement over many waits for none."""
    chosen = select(Delivery.id).where(*_WAITING, where).with_for_update(skip_locked=True).cte("chosen")
    return update(Delivery).where(Delivery.id.in_(select(chosen.c.id)), *_WAITING)


def _running() -> ColumnElement[bool]:
    return Enrollment.status == EnrollmentStatus.ACTIVE


def _changed(session: Session, statement: Any) -> list[Any]:
    return list(session.execute(statement.execution_options(synchronize_session=False)).scalars().all())
