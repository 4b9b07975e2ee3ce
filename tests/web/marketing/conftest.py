"""The workspace with an account of each role, on a clock that stands."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from leadmagnet import services as program
from leadmagnet import store, web
from leadmagnet.clock import Now
from leadmagnet.editing.shipped import load_shipped
from leadmagnet.services import Services
from leadmagnet.web import marketing
from leadmagnet.web.marketing import accounts

#: Monday 23 November 2026, 11:00 in Vancouver, which by the pinned zone rules keeps UTC-7 all year.
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
PASSWORD = "a quiet long password"


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
        rejects_dir=folder / "rejects",
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
        load_shipped(session, NOW - timedelta(days=300))
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
