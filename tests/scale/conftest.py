"""A clinic on PostgreSQL, a broker, a mail server that counts, and worker processes that are started and killed.

Each test has a database and a namespace in the broker of its own. The broker is reached through a proxy that can be
shut. No process outlives its test.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pika
import pytest
import redis
from aiosmtpd.controller import Controller
from sqlalchemy import Engine, func, insert
from sqlalchemy import select as sql

from leadmagnet import store
from leadmagnet.cli.database import upgrade_to_head
from leadmagnet.editing.shipped import SLUG, load_shipped
from leadmagnet.queueing import quiet
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

ROOT = Path(__file__).resolve().parents[2]
BROKERS = {
    "redis": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0"),
    "rabbitmq": os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/%2F"),
}
REQUIRE_ALL = os.environ.get("CI", "").lower() in ("1", "true") or os.environ.get("REQUIRE_ALL") == "1"


class Proxy:
    """A way to a server on loopback that can be shut and opened again: what a broker that is down looks like."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.shut = threading.Event()
        self.threads: list[threading.Thread] = []
        self.listener: socket.socket | None = None

    def open(self) -> None:
        self.shut.clear()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self._run(self._accept, self.listener)

    def close(self) -> None:
        self.shut.set()
        for thread in self.threads:
            thread.join(timeout=10)
        self.threads.clear()

    def _run(self, work: Callable[..., None], *args: Any) -> None:
        self.threads.append(threading.Thread(target=work, args=args, daemon=True))
        self.threads[-1].start()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            listener.settimeout(0.05)
            while not self.shut.is_set():
                try:
                    near, _ = listener.accept()
                except TimeoutError:
                    continue
                self._run(self._carry, near, socket.create_connection(self.target))

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            while not self.shut.is_set():
                for end in select.select([near, far], [], [], 0.05)[0]:
                    try:
                        data = end.recv(65536)
                        (far if end is near else near).sendall(data)
                    except OSError:
                        return
                    if not data:
                        return


class Broker:
    """One namespace of a broker, seen from outside."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.namespace = f"lm-test-{os.getpid()}-{secrets.token_hex(4)}"
        parts = pika.URLParameters(BROKERS[kind]) if kind == "rabbitmq" else redis.Redis.from_url(BROKERS[kind])
        if kind == "rabbitmq":
            self.proxy = Proxy(parts.host, parts.port)
        else:
            place = parts.connection_pool.connection_kwargs
            self.proxy = Proxy(place["host"], place["port"])
            parts.close()
        base = re.sub(r"(127\.0\.0\.1|localhost):\d+", f"127.0.0.1:{self.proxy.port}", BROKERS[kind])
        self.url = f"{base}?namespace={self.namespace}"

    def lose(self) -> int:
        """Throw away every message that waits; return how many there were."""
        if self.kind == "redis":
            with redis.Redis.from_url(BROKERS["redis"]) as client:
                lost = sum(client.llen(f"{self.namespace}:{self.namespace}-{name}") for name in ("answers", "letters"))
                if keys := list(client.scan_iter(f"{self.namespace}:*", count=1000)):
                    client.delete(*keys)
                return lost
        return sum(self._on_rabbit(name, "queue_purge") for name in ("answers", "letters"))

    def _on_rabbit(self, name: str, act: str, ending: str = "") -> int:
        connection = pika.BlockingConnection(pika.URLParameters(BROKERS["rabbitmq"]))
        try:
            channel = connection.channel()
            answer = getattr(channel, act)(queue=f"{self.namespace}-{name}{ending}")
            return int(getattr(answer.method, "message_count", 0) or 0)
        except pika.exceptions.ChannelClosedByBroker:
            return 0
        finally:
            connection.close()

    def clear(self) -> None:
        if self.kind == "redis":
            self.lose()
            return
        for name in ("answers", "letters"):
            for ending in ("", ".DQ", ".XQ"):
                self._on_rabbit(name, "queue_delete", ending)


class Mailbox:
    """An SMTP server that counts what it takes, and takes its time."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.recipients: list[str] = []
        self.pause = 0.0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        if self.pause:
            await asyncio.sleep(self.pause)
        found = re.search(rb"X-Leadmagnet-Delivery: (\S+)", envelope.content)
        assert found
        self.taken[found[1].decode()] += 1
        self.recipients += envelope.rcpt_tos
        return "250 taken"


