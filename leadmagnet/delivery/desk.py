"""What a batch of letters needs from the database, read once: texts, steps, newest videos, check-ins, links on request.

Must not know: what a letter says, or who sends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from sqlalchemy import Executable, Select, func, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.content import film_seconds
from leadmagnet.domain import sequence
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering.document import parse
from leadmagnet.rendering.headers import LISTED
from leadmagnet.store.among import among_given, fixed, one_of
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.courses import Course, Courses
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.in_hand import Claimed
from leadmagnet.store.links import Stored
from leadmagnet.store.subscribers import Subscriber

#: Emails that carry a link on request.
_ON_REQUEST = (DeliveryKind.FRESH_LINK, DeliveryKind.NEW_ADDRESS)

# Each batch asks this: put together once.
_TEXTS = select(EmailText)


@dataclass(frozen=True, slots=True)
class StepInHand:
    """What letters need to know of one step."""

    rule: sequence.Step
    course: Course
    source: str
    title: str
    number: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Curriculum:
    """The sequences as letters need them: their steps by id, their rules by sequence, and each one's extent."""

    steps: Mapping[int, StepInHand]
    rules: Mapping[int, Sequence[sequence.Step]]
    #: Title and number of videos, by sequence id.
    extents: Mapping[int, tuple[str, int]]


class Desk:
    """Everything a batch of claimed deliveries needs from the database, read once."""

    def __init__(self, session: Session, rows: Sequence[Claimed], *, tracks: bool = False) -> None:
        """Read the steps, and for those that need them the texts, newest videos and check-ins; `tracks`: links, too."""
        self.courses = _curriculum(store.courses.as_sent(session))
        self.steps = self.courses.steps
        reminded = [row.subscriber_id for row in rows if row.kind == DeliveryKind.REMINDER]
        texts = session.scalars(_TEXTS) if any(row.step_id is None for row in rows) else ()
        self.texts = {text.slug: text for text in texts}
        asked = [row.public_id for row in rows if row.kind in _ON_REQUEST]
        self.fresh = store.fresh_links.of_deliveries(session, asked) if asked else {}
        self.in_hand = _newest_videos(session, reminded, self.steps) if reminded else {}
        self.check_ins = _check_ins(session, reminded) if reminded else {}
        self.links = store.links.in_use(session) if tracks else {}
        listed = [row.subscriber_id for row in rows if row.kind in LISTED] if self.links else []
        self.counted = set(session.scalars(_counted(), {"ids": listed})) if listed else set()

    def step_of(self, row: Claimed) -> StepInHand | None:
        """Return the step that a delivery carries, or for a reminder the exercise in hand."""
        step_id = row.step_id if row.step_id is not None else self.in_hand.get(row.subscriber_id)
        return self.steps.get(step_id) if step_id is not None else None

    def course_of(self, step: StepInHand | None) -> tuple[str, int]:
        """Return title and number of videos of the course of a step; of the first course where there is none."""
        step = step or next(iter(self.steps.values()))
        return self.courses.extents[step.course.id]

    def address_of(self, row: Claimed) -> str:
        """Return the address that a letter goes to: the person's, or the one that is to take its place."""
        return self.fresh[row.public_id].new_email if row.kind == DeliveryKind.NEW_ADDRESS else row.email

    def source_of(self, row: Claimed) -> str:
        """Return the text of a delivery: its step's newest published revision, or the email text of its kind."""
        if row.step_id is not None:
            return self.steps[row.step_id].source
        if row.text_slug:
            return self.texts[row.text_slug].source
        return next(text.source for text in self.texts.values() if text.kind == row.kind and not text.removed)

    def links_of(self, row: Claimed) -> Stored:
        """Return the links of an email that are led through /c/: none for who has not confirmed, or has objected."""
        if row.subscriber_id not in self.counted or row.kind not in LISTED:
            return ()
        return self.links.get(row.text_slug if row.step_id is None else row.step_id, ())


@cache
def _counted() -> Select[int]:
    return select(Subscriber.id).where(among_given(Subscriber.id), Subscriber.track_links)


@lru_cache(maxsize=8)
def _curriculum(found: Courses) -> Curriculum:
    """Return the sequences as letters need them. They hardly ever change, and each batch asks for them."""
    steps: dict[int, StepInHand] = {}
    rules: dict[int, list[sequence.Step]] = {}
    extents: dict[int, tuple[str, int]] = {}
    for course, all_steps in found:
        number = 0
        for step in all_steps:
            number += step.kind == DeliveryKind.VIDEO and not step.removed
            if step.source is not None:
                steps[step.id] = _in_hand(step.rule(), course, step.source, number)
                rules.setdefault(course.id, []).append(steps[step.id].rule)
        videos = [rule for rule in rules.get(course.id, ()) if rule.kind is DeliveryKind.VIDEO and not rule.removed]
        extents[course.id] = course.title, len(videos)
    return Curriculum(steps, rules, extents)


def _in_hand(rule: sequence.Step, course: Course, source: str, number: int) -> StepInHand:
    front = parse(source).front
    # The text itself says "Video 4"; where it does not, the place in the course counts.
    written = front.get("number")
    number = written if isinstance(written, int) else number
    return StepInHand(rule, course, source, str(front.get("title", "")), number, film_seconds(dict(front)))


def _newest_videos(session: Session, subscriber_ids: list[int], steps: Mapping[int, StepInHand]) -> dict[int, int]:
    """Return the newest video that each person was sent, by subscriber id."""
    rows = session.connection().execute(_newest(), {"ids": subscriber_ids})
    return {subscriber_id: step_id for subscriber_id, step_id in rows if step_id in steps}


@cache
def _newest() -> Executable:
    newest = (
        select(func.max(Delivery.id).label("id"))
        .where(among_given(Delivery.subscriber_id))
        .where(Delivery.kind == fixed(DeliveryKind.VIDEO), one_of(Delivery.status, OUT))
        .group_by(Delivery.subscriber_id)
        .subquery()
    )
    return select(Delivery.subscriber_id, Delivery.step_id).join(newest, newest.c.id == Delivery.id)


def _check_ins(session: Session, subscriber_ids: list[int]) -> dict[int, list[date]]:
    found: dict[int, list[date]] = defaultdict(list)
    for subscriber_id, day in session.connection().execute(_exercised(), {"ids": subscriber_ids}):
        found[subscriber_id].append(day)
    return found


@cache
def _exercised() -> Executable:
    return select(CheckIn.subscriber_id, CheckIn.day).where(among_given(CheckIn.subscriber_id))
