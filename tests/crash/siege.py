"""A clinic under siege: deliveries that are due, workers that are killed all the time, and what is left afterwards.

    python -m tests.crash.siege sendgrid|smtp DATABASE_URL PEOPLE KILLS [SEED]

prints what happened and exits with 1 where anything was lost, or sent twice. The suite runs a short one.
"""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select, text

from config import Config
from leadmagnet import create_app, store
from leadmagnet.cli.database import upgrade_to_head
from leadmagnet.editing.shipped import SLUG, load_shipped
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

ROOT = Path(__file__).resolve().parents[2]
BOUNDARIES = ("before_claim", "looked_at", "after_claim", "call_begun", "answered", "half_settled", "planned")
LEASE, WINDOW = 1, 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Outcome:
    """What was left when the smoke was gone."""

    kills: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    counted: int = 0
    """Deliveries that the ledger itself says were sent again, because no answer was known."""
    unplanned: int = 0
    uncounted: int = 0
    """Letters that were taken twice though the ledger does not say so."""
    renamed: int = 0
    """Letters that were taken under two Message-IDs."""
    statuses: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cuts: int = 0
    """Connections that the database ended."""

    def words(self) -> str:
        kills = ", ".join(f"{where} {count}" for where, count in sorted(self.kills.items()))
        again = (
            f"twice {self.twice}, sent again by the ledger's own count {self.counted}, other Message-ID {self.renamed}"
        )
        left = f"unplanned {self.unplanned}; ledger {self.statuses}; {self.seconds:.0f} s"
        return f"{self.kills.total()} kills ({kills}); lost {self.lost}, {again}, uncounted {self.uncounted}, {left}"