@dataclass
class Fleet:
    """Worker processes on one database."""

    folder: Path
    database_url: str
    engine: Engine
    mailbox: Mailbox
    smtp_url: str
    broker: Broker | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *options: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start a worker process and return it."""
        environ = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "s" * 40,
            "SUPPRESSION_KEY": "p" * 40,
            "DATABASE_URL": self.database_url,
            "MAIL_TRANSPORT": "smtp",
            "SMTP_URL": self.smtp_url,
            "CLINIC_ADDRESS": "1 Test Street, Testville",
            # Short, yet longer than a batch takes on a busy machine: SMTP gives no evidence, so a letter whose lease
            # runs out in the middle of the call goes out once more, as it should.
            "CLAIM_LEASE_SECONDS": "15",
        } | settings
        if self.broker:
            environ["BROKER_URL"] = self.broker.url
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker", *options]
        with self.log(len(self.workers)).open("ab") as log:
            self.workers.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log))
        return self.workers[-1]

    def log(self, number: int) -> Path:
        return self.folder / f"worker-{number}.log"

    def said(self, number: int) -> str:
        return re.sub(r"\x1b\[[0-9;]*m", "", self.log(number).read_text(encoding="utf-8"))

    def until(self, true: Callable[[], object], seconds: float = 60) -> None:
        """Wait until something is true."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                logs = "\n".join(self.said(number)[-2500:] for number in range(len(self.workers)))
                raise AssertionError(f"not within {seconds} seconds; {self.states()}\n{logs}")
            time.sleep(0.02)

    def leader(self) -> int | None:
        """Return the number of the process that leads."""
        with store.reading(self.engine) as session:
            holder = store.leases.holder(session, "leader", datetime.now(UTC))
        return int(holder.split("-")[-2]) if holder else None

    def states(self) -> dict[str, int]:
        with store.reading(self.engine) as session:
            return dict(session.execute(sql(Delivery.status, func.count()).group_by(Delivery.status)).all())

    def due(self, count: int) -> None:
        """Write people down who are due the first video right now."""
        at = datetime.now(UTC)
        with store.writing(self.engine) as session:
            course = store.sequences.by_slug(session, SLUG)
            assert course is not None
            step = store.sequences.steps_of(session, course.id)[0].id
            people = [
                {
                    "email": f"p{number}@example.org",
                    "email_canonical": f"p{number}@example.org",
                    "status": "active",
                    "timezone": "Europe/Zurich",
                    "created_at": at,
                    "confirmed_at": at,
                }
                for number in range(count)
            ]
            ids = session.scalars(insert(Subscriber).returning(Subscriber.id), people).all()
            enrolled = [
                {"subscriber_id": one, "sequence_id": course.id, "started_at": at, "wants_plan": False} for one in ids
            ]
            rows = session.execute(insert(Enrollment).returning(Enrollment.id, Enrollment.subscriber_id), enrolled)
            common = {"step_id": step, "kind": "video", "lane": 1, "created_at": at, "due_at": at}
            session.execute(insert(Delivery), [{"enrollment_id": a, "subscriber_id": b, **common} for a, b in rows])

    def videos(self, status: str) -> int:
        """Count the videos that were written down at the start and stand at this status."""
        with store.reading(self.engine) as session:
            first = sql(func.min(Delivery.step_id)).where(Delivery.kind == "video").scalar_subquery()
            query = sql(func.count()).where(Delivery.step_id == first, Delivery.status == status)
            return session.scalar(query) or 0

    def all_sent(self, count: int) -> bool:
        return len(self.mailbox.taken) >= count and self.videos("sent") == count

    def stop(self, worker: subprocess.Popen[bytes]) -> None:
        """Ask a worker to leave, as a service manager does."""
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0


@pytest.fixture
def fleet(tmp_path: Path, postgres_url: str) -> Iterator[Fleet]:
    """Workers without a broker."""
    engine = store.connect(postgres_url)
    upgrade_to_head(engine)
    with store.writing(engine) as session:
        load_shipped(session, datetime.now(UTC))
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    made = Fleet(tmp_path, postgres_url, engine, mailbox, f"smtp://127.0.0.1:{port}")
    yield made
    for worker in made.workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=10)
    server.stop()
    engine.dispose()


@pytest.fixture(params=sorted(BROKERS))
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A namespace of each kind of broker, one after the other, with the way to it open."""
    made = Broker(request.param)
    try:
        socket.create_connection(made.proxy.target, timeout=3).close()
    except OSError:
        message = f"{request.param} is required here and was not found" if REQUIRE_ALL else ""
        if message:
            pytest.fail(message)
        pytest.skip(f"{request.param} was not found")
    made.proxy.open()
    yield made
    made.proxy.close()
    made.clear()


@pytest.fixture
def brokered(fleet: Fleet, broker: Broker) -> Fleet:
    """Workers that take their work from a broker."""
    fleet.broker = broker
    return fleet


@pytest.fixture(autouse=True)
def one_line() -> None:
    """The broker's client libraries log as they do in a worker."""
    quiet.install()
