"""Commands as real processes: exit statuses, and one line for the operator instead of a traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Flask = Callable[..., subprocess.CompletedProcess[str]]


def one_line(done: subprocess.CompletedProcess[str], status: int) -> str:
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("leadmagnet: ")
    return done.stderr.strip()


def test_a_bad_setting_stops_the_start(flask: Flask) -> None:
    line = one_line(flask("tick", TIME_LAPSE="fast"), 1)
    assert line == "leadmagnet: TIME_LAPSE=fast is not a number from 1 to 1,000,000."


def test_everything_is_made_ready_under_a_fast_clock(flask: Flask) -> None:
    """The first look at such a clock writes down where it stands: nobody may wait for that in a transaction."""
    done = flask("prepare", TIME_LAPSE="8640")
    assert done.returncode == 0, done.stderr
    assert "8640 course seconds" in done.stdout


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DATABASE_URL", "postgresql+psycopg://u@h:port/x"),
        ("DATABASE_URL", "sqlite:////proc/x/y.db"),
        ("DATABASE_URL", f"sqlite:///{__file__}"),
        ("TIME_LAPSE", "1e300"),
        ("MAIL_FROM", "a@example.org\nb@example.org"),
        ("OUTBOX_DIR", __file__),
    ],
)
def test_no_command_answers_a_bad_setting_with_a_traceback(flask: Flask, setting: str, value: str) -> None:
    one_line(flask("prepare", **{setting: value}), 1)


@pytest.mark.parametrize("args", ["tick", "worker", "db upgrade", "sequence load", "subscribers list"])
def test_every_command_stops_at_a_bad_setting(flask: Flask, args: str) -> None:
    one_line(flask(*args.split(), DATABASE_URL="sqlite:////proc/x/y.db"), 1)


def test_a_key_file_that_is_missing_stops_the_start(flask: Flask, tmp_path: Path) -> None:
    line = one_line(flask("db", "check", SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "none")), 1)
    assert "SECRET_KEY_FILE=" in line


def test_wrong_use_is_one_line_and_status_2(flask: Flask) -> None:
    assert "--now" in one_line(flask("tick", "--now", "tomorrow"), 2)


def test_a_failure_is_one_line_and_status_1(flask: Flask) -> None:
    assert "db upgrade" in one_line(flask("db", "check"), 1)


def test_an_unknown_command_of_a_group_is_one_line(flask: Flask) -> None:
    assert "everybody" in one_line(flask("subscribers", "everybody"), 2)


@pytest.mark.parametrize(("name", "words"), [("nosuch", "--help"), ("sequences", "Did you mean sequence?")])
def test_an_unknown_command_is_one_line(flask: Flask, name: str, words: str) -> None:
    assert words in one_line(flask(name), 2)


def test_an_unknown_migration_is_one_line(flask: Flask) -> None:
    assert "sidewards" in one_line(flask("db", "downgrade", "sidewards"), 1)


@pytest.mark.parametrize("args", [("subscribers", "list"), ("tick",)], ids=" ".join)
def test_a_database_without_tables_is_one_line(flask: Flask, args: tuple[str, ...]) -> None:
    assert "db upgrade" in one_line(flask(*args), 1)


def test_a_database_out_of_reach_is_one_line_without_its_password(flask: Flask) -> None:
    away = "postgresql+psycopg://clinic:quiet-secret@127.0.0.1:1/clinic?connect_timeout=2"
    assert "quiet-secret" not in one_line(flask("subscribers", "list", DATABASE_URL=away), 1)


def test_an_ordinary_day(flask: Flask, tmp_path: Path) -> None:
    for args in (("db", "upgrade"), ("sequence", "load"), ("db", "check"), ("tick", "--json")):
        done = flask(*args, RUN_WORKER_IN_WEB="true")
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "outbox").exists()
