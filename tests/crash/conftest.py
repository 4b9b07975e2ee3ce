"""A clinic in a folder, and worker processes that are started, stopped and killed. No process outlives its test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadmagnet import content, store
from leadmagnet.cli.database import upgrade_to_head
from leadmagnet.editing.files import read_files, read_texts
from leadmagnet.editing.load import Loaded, load, load_text
from leadmagnet.editing.shipped import SLUG
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

ROOT = Path(__file__).resolve().parents[2]
#: Half a day of the course in each second, so that a week of emails takes a quarter of a minute.
RATE = "43200"


@dataclass
class Clinic:
    """One SQLite file, one outbox, and the worker that is running, if any."""

    folder: Path
    engine: Engine
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox" / "new"

    def files(self) -> int:
        return sum(1 for _ in self.outbox.iterdir()) if self.outbox.exists() else 0

    def start(self) -> subprocess.Popen[bytes]:
        """Start a worker process and return it."""
        environ = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "s" * 40,
            "SUPPRESSION_KEY": "p" * 40,
            "DATABASE_URL": f"sqlite:///{self.folder / 'crash.db'}",
            "OUTBOX_DIR": str(self.folder / "outbox"),
            "CLAIM_LEASE_SECONDS": "1",
            "TIME_LAPSE": RATE,
        }
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
        with (self.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def until(self, true: Callable[[], bool], worker: subprocess.Popen[bytes], seconds: float = 45) -> None:
        """Wait until something is true while a worker lives."""
        end = time.monotonic() + seconds
        while not true():
            assert worker.poll() is None, (self.folder / "worker.log").read_text(encoding="utf-8")[-3000:]
            assert time.monotonic() < end, (self.folder / "worker.log").read_text(encoding="utf-8")[-3000:]
            time.sleep(0.005)

    def deliveries(self, **where: object) -> list[Delivery]:
        with store.reading(self.engine) as session:
            return session.query(Delivery).filter_by(**where).all()

    def join(self, count: int) -> None:
        """Write down people who have confirmed and stand at the beginning of the sequence."""
        at = datetime.now(UTC)
        with store.writing(self.engine) as session:
            sequence = store.sequences.by_slug(session, SLUG)
            assert sequence is not None
            people = [
                Subscriber(
                    email=f"p{number}@example.org",
                    email_canonical=f"p{number}@example.org",
                    status="active",
                    timezone=("Europe/Zurich", "America/Vancouver", "Asia/Tokyo")[number % 3],
                    created_at=at,
                    confirmed_at=at,
                )
                for number in range(count)
            ]
            session.add_all(people)
            session.flush()
            session.add_all(
                Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=at) for person in people
            )


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    """The six videos at one a day, at any hour, so that a fast clock cannot rush past a window."""
    made = Clinic(tmp_path, store.connect(f"sqlite:///{tmp_path / 'crash.db'}"))
    upgrade_to_head(made.engine)
    folder = tmp_path / "sequence"
    folder.mkdir()
    for file in (content.SEQUENCES / SLUG).glob("*.md"):
        text = file.read_text(encoding="utf-8").replace("delay: 3 days", "delay: 1 day")
        (folder / file.name).write_text(text.replace("08:00-20:00", "00:00-24:00"), encoding="utf-8")
    with store.writing(made.engine) as session:
        load(session, read_files(folder), datetime.now(UTC), author="test", shipped=False)
        for document in read_texts(content.MESSAGES):
            load_text(session, document, datetime.now(UTC), Loaded(), shipped=False)
    yield made
    for worker in made.workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGKILL)
        worker.wait(timeout=10)
    made.engine.dispose()
