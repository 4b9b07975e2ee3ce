"""Commands, run inside this process on a database of their own, and as real processes for exit statuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from flask import Flask

from config import Config
from leadmagnet import create_app
from leadmagnet.services import Services

ROOT = Path(__file__).resolve().parents[2]


class Shell:
    """One application, its commands, and what they print."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.runner = app.test_cli_runner()

    @property
    def services(self) -> Services:
        return self.app.extensions["leadmagnet"]

    def run(self, *args: str, status: int = 0, stdin: str | None = None) -> Result:
        result = self.runner.invoke(args=args, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result

    def json(self, *args: str) -> Any:
        return orjson.loads(self.run(*args, "--json").stdout)

    def refused(self, *args: str, status: int, stdin: str | None = None) -> str:
        """Run a command that must fail, with one line on standard error and nothing on standard output."""
        result = self.run(*args, status=status, stdin=stdin)
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1, result.stderr
        assert result.stderr.startswith("leadmagnet: ")
        return result.stderr.strip()


@pytest.fixture
def make_shell(new_config: Callable[..., Config], hand_clock: Any) -> Iterator[Callable[..., Shell]]:
    """A maker of shells; what it made is closed at the end."""
    made: list[Shell] = []

    def make(**settings: object) -> Shell:
        shell = Shell(create_app(new_config(**settings)))
        shell.app.extensions["leadmagnet"] = replace(shell.services, clock=hand_clock)
        made.append(shell)
        return shell

    yield make
    for shell in made:
        shell.services.mailer.close()
        shell.services.engine.dispose()


@pytest.fixture
def bare(make_shell: Callable[..., Shell]) -> Shell:
    """Commands on a database that is not there yet."""
    return make_shell()


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with the six videos, made once by the commands themselves and copied for each test."""
    file = tmp_path_factory.mktemp("loaded") / "loaded.db"
    settings = {"SECRET_KEY": "s" * 40, "SUPPRESSION_KEY": "p" * 40, "DATABASE_URL": f"sqlite:///{file}"}
    shell = Shell(create_app(Config.from_env(settings)))
    shell.run("db", "upgrade")
    shell.run("sequence", "load")
    shell.services.engine.dispose()
    return file


@pytest.fixture
def shell(loaded: Path, tmp_path: Path, make_shell: Callable[..., Shell]) -> Shell:
    """Commands on a migrated database with the six videos."""
    shutil.copy(loaded, tmp_path / "test.db")
    return make_shell()


@pytest.fixture
def flask(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `flask --app wsgi …` as a process; keywords are settings, besides the two keys and a place for everything."""

    def run(*args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "s" * 40,
            "SUPPRESSION_KEY": "p" * 40,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'process.db'}",
            "OUTBOX_DIR": str(tmp_path / "outbox"),
            "REJECTS_DIR": str(tmp_path / "rejects"),
        } | settings
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *args]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)

    return run
