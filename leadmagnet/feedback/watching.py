"""How far a person has watched a video; a quarter of one counts as an answer and as having started."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.reminders import WATCHED_ENOUGH
from leadmagnet.feedback.answers import answered
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.watching import Watch


class Progress(NamedTuple):
    """Who has played how much (0 to 100) of which video."""

    person: Subscriber
    step_slug: str
    percent: int


def watched(session: Session, person: Subscriber, step_slug: str, percent: int, now: datetime) -> None:
    """Record that `percent` (0 to 100) of a video has been played. Going back never lowers it."""
    watched_all(session, [Progress(person, step_slug, percent)], now)


def watched_all(session: Session, progress: Sequence[Progress], now: datetime) -> None:
    """Record what different people have played at one moment: one look, however many they are."""
    known = store.watching.of_people(session, [one.person.id for one in progress])
    for person, step_slug, played in progress:
        percent = max(0, min(100, played))
        row = known.get((person.id, step_slug))
        if row is None:
            row = Watch(subscriber_id=person.id, step_slug=step_slug, percent=0, first_at=now)
            session.add(row)
        row.percent, row.last_at = max(row.percent, percent), now
        if percent >= WATCHED_ENOUGH * 100:
            answered(person, now, exercised=True)


def acknowledge(session: Session, person: Subscriber, now: datetime) -> None:
    """Record that the person has read whom to ask first, before the first video plays."""
    if person.asked_first_at is None:
        person.asked_first_at = now
        store.activities.add(session, person.id, now, "read whom to ask first")
