"""A database of each kind, empty but for the shipped sequence, and short ways to put people into it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.editing.shipped import load_shipped
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

#: Monday 23 November 2026, 11:00 in Vancouver.
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
KEY = "k" * 40
SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A PostgreSQL database of this module's own."""
    admin = create_engine(SERVER, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    name = f"lm_test_marketing_{os.getpid()}"
    try:
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
    except OperationalError:
        admin.dispose()
        if os.environ.get("CI") or os.environ.get("REQUIRE_ALL") == "1":
            raise
        pytest.skip("PostgreSQL was not found")
    yield SERVER.rpartition("/")[0] + f"/{name}"
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database with the shipped sequence. Tests leave no trace in it."""
    folder: Path = tmp_path_factory.mktemp("audience")
    sqlite = request.param == "sqlite"
    made = store.connect(f"sqlite:///{folder / 'a.db'}" if sqlite else request.getfixturevalue("postgres"))
    store.Base.metadata.create_all(made)
    with store.writing(made) as session:
        load_shipped(session, NOW - timedelta(days=300))
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose transaction is rolled back at the end."""
    with Session(engine.execution_options(lm_begin="IMMEDIATE"), expire_on_commit=False) as one:
        yield one
        one.rollback()


@pytest.fixture
def now() -> Now:
    return Now(NOW, NOW)


@pytest.fixture
def person(session: Session) -> Callable[..., Subscriber]:
    """A maker of people: active, from the landing page, joined a day ago, unless told otherwise."""

    def make(email: str, **values: object) -> Subscriber:
        common = {
            "status": "active",
            "timezone": "America/Vancouver",
            "source": "landing",
            "created_at": NOW - timedelta(days=1),
        }
        made = Subscriber(email=email, email_canonical=email.lower(), **(common | values))
        session.add(made)
        session.flush()
        return made

    return make


@pytest.fixture
def enrolled(session: Session) -> Callable[..., Enrollment]:
    """A maker of enrollments with so many videos sent, three days apart, the last one today."""

    def make(someone: Subscriber, sent: int, **values: object) -> Enrollment:
        sequence = store.sequences.by_slug(session, "six-core-videos")
        made = Enrollment(subscriber_id=someone.id, sequence_id=sequence.id, started_at=NOW, wants_plan=False, **values)
        session.add(made)
        session.flush()
        steps = store.sequences.steps_of(session, sequence.id)
        for place, step in enumerate(steps[: sent + 1]):
            at = NOW - timedelta(days=3 * (sent - 1 - place), hours=2)
            gone = place < sent
            session.add(
                Delivery(
                    subscriber_id=someone.id,
                    enrollment_id=made.id,
                    step_id=step.id,
                    kind=step.kind,
                    status="delivered" if gone else "due",
                    created_at=at,
                    due_at=at,
                    sent_at=at if gone else None,
                    reason="3 days after the previous email",
                )
            )
            session.flush()
        return made

    return make
