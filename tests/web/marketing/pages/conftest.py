"""Sixty people in the workspace, as a clinic would find them on a Monday morning in November."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.consent import ConsentKind
from leadmagnet.domain.status import SkipReason
from leadmagnet.domain.zones import local_day, zone
from leadmagnet.services import Services
from leadmagnet.store.activities import Activity
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.decisions import Decision
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.sequences import Step
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.watching import Watch

#: Where the clock of the workspace stands.
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
ZONE = "America/Vancouver"
DAY = timedelta(days=1)
NAMES = [
    *("Anna Whitfield", "Bashir Noor", "Catherine Ho", "Devon Lang", "Elsie Marchand", "Farid Azimi", "Grace Tanaka"),
    *(
        "Henrik Dahl",
        "Ines",
        "Jonas",
        "Kavita Rao",
        "Liam",
        "Mei",
        "Noor",
        "Oscar Lind",
        "Petra",
        "Quentin",
        "Rosa",
        "Sven",
    ),
    *("Tara", "Ulla", "Vikram", "Wanda", "Xavier", "Yuki", "Zoe"),
]


@pytest.fixture(scope="session")
def crowded(pattern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with sixty people, made once."""
    path = tmp_path_factory.mktemp("crowded") / "desk.db"
    shutil.copy(pattern, path)
    engine = store.connect(f"sqlite:///{path}")
    with store.writing(engine) as session:
        seed(session, 60)
    engine.dispose()
    return path


@pytest.fixture
def seeded(parts: Services, crowded: Path, tmp_path: Path) -> Services:
    """The program on a copy of that database."""
    shutil.copy(crowded, tmp_path / "desk.db")
    return parts


def person_at(session: Session, number: int, joined: datetime) -> Subscriber:
    """One more pending person, with a sign-up and a consent request."""
    name = NAMES[number % len(NAMES)]
    email = f"{name.lower().replace(' ', '.')}{number if number >= len(NAMES) else ''}@example.org"
    wording = store.consents.keep_wording(session, "Please send me the videos.", "en", joined)
    common = {"email": email, "email_canonical": email, "first_name": name, "timezone": ZONE}
    person = Subscriber(**common, source="landing" if number % 3 else "article-core", created_at=joined)
    session.add(person)
    session.flush()
    session.add(
        SignUp(**common, form=person.source, wording_id=wording, asked_at=joined, asked_real_at=joined,
               handled_at=joined, outcome="confirmation")
    )  # fmt: skip
    session.add(
        ConsentEvent(subscriber_id=person.id, kind=ConsentKind.REQUESTED, wording_id=wording, at=joined, channel="form",
                     form=person.source)
    )  # fmt: skip
    return person


def confirmed_at(session: Session, person: Subscriber, at: datetime) -> Enrollment:
    """The person confirms."""
    person.status, person.confirmed_at = "active", at
    event = ConsentEvent(subscriber_id=person.id, kind=ConsentKind.CONFIRMED, at=at, channel="confirmation link")
    sequence = store.sequences.by_slug(session, "six-core-videos")
    enrollment = Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=at, wants_plan=False)
    session.add_all([event, enrollment])
    session.flush()
    return enrollment


def mailed(
    session: Session, person: Subscriber, kind: str, at: datetime, status: str = "delivered", **more: object
) -> Delivery:
    """One email."""
    sent = at if status in ("sent", "delivered", "bounced") else None
    row = Delivery(subscriber_id=person.id, kind=kind, status=status, created_at=at, due_at=at, sent_at=sent, **more)
    session.add(row)


def seed(session: Session, number: int) -> None:
    """People who joined one after the other over the last two months, each with what fits their state."""
    videos = session.query(Step).filter_by(kind="video").order_by(Step.position).all()
    for place in reversed(range(number)):
        draw = random.Random(place)
        joined = NOW - place * DAY * 0.95 - timedelta(hours=draw.randrange(1, 9), minutes=draw.randrange(60))
        person = person_at(session, place, joined)
        mailed(session, person, "confirmation", joined, reason="asked for on a form", text_slug="confirmation")
        if place % 9 == 4:
            continue
        _course(session, person, joined + timedelta(minutes=20), videos, draw)
        _state(session, person, place)


