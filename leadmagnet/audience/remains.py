"""What the figures keep of a person who is erased: each figure for itself, so that they cannot be put together again.

What somebody was stays counted (signed up, confirmed, watched, left); what they are now does not (on the way, waiting).
Must not know: how a person is erased.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.status import DeliveryKind, SubscriberStatus
from leadmagnet.domain.zones import local_day, to_utc
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.erased import ALWAYS, Figure, Key, midnight
from leadmagnet.store.forms import Form
from leadmagnet.store.reports import SENT, WATCHED
from leadmagnet.store.sequences import Step
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.watching import Watch

_LEFT = (SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)


def count(session: Session, person: Subscriber, clinic_zone: ZoneInfo) -> None:
    """Add a person to the counters; emails are counted by store/roll_up.py. `clinic_zone` says where days begin."""

    def day(at: datetime) -> datetime:
        return to_utc(local_day(at, clinic_zone), 0, clinic_zone)

    watches = [w for w in store.watching.of_subscriber(session, person.id) if w.percent >= WATCHED]
    checks = store.check_ins.of_subscriber(session, person.id)
    joined, source = day(person.created_at), _source(session, person)
    counts: Counter[Key] = Counter()
    counts[Figure.SIGNED_UP, joined, source] += 1
    counts[Figure.DEPTH, joined, str(_depth(session, person, watches, checks))] += 1
    if person.confirmed_at is not None:
        counts[Figure.CONFIRMED, joined, source] += 1
    if person.left_at is not None and person.status in _LEFT:
        counts[Figure.LEFT, day(person.left_at), ""] += 1
        counts[Figure.COMPLAINED, day(person.left_at), ""] += person.status == SubscriberStatus.COMPLAINED
    if watches:
        counts[Figure.WATCHED, day(max(watch.last_at for watch in watches)), ""] += 1
    if checks:
        counts[Figure.EXERCISED, midnight(max(check.day for check in checks)), ""] += 1
    counts.update((Figure.WATCHED_STEP, ALWAYS, slug) for slug in {watch.step_slug for watch in watches})
    counts.update((Figure.DID_STEP, ALWAYS, slug) for slug in {check.step_slug for check in checks})
    for run in store.decisions.of_subscriber(session, person.id):
        counts[Figure.NOT_REMINDED, midnight(run.last_day), run.reason] += 1
    store.erased.add(session, +counts)


def _source(session: Session, person: Subscriber) -> str:
    """Return where a person came from, unless they alone came from there: an imported source may be a name."""
    others = exists().where(Subscriber.source == person.source, Subscriber.id != person.id)
    forms = exists().where(Form.slug == person.source)
    return person.source if session.scalar(select(others | forms)) else ""


def _depth(session: Session, person: Subscriber, watches: list[Watch], checks: list[CheckIn]) -> int:
    """Return how many stages of the first page's funnel a person has passed (store/reports.py, `funnel`)."""
    first, last = _ends(session)
    sent = (
        exists()
        .where(Delivery.subscriber_id == person.id, Delivery.status.in_(SENT), Delivery.step_id == Step.id)
        .where(Step.slug == last)
    )
    stages = (
        person.confirmed_at is not None,
        any(watch.step_slug == first for watch in watches),
        bool(checks),
        bool(session.scalar(select(sent))),
    )
    return next((place for place, passed in enumerate(stages) if not passed), len(stages))


def _ends(session: Session) -> tuple[str, str]:
    """Return the first and the last video of the course that the first page shows."""
    form = store.forms.first(session)
    course = store.sequences.by_slug(session, form.sequence_slug) if form else None
    steps = store.sequences.steps_of(session, course.id) if course else []
    videos = [step.slug for step in steps if step.kind == DeliveryKind.VIDEO and not step.removed]
    return (videos[0], videos[-1]) if videos else ("", "")
