"""How far a person has watched a video; a quarter of one counts as an answer and as having started."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.reminders import WATCHED_ENOUGH
from leadmagnet.feedback.answers import answered
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.watching import Watch


def watched(session: Session, person: Subscriber, step_slug: str, percent: int, now: datetime) -> None:
    """Record that `percent` (0 to 100) of a video has been played. Going back never lowers it."""
    percent = max(0, min(100, percent))
    row = session.query(Watch).filter_by(subscriber_id=person.id, step_slug=step_slug).one_or_none()
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
