"""Sample events of SendGrid's, many ways at once: each way is people of its own, who end as in every other way.

    python -m tests.journeys.ways SAMPLES.json [WAYS]

Each way shuffles all samples, repeats each up to five times, and lets a random part arrive before the letters under way
are settled. All of it goes through the signed address. Prints what each sample comes to; fails where two ways differ.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from leadmagnet import create_app, store
from leadmagnet.clock import Now
from leadmagnet.hearing import hear
from leadmagnet.services import Services
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.events import ProviderEvent
from leadmagnet.store.subscribers import Subscriber

KEY = ec.generate_private_key(ec.SECP256R1())
FULL = 768_000
STANDINGS = ("sent", "unknown", "due", "claimed")
#: Parts into which each way falls; some of them arrive before the settling.
PARTS = 5
ALL = "all"

#: Of one delivery: its state and detail, the person's state, the enrollment's.
End = tuple[str, str, str, str]


def public_key() -> str:
    der = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def samples_of(path: Path) -> list[dict[str, Any]]:
    found = json.loads(path.read_text(encoding="utf-8"))
    return [*found["doc_examples"], found["real_world_no_status_field"]["event"]]


@dataclass
class Ways:
    """So many ways, in one database."""

    services: Services
    client: FlaskClient
    samples: list[dict[str, Any]]
    count: int
    chance: random.Random
    now: Now

    def run(self) -> list[dict[str, End]]:
        """Live through all ways; return how each ended, by the sample's number."""
        self._people()
        events = [self._events(way) for way in range(self.count)]
        settled_before = self.chance.randint(1, PARTS - 1)
        for part in range(PARTS):
            if part == settled_before:
                self._settle()
            for body in _bodies(event for way in events for event in way[part]):
                assert self._post(body) == 204
            hear(self.services, self.now)
        return self._ends()

    def _people(self) -> None:
        names = [f"{way}-{name}" for way in range(self.count) for name in self._names()]
        at = self.now.course
        with store.writing(self.services.engine) as session:
            course = store.sequences.by_slug(session, "six-core-videos")
            assert course is not None
            step = store.sequences.steps_of(session, course.id)[1].id
            people = {"status": "active", "timezone": "UTC", "created_at": at}
            rows = [
                people | {"id": number, "email": f"{name}@x.example", "email_canonical": f"{name}@x.example"}
                for number, name in enumerate(names, 1)
            ]
            session.execute(insert(Subscriber), rows)
            places = range(1, len(names) + 1)
            enrollment = {"sequence_id": course.id, "started_at": at, "wants_plan": False}
            session.execute(insert(Enrollment), [enrollment | {"id": n, "subscriber_id": n} for n in places])
            row = {"step_id": step, "kind": "video", "created_at": at, "due_at": at, "lane": 1}
            session.execute(
                insert(Delivery),
                [
                    row | {"public_id": f"d{name}", "subscriber_id": n, "enrollment_id": n} | self._standing()
                    for n, name in enumerate(names, 1)
                ],
            )

    def _names(self) -> list[str]:
        return [*map(str, range(len(self.samples))), ALL]

    def _standing(self) -> dict[str, Any]:
        state = self.chance.choice(STANDINGS)
        under_way = state in ("unknown", "claimed")
        at = self.now.real if under_way else None
        settled = self.now.real if state == "sent" else None
        return {
            "status": state, "claim_id": "c" if under_way else None, "call_begun_at": at, "lease_until": at,
            "settled_at": settled,
        }  # fmt: skip

    def _events(self, way: int) -> list[list[dict[str, Any]]]:
        """Return the events of one way, in as many parts as there are."""
        told = []
        for number, sample in enumerate(self.samples):
            for name in (str(number), ALL):
                own = {
                    "sg_event_id": f"{way}-{number}-{name}", "lm_delivery": f"d{way}-{name}",
                    "timestamp": 1_772_000_000 + 60 * number, "email": f"{way}-{name}@x.example",
                }  # fmt: skip
                told += [sample | own] * self.chance.randint(1, 5)
        self.chance.shuffle(told)
        cuts = sorted(self.chance.randint(0, len(told)) for _ in range(PARTS - 1))
        return [told[start:end] for start, end in zip([0, *cuts], [*cuts, len(told)], strict=True)]

    def _post(self, body: bytes) -> int:
        stamp = str(int(self.now.real.timestamp()))
        signature = base64.b64encode(KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        named = {
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        }
        return self.client.post(
            "/webhooks/sendgrid", data=body, headers=named, content_type="application/json"
        ).status_code

    def _settle(self) -> None:
        """The calls that were under way come to their end."""
        with store.writing(self.services.engine) as session:
            under_way = update(Delivery).where(Delivery.status == "claimed")
            session.execute(under_way.values(status="sent", settled_at=self.now.real))

    def _ends(self) -> list[dict[str, End]]:
        query = select(
            Delivery.public_id, Delivery.status, Delivery.detail, Subscriber.status, Enrollment.status
        ).where(Subscriber.id == Delivery.subscriber_id, Enrollment.id == Delivery.enrollment_id)
        found: list[dict[str, End]] = [{} for _ in range(self.count)]
        with store.reading(self.services.engine) as session:
            for public_id, *end in session.execute(query):
                way, _, name = public_id[1:].partition("-")
                found[int(way)][name] = (end[0], end[1], end[2], end[3])
            assert session.query(ProviderEvent).filter(ProviderEvent.applied_at.is_(None)).count() == 0
            assert session.query(ProviderEvent).count() == self.count * 2 * len(self.samples)
        return found


def _bodies(events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    body: list[bytes] = []
    size = 0
    for event in events:
        written = orjson.dumps(event)
        if size + len(written) > FULL:
            yield b"[" + b",".join(body) + b"]"
            body, size = [], 0
        body.append(written)
        size += len(written) + 1
    yield b"[" + b",".join(body) + b"]\r\n"


def ways(services: Services, samples: list[dict[str, Any]], count: int, seed: int, now: Now) -> Ways:
    """Return ways through an application of their own."""
    app = create_app(services.config)
    app.extensions["leadmagnet"] = services
    return Ways(services, app.test_client(), samples, count, random.Random(seed), now)


def main(path: Path, count: int) -> None:
    """Live through the ways on both databases and print how they end."""
    from benchmarks import world
    from leadmagnet import services as parts

    samples = samples_of(path)
    for kind in ("sqlite", "postgres"):
        with world.database(kind) as (url, folder):
            config = world.settings(
                url, folder, sendgrid_webhook_public_key=public_key(), public_url="http://localhost"
            )
            services = replace(parts.build(config), clock=world.Clock())
            world.seed(services.engine, 0)
            now = services.clock.now()
            begun = time.perf_counter()
            ends = ways(services, samples, count, seed=1, now=replace(now, real=now.real + timedelta())).run()
            services.engine.dispose()
        assert all(end == ends[0] for end in ends), "two ways differ"
        took = time.perf_counter() - begun
        print(f"{kind}: {count:,} ways of {2 * len(samples)} events, one end, {took:.0f} s")
    for name, end in ends[0].items():
        told = samples[int(name)]["event"] if name != ALL else "all of them"
        print(f"  {told:18} email {end[0]:9} person {end[2]:12} sequence {end[3]:8} {end[1]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