def _course(session: Session, person: Subscriber, start: datetime, videos: list[Step], draw: random.Random) -> None:
    enrollment = confirmed_at(session, person, start)
    nine = (start + 3 * DAY).replace(hour=16, minute=0, second=0)
    dates = [start, *(nine + 3 * DAY * n for n in range(len(videos) - 1))]
    keen = draw.random()
    for place, (step, at) in enumerate(zip(videos, dates, strict=True)):
        why = "3 days after the previous email, at 09:00 local time" if place else "at confirmation, whatever the hour"
        if at > NOW:
            mailed(session, person, "video", at, "due", step_id=step.id, enrollment_id=enrollment.id, reason=why)
            break
        person.remind_at = NOW + 2 * DAY - timedelta(hours=2)
        mailed(session, person, "video", at, step_id=step.id, enrollment_id=enrollment.id, reason=why)
        if keen > 0.25:
            seen = min(NOW - timedelta(minutes=30), at + timedelta(hours=draw.randrange(1, 30)))
            percent = draw.choice((40, 75, 100, 100))
            session.add(
                Watch(subscriber_id=person.id, step_slug=step.slug, percent=percent, first_at=seen, last_at=seen)
            )
    _sessions(session, person, start, keen, [v.slug for v, at in zip(videos, dates, strict=True) if at <= NOW], draw)


def _sessions(
    session: Session, person: Subscriber, start: datetime, keen: float, slugs: list[str], draw: random.Random
) -> None:
    """Exercise days: done by the keen, with a reminder for the others, and the reason where none went out."""
    day = start + DAY
    while day < NOW:
        if day.weekday() in (0, 2, 4):
            at = day.replace(hour=16, minute=draw.randrange(1, 50))
            slug = slugs[min(len(slugs) - 1, (day - start).days // 3)]
            if draw.random() < keen:
                felt = draw.choice(("easy", "right", "right", "right", "hard"))
                session.add(
                    CheckIn(subscriber_id=person.id, step_slug=slug, day=local_day(at, zone(ZONE)), at=at, felt=felt)
                )
                person.last_active_at, person.started_at = at, person.started_at or at
                reason = SkipReason.DONE_TODAY
                local = local_day(at, zone(ZONE))
                session.add(Decision(subscriber_id=person.id, reason=reason, at=at, first_day=local, last_day=local))
            elif keen > 0.1:
                text = f"reminder-active-{draw.randrange(1, 6)}"
                mailed(session, person, "reminder", at, text_slug=text, reason="exercise day, nothing done yet")
                person.unanswered += 1
        day += DAY
    person.unanswered = min(person.unanswered, 6)


def _state(session: Session, person: Subscriber, place: int) -> None:
    """The states that are rarer than 'active'."""
    ago = NOW - timedelta(minutes=5 + place)
    if place in (3, 20):
        person.hurt_at = person.last_active_at = ago
        session.add(
            CheckIn(subscriber_id=person.id, step_slug="side-plank", day=local_day(ago, zone(ZONE)), at=ago,
                    felt="hurt", note="A sharp pull on the left, low down.")
        )  # fmt: skip
        session.add(Activity(subscriber_id=person.id, at=ago, kind="hurt", detail="side-plank"))
    elif place in (5, 17, 40):
        person.paused_at, person.paused_until = ago, None if place == 40 else NOW + 14 * DAY
        session.add(Activity(subscriber_id=person.id, at=ago, kind="paused", detail="until 2026-12-07"))
    elif place in (6, 30, 33, 50):
        person.status, person.left_at = ("bounced" if place == 33 else "unsubscribed"), ago - DAY
        session.add(
            ConsentEvent(subscriber_id=person.id, kind=ConsentKind.WITHDRAWN, at=ago - DAY, channel="one-click")
        )
    elif place in (42, 48):
        person.unanswered = 7
