"""What the end-to-end measurements share: a database with people whose next video is due, a provider, workers.

Everybody has had video 1 a day ago; video 2 is due now, for all at once. `drain` runs workers, each a process of its
own, until the ledger has nothing due and nothing to plan; `check` then looks whether the work was really done.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, create_engine, func, insert, select, text

from config import Config
from leadmagnet import services as parts
from leadmagnet import store
from leadmagnet.clock import Now, real_now
from leadmagnet.editing.shipped import SLUG, load_shipped
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick
from leadmagnet.worker import THREADS, calm_collector

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
#: A Tuesday, nine o'clock in Zurich.
DUE = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
ROWS = 5_000


class Clock:
    """The course stands at the big hour, a minute late; the real clock runs."""

    def now(self) -> Now:
        return Now(DUE + timedelta(minutes=1), real_now())


def settings(url: str, folder: Path, **more: object) -> Config:
    """Settings for a measurement."""
    values: dict[str, object] = {
        "secret_key": ("bench-" + "s" * 40,),
        "suppression_key": "bench-" + "p" * 40,
        "database_url": url,
        "outbox_dir": folder / "outbox",
        "public_url": "https://videos.clinic.example",
        "clinic_name": "Clinic",
        "clinic_address": "1 Main Street, Vancouver",
        "mail_from": "videos@clinic.example",
    }
    return Config(**(values | more))


@contextlib.contextmanager
def database(kind: str) -> Iterator[tuple[str, Path]]:
    """Give the URL of an empty database of that kind, and a folder; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    name = f"lm_bench_{os.getpid()}_{secrets.token_hex(3)}"
    admin = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        if kind == "sqlite":
            yield f"sqlite:///{folder / 'bench.db'}", folder
        else:
            with admin.connect() as connection:
                connection.execute(text(f'CREATE DATABASE "{name}"'))
            try:
                yield POSTGRES.rpartition("/")[0] + f"/{name}", folder
            finally:
                with admin.connect() as connection:
                    connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    finally:
        admin.dispose()
        shutil.rmtree(folder)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def provider(delay: float = 0.0) -> Iterator[str]:
    """Run the stand-in and give its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.stand_in", str(port), str(delay)])
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def received(url: str) -> int:
    """Return how many letters a stand-in was given."""
    with urllib.request.urlopen(f"{url}/count") as answer:
        return int(answer.read())


def seed(engine: Engine, people: int) -> None:
    """Make the tables and the people."""
    # Not above: it brings Flask, and a worker is measured without.
    from leadmagnet.cli.database import upgrade_to_head

    upgrade_to_head(engine)
    with store.writing(engine) as session:
        load_shipped(session, DUE - timedelta(days=30))
        sequence = store.sequences.by_slug(session, SLUG)
        assert sequence is not None
        first, second = (step.id for step in store.sequences.steps_of(session, sequence.id)[:2])
        sequence_id = sequence.id
    for start in range(1, people + 1, ROWS):
        with store.writing(engine) as session:
            ids = range(start, min(start + ROWS, people + 1))
            session.execute(insert(Subscriber), [_person(number) for number in ids])
            session.execute(insert(Enrollment), [_enrollment(number, sequence_id) for number in ids])
            session.execute(insert(Delivery), [_sent(number, first) for number in ids])
            session.execute(insert(Delivery), [_due(number, second) for number in ids])
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE")
        if engine.dialect.name != "sqlite":
            for table in ("subscriber", "enrollment", "delivery"):
                connection.exec_driver_sql(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")


def _person(number: int) -> dict[str, object]:
    address = f"reader{number}@mail{number % 50}.example"
    return {
        "id": number,
        "email": address,
        "email_canonical": address,
        "first_name": ("Anna", "Zoë", "O'Hara", "")[number % 4],
        "status": "active",
        "timezone": "Europe/Zurich",
        "leave_id": f"leave{number:017d}",
        "created_at": DUE - timedelta(days=3, hours=1),
        "confirmed_at": DUE - timedelta(days=3),
        "remind_at": DUE + timedelta(days=1),
    }


def _enrollment(number: int, sequence_id: int) -> dict[str, object]:
    at = DUE - timedelta(days=3)
    own = {"id": number, "subscriber_id": number, "sequence_id": sequence_id, "wants_plan": False}
    return own | {"started_at": at, "last_settled_at": at, "status": "active"}


def _sent(number: int, step: int) -> dict[str, object]:
    at = DUE - timedelta(days=3)
    own = {"subscriber_id": number, "enrollment_id": number, "step_id": step, "kind": "video", "status": "sent"}
    return own | {
        "lane": 0,
        "created_at": at,
        "due_at": at,
        "sent_at": at,
        "settled_at": at,
        "public_id": f"a{number:020d}",
    }


def _due(number: int, step: int) -> dict[str, object]:
    at = DUE - timedelta(days=3)
    own = {"subscriber_id": number, "enrollment_id": number, "step_id": step, "kind": "video", "status": "due"}
    window = {"due_at": DUE, "closes_at": DUE + timedelta(hours=11), "day": date(2026, 3, 3)}
    return own | window | {"lane": 1, "created_at": at, "public_id": f"b{number:020d}"}


def work(url: str, folder: str, transport: str, address: str, threads: str) -> None:
    """Be one worker: do all that is due, then say how much memory it took."""
    more = (
        {"sendgrid_api_key": "SG.bench", "sendgrid_api_url": address}
        if transport == "sendgrid"
        else {"smtp_url": address}
    )
    services = replace(parts.build(settings(url, Path(folder), mail_transport=(transport,), **more)), clock=Clock())
    services.mailer.send  # noqa: B018 (the mailer is built before the clock starts)
    calm_collector()
    print("ready", flush=True)
    sys.stdin.readline()
    beside = partial(parts.mailers_beside, services.config, services.engine, int(threads))
    done = tick(services, services.clock.now, beside=beside)
    peak = next(
        int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    print(json.dumps({"sent": done["sent"], "peak_mb": peak // 1024, "flask": "flask" in sys.modules}), flush=True)


def drain(url: str, folder: Path, transport: str, address: str, workers: int) -> tuple[float, list[dict]]:
    """Run workers until nothing is left; return the seconds and what each worker says of itself.

    One worker sends as many batches at a time as by default; of several, each one: as docs/operations.md has it.
    """
    threads = str(THREADS if workers == 1 else 1)
    command = [sys.executable, "-m", "benchmarks.world", url, str(folder), transport, address, threads]
    crew = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    for one in crew:
        assert one.stdout.readline() == "ready\n"
    started = time.perf_counter()
    for one in crew:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [json.loads(one.stdout.readline()) for one in crew]
    seconds = time.perf_counter() - started
    for one in crew:
        one.wait()
    return seconds, said


def check(engine: Engine, people: int) -> None:
    """Fail unless everybody was sent video 2 once and has exactly one email ahead."""
    with store.reading(engine) as session:
        counts = dict(session.execute(select(Delivery.status, func.count()).group_by(Delivery.status)).all())
        wanting = session.scalar(select(func.count()).select_from(Enrollment).where(Enrollment.wants_plan))
    if counts != {"sent": 2 * people, "due": people} or wanting:
        raise SystemExit(f"the ledger does not add up: {counts}, {wanting} unplanned")


if __name__ == "__main__":
    work(*sys.argv[1:6])