class Siege:
    """One run. `close` stops whatever is still running."""

    def __init__(self, transport: str, url: str, folder: Path, people: int, seed: int, batch: int = 50) -> None:
        self.transport, self.url, self.folder, self.people, self.batch = transport, url, folder, people, batch
        self.chance = random.Random(seed)
        self.engine = store.connect(url)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.port = free_port()
        self.workers: list[tuple[subprocess.Popen[bytes], str]] = []
        #: Each boundary has its turn; after that chance decides.
        self.turns = list(BOUNDARIES)
        self.outcome = Outcome()
        #: The Message-IDs under which each delivery was taken.
        self.record: dict[str, list[str]] = {}
        module = "lossy_provider" if transport == "sendgrid" else "lossy_smtp"
        self.record_file = folder / "record.json"
        command = [sys.executable, "-m", f"tests.crash.{module}", str(self.port), str(seed), str(self.record_file)]
        self.provider = subprocess.Popen(command, cwd=ROOT)
        self._seed()
        self.app = create_app(Config.from_env(self.environ())) if transport == "sendgrid" else None
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                break
            time.sleep(0.05)

    def environ(self) -> dict[str, str]:
        der = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        accounts = {
            "sendgrid": {
                "SENDGRID_API_KEY": "SG.siege",
                "SENDGRID_API_URL": f"http://127.0.0.1:{self.port}",
                "SENDGRID_WEBHOOK_PUBLIC_KEY": base64.b64encode(self.key.public_key().public_bytes(*der)).decode(),
            },
            "smtp": {"SMTP_URL": f"smtp://127.0.0.1:{self.port}"},
        }
        return {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "s" * 40,
            "SUPPRESSION_KEY": "p" * 40,
            "DATABASE_URL": self.url,
            "MAIL_TRANSPORT": self.transport,
            "MAIL_FROM": "videos@clinic.example",
            "CLINIC_NAME": "Clinic",
            "CLINIC_ADDRESS": "1 Main Street",
            "CLINIC_PHONE": "604-555-0100",
            "PUBLIC_URL": "https://videos.clinic.example",
            "CLAIM_LEASE_SECONDS": str(LEASE),
            "EVIDENCE_WINDOW_SECONDS": str(WINDOW),
            "BATCH": str(self.batch),
        } | accounts[self.transport]

    def _seed(self) -> None:
        upgrade_to_head(self.engine)
        now = datetime.now(UTC)
        with store.writing(self.engine) as session:
            load_shipped(session, now)
            sequence = store.sequences.by_slug(session, SLUG)
            assert sequence is not None
            first, second = (step.id for step in store.sequences.steps_of(session, sequence.id)[:2])
            people = [
                Subscriber(
                    email=f"p{number}@example.org",
                    email_canonical=f"p{number}@example.org",
                    status="active",
                    timezone="UTC",
                    created_at=now,
                    confirmed_at=now,
                )
                for number in range(self.people)
            ]
            session.add_all(people)
            session.flush()
            courses = [
                Enrollment(subscriber_id=one.id, sequence_id=sequence.id, started_at=now, wants_plan=False)
                for one in people
            ]
            session.add_all(courses)
            session.flush()
            for one, course in zip(people, courses, strict=True):
                common = {"subscriber_id": one.id, "enrollment_id": course.id, "kind": "video", "created_at": now}
                past = now - timedelta(days=3)
                session.add(Delivery(**common, step_id=first, status="sent", due_at=past, sent_at=past))
                window = {"due_at": now, "closes_at": now + timedelta(days=1), "day": now.date()}
                session.add(Delivery(**common, **window, step_id=second, status="due"))
            self.step = second

    def start(self, boundary: str) -> None:
        times = self.chance.randint(1, 3)
        command = [sys.executable, "-m", "tests.crash.doomed_worker", boundary, str(times)]
        with (self.folder / "workers.log").open("ab") as log:
            worker = subprocess.Popen(command, cwd=ROOT, env=self.environ(), stdout=log, stderr=log)
        self.workers.append((worker, boundary))

    def bury(self) -> None:
        """Count the dead; anything but SIGKILL is a fault of ours."""
        for worker, boundary in list(self.workers):
            if worker.poll() is None:
                continue
            if worker.returncode != -signal.SIGKILL:
                raise RuntimeError((self.folder / "workers.log").read_text(encoding="utf-8")[-3000:])
            self.outcome.kills[boundary] += 1
            self.workers.remove((worker, boundary))

    def request(self, path: str, method: str = "GET", body: bytes | None = None) -> bytes:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, method=method)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return bytes(answer.read())

    def tell(self) -> None:
        """Bring the provider's events, signed, to the program's own address."""
        if self.app is None or (events := self.request("/events")) == b"[]":
            return
        stamp = str(int(time.time()))
        signature = base64.b64encode(self.key.sign(stamp.encode() + events, ec.ECDSA(hashes.SHA256()))).decode()
        headers = {
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
            "Host": "videos.clinic.example",
        }
        answer = self.app.test_client().post(
            "/webhooks/sendgrid", data=events, headers=headers, base_url="https://videos.clinic.example"
        )
        assert answer.status_code == 204, answer.status_code

    def cut_database(self) -> None:
        """End every connection to the database, as its restart does (PostgreSQL)."""
        with self.engine.connect() as connection:
            mine = "datname = current_database() AND pid <> pg_backend_pid()"
            ended = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {mine}"
            self.outcome.cuts += connection.execute(text(ended)).scalar() or 0

    def run(self, kills: int, most_seconds: float = 600, *, cuts: bool = False) -> Outcome:
        """Kill that many workers, then let two live until everything is sent; return what is left.

        With `cuts` the database ends all connections every now and then.
        """
        began = time.monotonic()
        while self.outcome.kills.total() < kills:
            self._check_time(began, most_seconds)
            self._kill(cuts=cuts)
            time.sleep(0.05)
        if self.transport == "sendgrid":
            self.request("/mood", "PUT", b"well")
        for number in range(len(self.workers)):
            self._kill_from_outside(number)
            self.workers[number][0].wait()
        self.bury()
        for _ in range(2):
            self.start("never")
        while self.open_rows():
            self._check_time(began, most_seconds)
            self._live(cuts=cuts)
            time.sleep(0.2)
        self.close()
        self.outcome.seconds = time.monotonic() - began
        self._judge()
        return self.outcome

    def _kill(self, *, cuts: bool) -> None:
        self.bury()
        while len(self.workers) < 2:
            self.start(self.turns.pop() if self.turns else self.chance.choice((*BOUNDARIES, "never")))
        # Only once each has died of its own: nobody may be killed before its turn has come.
        if self.outcome.kills.keys() >= set(BOUNDARIES) and self.chance.random() < 0.05:
            self._kill_from_outside(self.chance.randrange(len(self.workers)))
        self._live(cuts=cuts)

    def _kill_from_outside(self, number: int) -> None:
        """Kill a worker wherever it is, and count it so: its boundary was not what it died of."""
        worker, _ = self.workers[number]
        self.workers[number] = worker, "anywhere"
        worker.kill()

    def _live(self, *, cuts: bool) -> None:
        if cuts and self.chance.random() < 0.1:
            self.cut_database()
        self.tell()

    def _check_time(self, began: float, most_seconds: float) -> None:
        if time.monotonic() - began > most_seconds:
            raise TimeoutError(f"{self.outcome.words()}; open: {self.open_rows()}")

    def open_rows(self) -> int:
        """Return how many of the deliveries are not yet where they must end, or have nothing planned behind them."""
        waiting = Delivery.status.in_(("due", "claimed", "unknown"))
        with store.reading(self.engine) as session:
            rows = session.scalar(select(func.count()).where(Delivery.step_id == self.step, waiting))
            return (rows or 0) + (session.scalar(select(func.count()).where(Enrollment.wants_plan)) or 0)

    def _judge(self) -> None:
        with store.reading(self.engine) as session:
            query = session.query(Delivery.public_id, Delivery.status, Delivery.resent)
            rows = query.filter_by(step_id=self.step).all()
            counted = select(Delivery.enrollment_id, func.count()).where(Delivery.status == "due")
            ahead = session.execute(counted.group_by(Delivery.enrollment_id)).all()
        taken = {name: len(ids) for name, ids in self.record.items()}
        out = self.outcome
        out.statuses = dict(Counter(status for _, status, _ in rows))
        out.lost = sum(taken.get(name, 0) == 0 for name, _, _ in rows)
        out.lost += sum(status not in ("sent", "delivered") for _, status, _ in rows)
        out.twice = sum(count > 1 for count in taken.values())
        out.counted = sum(resent > 0 for _, _, resent in rows)
        again = {name: resent for name, _, resent in rows}
        out.uncounted = sum(count > 1 + again[name] for name, count in taken.items())
        out.renamed = sum(len(set(ids)) > 1 for ids in self.record.values())
        out.unplanned = self.people - sum(count == 1 for _, count in ahead)

    def close(self) -> None:
        """Stop everything; keep the provider's record."""
        for worker, _ in self.workers:
            worker.kill()
            worker.wait()
        self.workers.clear()
        if self.provider.poll() is None:
            self.provider.send_signal(signal.SIGTERM)
            self.provider.wait(timeout=10)
            self.record = json.loads(self.record_file.read_bytes())
        self.engine.dispose()


def main() -> None:
    transport, url, people, kills = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    with tempfile.TemporaryDirectory() as folder:
        batch = max(20, people // kills // 2)
        siege = Siege(transport, url.replace("FOLDER", folder), Path(folder), people, seed, batch)
        try:
            out = siege.run(kills, 3600)
        finally:
            siege.close()
    print(transport, url.partition(":")[0], f"{people} deliveries,", out.words(), flush=True)
    broken = out.lost or out.unplanned or out.uncounted or out.renamed or (transport == "sendgrid" and out.twice)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
