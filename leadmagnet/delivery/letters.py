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
from leadmagnet.rendering.headers import headers_for, message_id
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.phrases import safe_name
from leadmagnet.rendering.slots import TO_STRANGERS
from leadmagnet.rendering.values import Reader, values_for
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


def reader_of(row: Claimed, desk: Desk, now: Now) -> Reader:
    """Return what one letter needs to know of its reader."""
    step, where, days = desk.step_of(row), zone(row.timezone), _weekdays(row.exercise_days)
    kind = DeliveryKind(row.kind)
    following = _following(step, row, desk, now.course) if step and kind is DeliveryKind.VIDEO else None
    done = desk.check_ins.get(row.subscriber_id)
    link = desk.fresh.get(row.public_id)
    return Reader(
        subscriber_id=row.subscriber_id,
        leave_id=row.leave_id,
        first_name=row.first_name,
        timezone=where,
        signed_up_at=row.signed_up_at,
        kind=kind,
        issued_real=now.real,
        confirmed=row.confirmed,
        fresh=(Opens(link.opens), link.id) if link else None,
        step_id=step.rule.id if step else None,
        step_slug=step.rule.slug if step and step.rule.kind is DeliveryKind.VIDEO else "",
        step_title=step.title if step else "",
        step_number=step.number if step else 0,
        film_seconds=step.seconds if step else None,
        exercise_days=days,
        goal=len(days),
        good_weeks=good_run(done, len(days), schedule.local_day(now.course, where)) if done else 0,
        next_title=following[0] if following else None,
        next_at=following[1] if following else None,
        delivery_id=row.id,
        sequence_slug=step.course.slug if step else "six-core-videos",
        sequence_title=step.course.title if step else "Six core videos",
    )


def _following(step: StepInHand, row: Claimed, desk: Desk, now: datetime) -> tuple[str, datetime] | None:
    """Return title and foreseen instant of the video after this one."""
    share = schedule.spread_share(row.leave_id) if step.course.spread_minutes else 0.0
    key = (step.rule.id, row.timezone, row.chosen_hour, row.pace, share, row.day is not None)
    if key not in desk.following:
        desk.following[key] = _work_out(step, row, desk, now, share)
    return desk.following[key]


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
    groups: dict[tuple[int, str, str, int, Stored], list[Claimed]] = defaultdict(list)
    for row in rows:
        groups[row.resent, desk.source_of(row), *desk.course_of(desk.step_of(row)), desk.links_of(row)].append(row)
    found: list[Outgoing] = []
    for (resent, source, title, videos, stored), group in sorted(groups.items(), key=lambda one: one[0][0]):
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
    letters = tuple(_letter(row, content, desk, now, clinic, links) for row in rows)
    batch = Batch(content, clinic.mail_from, clinic.name, clinic.reply_to, letters)
    return Outgoing(batch, tuple(rows))


def _letter(row: Claimed, content: Content, desk: Desk, now: Now, clinic: Clinic, links: Links) -> Letter:
    reader = reader_of(row, desk, now)
    return Letter(
        delivery_id=row.public_id,
        to_email=desk.address_of(row),
        # No name to an address that is not confirmed: whoever typed the one could have typed anything as the other.
        to_name="" if reader.kind in TO_STRANGERS else safe_name(row.first_name),
        message_id=message_id(row.public_id, clinic),
        date=now.course,
        values=values_for(reader, links, now.course, content.slots()),
        headers=headers_for(reader, clinic, links, row.public_id),
    )
