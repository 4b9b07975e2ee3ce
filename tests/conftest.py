"""What all tests share.

Settings, databases of both kinds, a clock that is moved by hand, and services with an outbox.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from config import Config
from leadmagnet import services as parts
from leadmagnet import store
from leadmagnet.cli.database import upgrade_to_head
from leadmagnet.clock import Now
from leadmagnet.editing.shipped import load_shipped

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
REQUIRE_ALL = os.environ.get("CI", "").lower() in ("1", "true") or os.environ.get("REQUIRE_ALL") == "1"
START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def missing(what: str) -> None:
    """Skip with one line where something is not on this machine; where everything is required, fail."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is required here and was not found")
    pytest.skip(f"{what} was not found")


class HandClock:
    """A clock that stands until it is moved. Both clocks move together unless told otherwise."""

    def __init__(self, start: datetime = START) -> None:
        self.course = self.real = start

    def now(self) -> Now:
        return Now(self.course, self.real)

    def move(self, **step: float) -> None:
        self.to(self.course + timedelta(**step))

    def to(self, course: datetime) -> None:
        self.real += max(course - self.course, timedelta())
        self.course = course


def make_config(folder: Path, **settings: object) -> Config:
    """Settings for a test, with everything inside one folder."""
    values: dict[str, object] = {
        "secret_key": ("test-" + "s" * 40,),
        "suppression_key": "test-" + "p" * 40,
        "database_url": f"sqlite:///{folder / 'test.db'}",
        "outbox_dir": folder / "outbox",
    }
    return Config(**(values | settings))


def _bytes_of(engine: Engine) -> bytes:
    """Return a SQLite file as it stands, and let go of it."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return Path(str(engine.url.database)).read_bytes()


@cache
def migrated_file() -> bytes:
    """A SQLite file with all tables and no rows: to copy one is a tenth of the work of all migrations."""
    with tempfile.TemporaryDirectory(prefix="lm-test-") as folder:
        engine = store.connect(f"sqlite:///{folder}/migrated.db")
        upgrade_to_head(engine)
        return _bytes_of(engine)


@lru_cache(maxsize=32)
def loaded_file(at: datetime) -> bytes:
    """The same with the shipped sequence, loaded at that instant."""
    with tempfile.TemporaryDirectory(prefix="lm-test-") as folder:
        engine = store.connect(f"sqlite:///{folder}/loaded.db")
        migrate(engine)
        with store.writing(engine) as session:
            load_shipped(session, at)
        return _bytes_of(engine)


def _is_new(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists()


def migrate(engine: Engine) -> None:
    """Bring a database to the newest version; a new SQLite file as a copy of one that was migrated before."""
    if _is_new(engine):
        Path(str(engine.url.database)).write_bytes(migrated_file())
    else:
        upgrade_to_head(engine)


def load(engine: Engine, at: datetime) -> None:
    """Migrate, and load the shipped sequence."""
    if _is_new(engine):
        Path(str(engine.url.database)).write_bytes(loaded_file(at))
        return
    migrate(engine)
    with store.writing(engine) as session:
        load_shipped(session, at)


@pytest.fixture(scope="session")
def load_into() -> Callable[[Engine, datetime], None]:
    """Makes all tables in a database and loads the shipped sequence."""
    return load


def make_services(config: Config, clock: HandClock) -> parts.Services:
    """The program's parts on a migrated and loaded database, with a clock moved by hand."""
    built = replace(parts.build(config), clock=clock)
    load(built.engine, clock.now().course)
    return built


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The address of a PostgreSQL server on which databases may be made."""
    engine = create_engine(POSTGRES, connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError:
        missing("PostgreSQL")
    finally:
        engine.dispose()
    return POSTGRES


@contextmanager
def new_database(server: str, name: str, *, template: str = "") -> Iterator[str]:
    """A PostgreSQL database, dropped at the end; give its address."""
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else "")))
    yield server.rpartition("/")[0] + f"/{name}"
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


def some_name() -> str:
    return f"lm_test_{os.getpid()}_{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The name of a PostgreSQL database with all tables and no rows, which others are copied from."""
    name = some_name()
    with new_database(postgres_server, name) as url:
        engine = store.connect(url)
        upgrade_to_head(engine)
        engine.dispose()
        yield name


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    with new_database(postgres_server, some_name(), template=migrated_postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Both kinds of database, one after the other. A SQLite file is made, and PostgreSQL's tables are there."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Both kinds, without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
    else:
        with new_database(request.getfixturevalue("postgres_server"), some_name()) as url:
            yield url


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, database_url: str, hand_clock: HandClock) -> Iterator[parts.Services]:
    """The program's parts, on both databases."""
    built = make_services(make_config(tmp_path, database_url=database_url), hand_clock)
    yield built
    built.mailer.close()
    built.engine.dispose()


@pytest.fixture
def new_config(tmp_path: Path) -> Callable[..., Config]:
    """A maker of settings inside this test's folder."""
    return lambda **settings: make_config(tmp_path, **settings)


@pytest.fixture
def clock_at() -> Callable[[datetime], HandClock]:
    """A maker of clocks that stand at an instant."""
    return HandClock


@pytest.fixture
def build_services() -> Iterator[Callable[[Config, HandClock], parts.Services]]:
    """A maker of services on a migrated, loaded database; what it made is closed at the end."""
    made: list[parts.Services] = []

    def make(config: Config, clock: HandClock) -> parts.Services:
        made.append(make_services(config, clock))
        return made[-1]

    yield make
    for built in made:
        built.mailer.close()
        built.engine.dispose()
