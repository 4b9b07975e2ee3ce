"""The program as `make run` serves it, on a database of the caller's choice, behind a trusted proxy on loopback."""

from __future__ import annotations

import html
import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import create_engine, text

ROOT = Path(__file__).parents[2]
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*name="(\w+)"[^>]*value="([^"]*)"')


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    database_url: str
    outbox: Path
    environ: dict[str, str]


@contextmanager
def postgres() -> Iterator[str]:
    """Give a PostgreSQL database of its own."""
    name = f"lm_flood_{os.getpid()}_{secrets.token_hex(3)}"
    admin = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


@contextmanager
def serving(folder: Path, database_url: str, **settings: str) -> Iterator[Server]:
    """Serve as `make run` does, with the worker in the same process."""
    door = socket.create_server(("127.0.0.1", 0), backlog=512)
    # As gunicorn does for a socket of its own; without it, small answers wait 40 ms for the client's acknowledgement.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = door.getsockname()[1]
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": database_url,
        "OUTBOX_DIR": str(folder / "outbox"),
        "SECRET_KEY": "flood-" + "s" * 40,
        "SUPPRESSION_KEY": "flood-" + "p" * 40,
        "RUN_WORKER_IN_WEB": "true",
        "TIME_LAPSE": "1",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    environ |= settings
    prepare = [sys.executable, "-m", "flask", "--app", "wsgi", "prepare"]
    subprocess.run(prepare, cwd=ROOT, env=environ, check=True, capture_output=True, timeout=120)
    log = folder / "server.log"
    serve = f"-m gunicorn --bind fd://{door.fileno()} --worker-class gthread --threads 8 --log-level warning wsgi:app"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, *serve.split()], cwd=ROOT, env=environ, stdout=file, stderr=file, pass_fds=[door.fileno()]
        )
    door.close()
    try:
        yield Server(port, database_url, folder / "outbox", environ)
    finally:
        server.terminate()
        server.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()


class Visitor:
    """Somebody with a browser, behind the proxy: one connection, one cookie."""

    def __init__(self, port: int, address: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"X-Forwarded-For": address, "User-Agent": "Mozilla/5.0 (visitor)"}

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
        """Send one request; return status, text and headers."""
        body = urlencode(fields) if fields is not None else None
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self.connection.request(method, path, body, self.headers | kind)
        answer = self.connection.getresponse()
        shown = answer.read().decode()
        if cookie := answer.headers.get("Set-Cookie"):
            self.headers["Cookie"] = cookie.partition(";")[0]
        return answer.status, shown, dict(answer.headers)

    def form(self) -> dict[str, str]:
        """Load the landing page and return the hidden fields of its form."""
        _, page, _ = self.ask("GET", "/")
        return {name: html.unescape(value) for name, value in _HIDDEN.findall(page)}

    def close(self) -> None:
        """Hang up."""
        self.connection.close()
