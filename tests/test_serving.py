"""gunicorn as a process: it serves, and a bad setting stops it with one line instead of a worker after the other."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
Gunicorn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def gunicorn(tmp_path: Path, port: int) -> Gunicorn:
    """Start gunicorn as `make run` does; keywords are settings."""

    def start(*options: str, cwd: Path = ROOT, **settings: str) -> subprocess.Popen[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "s" * 40,
            "SUPPRESSION_KEY": "p" * 40,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'served.db'}",
            "OUTBOX_DIR": str(tmp_path / "outbox"),
        } | settings
        more = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--log-level", "warning", *options]
        command = [sys.executable, "-m", "gunicorn", *more, "wsgi:app"]
        return subprocess.Popen(command, cwd=cwd, env=environ, stdout=-1, stderr=-1, text=True)

    return start


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SECRET_KEY", "short"),
        ("TIME_LAPSE", "fast"),
        ("CLINIC_TIMEZONE", "Mars/Olympus"),
        ("MAIL_TRANSPORT", "pigeon"),
        ("DATABASE_URL", "mysql://clinic@127.0.0.1/clinic"),
    ],
)
def test_a_bad_setting_stops_the_server_with_one_line(gunicorn: Gunicorn, setting: str, value: str) -> None:
    out, err = (server := gunicorn(**{setting: value})).communicate(timeout=60)
    assert server.returncode == 1
    assert out == ""
    assert err.startswith("leadmagnet: ")
    assert setting in err
    assert err.count("\n") == 1, err


def test_it_stops_from_another_folder_too(gunicorn: Gunicorn, tmp_path: Path) -> None:
    """There gunicorn does not find its file, so the first worker says it and gunicorn gives up."""
    _, err = (server := gunicorn("--pythonpath", str(ROOT), cwd=tmp_path, TIME_LAPSE="fast")).communicate(timeout=60)
    assert server.returncode == 4
    assert err.count("leadmagnet: TIME_LAPSE=fast") == 1


def test_with_good_settings_it_serves(gunicorn: Gunicorn, port: int) -> None:
    server = gunicorn()
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                    assert answer.status == 200
                    return
            except urllib.error.URLError:
                assert server.poll() is None
                time.sleep(0.2)
        pytest.fail("the server did not come up")
    finally:
        server.terminate()
        server.communicate(timeout=30)
