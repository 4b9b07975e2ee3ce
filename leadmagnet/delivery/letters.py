"""Claimed deliveries become batches of letters: one content each, with the values of every reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from leadmagnet.clock import Now
from leadmagnet.delivery.desk import Desk, StepInHand
from leadmagnet.domain import schedule, sequence
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.message import Batch, Content, Letter
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.domain.weeks import good_run
from leadmagnet.domain.zones import zone
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.email import compile_email
from leadmagnet.rendering.headers import Headers, message_id
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.phrases import safe_name
from leadmagnet.rendering.slots import TO_STRANGERS
from leadmagnet.rendering.values import Lesson, Reader, Values
from leadmagnet.store.in_hand import Claimed
from leadmagnet.store.links import Stored

#: A batch of letters that were sent again once is an eighth of a whole one; twice, an eighth of that.
SMALLER = 3


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One batch and the rows of the ledger that it carries, in the order of its letters."""

    batch: Batch
    rows: tuple[Claimed, ...]


@lru_cache(maxsize=256)
def _weekdays(digits: str) -> tuple[int, ...]:
    return tuple(int(digit) for digit in digits)


def _lesson(kind: DeliveryKind, step: StepInHand | None) -> Lesson:
    if step is None:
        return Lesson(kind)
    rule, course = step.rule, step.course
    slug = rule.slug if rule.kind is DeliveryKind.VIDEO else ""
    return Lesson(kind, rule.id, slug, step.title, step.number, step.seconds, course.slug, course.title)


class _Readers:
    """What letters need to know of their readers, at one instant; what many share is made once."""

    def __init__(self, desk: Desk, now: Now) -> None:
        self._desk, self._now = desk, now
        self._lessons: dict[tuple[str, int | None], Lesson] = {}
        #: Title and instant of the following video, by what they hang on: most readers share it.
        self._following: dict[tuple[object, ...], tuple[str, datetime] | None] = {}

    def of(self, row: Claimed) -> Reader:
        """Return what one letter needs to know of its reader."""
        desk, step = self._desk, self._desk.step_of(row)
        key = row.kind, step.rule.id if step else None
        lesson = self._lessons.get(key)
        if lesson is None:
            lesson = self._lessons[key] = _lesson(DeliveryKind(row.kind), step)
        where, days = zone(row.timezone), _weekdays(row.exercise_days)
        done = desk.check_ins.get(row.subscriber_id) if desk.check_ins else None
        link = desk.fresh.get(row.public_id) if desk.fresh else None
        return Reader(
            lesson,
            row.subscriber_id,
            row.leave_id,
            row.first_name,
            where,
            row.signed_up_at,
            self._now.real,
            row.confirmed,
            days,
            len(days),
            good_run(done, len(days), schedule.local_day(self._now.course, where)) if done else 0,
            self._next(step, row) if step and lesson.kind is DeliveryKind.VIDEO else None,
            row.id,
            (Opens(link.opens), link.id) if link else None,
        )

    def _next(self, step: StepInHand, row: Claimed) -> tuple[str, datetime] | None:
        """Return title and foreseen instant of the video after this one."""
        share = schedule.spread_share(row.leave_id) if step.course.spread_minutes else 0.0
        key = (step.rule.id, row.timezone, row.chosen_hour, row.pace, share, row.day is not None)
        if key not in self._following:
            self._following[key] = _work_out(step, row, self._desk, self._now.course, share)
        return self._following[key]


def _work_out(step: StepInHand, row: Claimed, desk: Desk, now: datetime, share: float) -> tuple[str, datetime] | None:
    coming = sequence.next_step(desk.courses.rules[step.course.id], [step.rule.id])
    if coming is None or coming.kind is not DeliveryKind.VIDEO:
        return None
    due = schedule.due_at(
        now,
        sequence.at_pace(sequence.delay_before(coming, [step.rule.id]), sequence.Pace(row.pace)),
        step.course.rhythm(row.chosen_hour),
        zone(row.timezone),
        share=share,
        previous_counts=row.day is not None,
    )
    return desk.steps[coming.id].title, due


def batches(
    desk: Desk, rows: Sequence[Claimed], now: Now, *, clinic: Clinic, links: Links, most: int
) -> list[Outgoing]:
    """Group deliveries by content and return batches of at most `most` letters.

    Those that are sent again, because a call came to no known end, go in ever smaller batches behind all others: one of
    them may be what ends the calls, and it must not take others with it.
    """
    groups: dict[tuple[int, object, Stored], list[Claimed]] = defaultdict(list)
    for row in rows:
        # A step has one text and one course. Of the others, what they name and whose course they speak of.
        text = row.step_id or (row.kind, row.text_slug, *desk.course_of(desk.step_of(row)))
        groups[row.resent, text, desk.links_of(row)].append(row)
    found: list[Outgoing] = []
    for (resent, _, stored), group in sorted(groups.items(), key=lambda one: one[0][0]):
        first = group[0]
        title, videos = desk.course_of(desk.step_of(first))
        source = desk.source_of(first)
        content = compile_email(source, clinic, links.public_url, home_title=title, videos=videos, tracked=stored)
        size = max(1, most >> SMALLER * resent)
        found.extend(
            _outgoing(content, group[start : start + size], desk, now, clinic, links)
            for start in range(0, len(group), size)
        )
    return found


def _outgoing(
    content: Content, rows: Sequence[Claimed], desk: Desk, now: Now, clinic: Clinic, links: Links
) -> Outgoing:
    readers, headers = _Readers(desk, now), Headers(clinic, links)
    values = Values(links, now.course, content.slots())

    def letter(row: Claimed) -> Letter:
        reader = readers.of(row)
        # No name to an address that is not confirmed: whoever typed the one could have typed anything as the other.
        name = "" if reader.lesson.kind in TO_STRANGERS else safe_name(row.first_name)
        own = values.of(reader), headers.of(reader, row.public_id)
        return Letter(row.public_id, desk.address_of(row), name, message_id(row.public_id, clinic), now.course, *own)

    letters = tuple([letter(row) for row in rows])
    batch = Batch(content, clinic.mail_from, clinic.name, clinic.reply_to, letters)
    return Outgoing(batch, tuple(rows))
