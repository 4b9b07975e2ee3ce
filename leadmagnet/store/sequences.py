"""Sequences, their steps, and the steps' revisions. Steps keep their ids whatever is edited or moved."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain import schedule
from leadmagnet.domain.sequence import Step as StepRule
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.store.base import Base, Name


class Sequence(Base):
    """A row of emails with one rhythm."""

    __tablename__ = "sequence"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Name())
    title: Mapped[str] = mapped_column(Name(200))
    about: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(Name(12), default="en")
    hour: Mapped[int]
    """Preferred minute of the local day."""
    opens: Mapped[int]
    closes: Mapped[int]
    """The window, minutes of the local day."""
    weekdays: Mapped[str] = mapped_column(Name(7))
    """Allowed weekday digits, Monday 0."""
    spread_minutes: Mapped[int] = mapped_column(default=0)
    paused_at: Mapped[datetime | None]
    """Since when nothing of it goes out to anybody (course clock); who did it is in pauses.py."""
    loaded_hash: Mapped[str] = mapped_column(Name(64), default="")

    def rhythm(self, chosen_hour: int | None) -> schedule.Rhythm:
        """Return the rhythm for a subscriber, with the hour that this person chose, where one was chosen."""
        day = self.hour, self.opens, self.closes, self.weekdays, self.spread_minutes
        return schedule.Rhythm.of(*day, chosen_hour)


class Step(Base):
    """One email of a sequence. What it says is in its newest revision."""

    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("sequence_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sequence_id: Mapped[int] = mapped_column(ForeignKey("sequence.id"))
    slug: Mapped[str] = mapped_column(Name())
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(Name(24))
    delay: Mapped[str] = mapped_column(Name(24))
    """In words: 'at confirmation', '3 days', '36 hours'."""
    removed: Mapped[bool] = mapped_column(default=False)
    revision_id: Mapped[int | None]
    """The newest published revision. No foreign key: the two tables would point at each other."""
    loaded_hash: Mapped[str] = mapped_column(Name(64), default="")
    """Hash of the shipped file that this step still is; empty once a marketer has made it their own."""

    def rule(self) -> StepRule:
        """Return what the pure rules need to know of this step."""
        return StepRule(
            self.id, self.slug, self.position, DeliveryKind(self.kind), schedule.parse_delay(self.delay), self.removed
        )


class StepRevision(Base):
    """What a step says, at one time. Never changed once published."""

    __tablename__ = "step_revision"
    __table_args__ = (UniqueConstraint("step_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("step.id"))
    number: Mapped[int]
    source: Mapped[str]
    """The whole file: front matter and Markdown. What `sequence export` writes."""
    author: Mapped[str] = mapped_column(Name(120), default="")
    created_at: Mapped[datetime]


# Put together once. Who plans or writes a thousand emails has courses.py.
_STEPS = select(Step).where(Step.sequence_id == bindparam("of")).order_by(Step.position, Step.id)
_REVISIONS = (
    select(StepRevision).join(Step, Step.revision_id == StepRevision.id).where(Step.sequence_id == bindparam("of"))
)


def by_slug(session: Session, slug: str) -> Sequence | None:
    """Return the sequence with this slug."""
    return session.query(Sequence).filter_by(slug=slug).one_or_none()


def steps_of(session: Session, sequence_id: int) -> list[Step]:
    """Return all steps of a sequence in order, the removed ones among them."""
    return list(session.scalars(_STEPS, {"of": sequence_id}))


def revisions_of(session: Session, sequence_id: int) -> dict[int, StepRevision]:
    """Return the published revision of each step of a sequence, by step id."""
    return {revision.step_id: revision for revision in session.scalars(_REVISIONS, {"of": sequence_id})}
