"""The workspace with sixty people in it, as a clinic would find it on a Monday morning in November."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from leadmagnet import services as program
from leadmagnet import store, web
from leadmagnet.clock import Now
from leadmagnet.domain.consent import ConsentKind
from leadmagnet.domain.status import SkipReason
from leadmagnet.domain.zones import local_day, zone
from leadmagnet.editing.shipped import load_shipped
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
from leadmagnet.web import marketing
from leadmagnet.web.marketing import accounts

#: Monday 23 November 2026, 11:00 in Vancouver, which by the pinned zone rules keeps UTC-7 all year.
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
ZONE = "America/Vancouver"
PASSWORD = "a quiet long password"
DAY = timedelta(days=1)
NAMES = (
    "Anna Whitfield|Bashir Noor|Catherine Ho|Devon Lang|Elsie Marchand|Farid Azimi|Grace Tanaka|Henrik Dahl|Ines|Jonas|"
    "Kavita Rao|Liam|Mei|Noor|Oscar Lind|Petra|Quentin|Rosa|Sven|Tara|Ulla|Vikram|Wanda|Xavier|Yuki|Zoe"
).split("|")


class StandingClock:
    """A clock that stands."""

    def now(self) -> Now:
        return Now(NOW, NOW)


@pytest.fixture(autouse=True, scope="session")
def _cheap_argon2() -> Iterator[None]:
    """Argon2id stays, with less work."""
    cheap = {"argon2__memory_cost": 8, "argon2__time_cost": 1, "argon2__parallelism": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "ARGON2", accounts.ARGON2 | cheap)
        yield


def build(folder: Path) -> Services:
    """The program with its database in a folder."""
    config = Config(
        secret_key=("test-" + "s" * 40,),
        suppression_key="test-" + "p" * 40,
        database_url=f"sqlite:///{folder / 'desk.db'}",
        outbox_dir=folder / "outbox",
    )
    return replace(program.build(config), clock=StandingClock())


def wire(parts: Services) -> Flask:
    """The application as create_app() wires it."""
    made = Flask("leadmagnet", static_folder=None, root_path=str(Path(web.__file__).parent))
    made.extensions["leadmagnet"] = parts
    web.register(made)
    if "marketing" not in made.blueprints:
        marketing.register(made)
    return made


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that is made once and copied for each test: the shipped sequence and an account of each role."""
    folder = tmp_path_factory.mktemp("pattern")
    built = build(folder)
    store.Base.metadata.create_all(built.engine)
    with store.writing(built.engine) as session:
        load_shipped(session, NOW - 300 * DAY)
    made = wire(built)
    for role in ("owner", "editor", "viewer"):
        marketing.add_marketer(made, f"{role}@clinic.example", role, PASSWORD)
    built.engine.dispose()
    return folder / "desk.db"


@pytest.fixture
def parts(tmp_path: Path, pattern: Path) -> Iterator[Services]:
    """The program on a database of its own."""
    shutil.copy(pattern, tmp_path / "desk.db")
    built = build(tmp_path)
    yield built
    built.mailer.close()
    built.engine.dispose()


@pytest.fixture
def app(parts: Services) -> Flask:
    """The application with all its pages."""
    return wire(parts)


class Desk:
    """A browser before the workspace: it knows how to fill in a form's token."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def token(self) -> str:
        page = self.client.get("/admin/", follow_redirects=True).text
        return page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]

    def sign_in(self, role: str, password: str = PASSWORD, **more: str) -> object:
        data = {"email": f"{role}@clinic.example", "password": password, "csrf_token": self.token()} | more
        return self.client.post("/admin/login", data=data)

    def post(self, path: str, **data: str) -> object:
        return self.client.post(path, data={"csrf_token": self.token()} | data)

    def get(self, path: str) -> object:
        return self.client.get(path)


@pytest.fixture
def desk(app: Flask) -> Desk:
    """Nobody has signed in."""
    return Desk(app)


@pytest.fixture
def wired() -> Callable[[Services], Desk]:
    """A way to stand before another program on the same database."""
    return lambda parts: Desk(wire(parts))


@pytest.fixture
def seeded(parts: Services) -> Services:
    """Sixty people in all states."""
    with store.writing(parts.engine) as session:
        seed(session, 60)
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
    return row


def seed(session: Session, number: int) -> None:
    """People who joined one after the other over the last two months, each with what fits their state."""
    draw = random.Random(7)
    videos = session.query(Step).filter_by(kind="video").order_by(Step.position).all()
    for place in range(number):
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
            CheckIn(subscriber_id=person.id, step_slug="side-plank", day=local_day(ago, zone(ZONE)), at=ago, felt="hurt",
                    note="A sharp pull on the left, low down.")
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
