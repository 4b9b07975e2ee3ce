"""The worker's process: no web code in it, and options that mean something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadmagnet.queueing.broker import split

ROOT = Path(__file__).resolve().parents[2]
WEB = ("flask", "werkzeug", "flask_security", "flask_wtf", "wtforms", "gunicorn")


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_a_worker_loads_no_web_code() -> None:
    code = f"import sys, leadmagnet.worker; print([name for name in {WEB!r} if name in sys.modules])"
    assert python(code) == "[]"


def test_nothing_but_the_worker_loads_the_brokers() -> None:
    code = "import sys, wsgi; print([name for name in ('dramatiq', 'redis', 'pika') if name in sys.modules])"
    environ = {"PATH": os.environ["PATH"], "SECRET_KEY": "s" * 40, "SUPPRESSION_KEY": "p" * 40}
    environ["DATABASE_URL"] = "sqlite:///:memory:"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_threads_on_a_file_are_refused(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "SECRET_KEY": "s" * 40, "SUPPRESSION_KEY": "p" * 40}
    environ["DATABASE_URL"] = f"sqlite:///{tmp_path / 'none.db'}"
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker", "--threads", "4"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "needs PostgreSQL" in done.stderr


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("redis://:secret@h:6379/2", ("redis://:secret@h:6379/2", "leadmagnet")),
        ("redis://h/0?namespace=north", ("redis://h/0", "north")),
        ("amqp://u:p@h:5672/%2F?heartbeat=30&namespace=n", ("amqp://u:p@h:5672/%2F?heartbeat=30", "n")),
    ],
)
def test_the_namespace_is_our_own_part_of_the_address(url: str, parts: tuple[str, str]) -> None:
    assert split(url) == parts
