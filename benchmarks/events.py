"""SendGrid's events: how long a full batch waits for its answer, and how many a second are applied. Both databases.

    python -m benchmarks.events [BATCHES]

A full batch is 768 KB of events as SendGrid writes them, signed, posted to the application itself: the network is left
out, the signature, the store and the disk are not. Of a hundred emails 100 are processed, 96 delivered, 40 opened, 10
clicked; two bounce for good, one softly, one is blocked; one reader complains and one leaves.
"""

from __future__ import annotations

import base64
import random
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select

from benchmarks import world
from leadmagnet import create_app, store
from leadmagnet.hearing import hear
from leadmagnet.services import Services
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.events import ProviderEvent
from leadmagnet.store.subscribers import Subscriber

FULL = 768_000
KEY = ec.generate_private_key(ec.SECP256R1())
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
#: Of a hundred emails: kinds with their own fields, and how many there are.
KINDS: tuple[tuple[int, dict[str, object]], ...] = (
    (100, {"event": "processed"}),
    (96, {"event": "delivered", "response": "250 2.0.0 OK  1772524800 x18si4211287wrt.119 - gsmtp", "tls": 1}),
    (40, {"event": "open", "useragent": AGENT, "ip": "203.0.113.7", "sg_machine_open": False}),
    (10, {"event": "click", "useragent": AGENT, "ip": "203.0.113.7", "url": "https://videos.clinic.example/v/dead-bug"}),
    (2, {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user here"}),
    (1, {"event": "bounce", "type": "bounce", "status": "5.2.2", "reason": "552 5.2.2 mailbox full"}),
    (1, {"event": "bounce", "type": "blocked", "status": "5.7.1", "reason": "550 5.7.1 listed"}),
    (1, {"event": "spamreport"}),
    (1, {"event": "unsubscribe"}),
)  # fmt: skip


def public_key() -> str:
    """Return the key as SendGrid shows it."""
    der = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def told(people: int) -> Iterator[dict[str, object]]:
    """Give the events of one email each to so many people."""
    for place, (of_hundred, kind) in enumerate(KINDS):
        for number in range(1, people + 1):
            if (number * 37 + place * 13) % 100 < of_hundred:
                yield kind | {
                    "email": f"reader{number}@mail{number % 50}.example",
                    "timestamp": 1_772_524_800 + number % 3600,
                    "smtp-id": f"<{number:014d}.x@ismtpd-555>",
                    "category": ["video"],
                    "lm_delivery": f"a{number:020d}",
                    "sg_event_id": f"{kind['event']}{kind.get('status', '')}-{number:024d}",
                    "sg_message_id": f"{number:014d}.dfd.64b469.filter0001.16648.5515E0B88.0",
                }


def batches(people: int) -> list[bytes]:
    """Return the bodies that these events make, each as full as SendGrid fills one, in no order that helps."""
    found, body, size = [], [], 2
    events = [orjson.dumps(event) for event in told(people)]
    random.Random(1).shuffle(events)
    for written in events:
        if size + len(written) + 1 > FULL:
            found.append(b"[" + b",".join(body) + b"]\r\n")
            body, size = [], 2
        body.append(written)
        size += len(written) + 1
    return found


def answer_ms(services: Services, bodies: list[bytes]) -> list[float]:
    """Post each body, signed, and return the milliseconds that each answer took."""
    app = create_app(services.config)
    app.extensions["leadmagnet"] = services
    client, found = app.test_client(), []
    for body in bodies:
        stamp = str(int(time.time()))
        signature = base64.b64encode(KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        named = {
            "Host": services.config.public_host,
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        }
        begun = time.perf_counter()
        answer = client.post("/webhooks/sendgrid", data=body, headers=named, content_type="application/json")
        found.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 204, answer.status_code
    return found


def measure(kind: str, count: int) -> str:
    """Measure on one database and return a row of the table."""
    from leadmagnet import services as parts

    # About 2,700 events an email's hundred people and 1,700 events a batch.
    people = count * 700
    with world.database(kind) as (url, folder):
        config = world.settings(url, folder, sendgrid_webhook_public_key=public_key())
        services = replace(parts.build(config), clock=world.Clock())
        world.seed(services.engine, people)
        bodies = batches(people)[:count]
        times = answer_ms(services, bodies)
        stored = sum(len(orjson.loads(body)) for body in bodies)
        used, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        heard = hear(services, services.clock.now())
        took = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_SELF)
        assert heard == stored, (heard, stored)
        check(services)
        services.engine.dispose()
    busy = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    spread = f"{min(times):.0f} - {max(times):.0f}"
    return (
        f"| {kind} | {stored // count:,} | {statistics.median(times):.0f} ms | {spread} "
        f"| {heard:,} | {heard / took:,.0f} | {heard / busy:,.0f} |"
    )


def check(services: Services) -> None:
    """Look whether the work was really done."""
    with store.reading(services.engine) as session:
        waits = session.scalar(
            select(func.count()).select_from(ProviderEvent).where(ProviderEvent.applied_at.is_(None))
        )
        delivered = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.status == "delivered"))
        query = select(Subscriber.status, func.count()).group_by(Subscriber.status)
        states = dict(session.execute(query).all())
    assert waits == 0
    assert delivered
    print(f"  {delivered:,} delivered; people: {states}", file=sys.stderr)


def main(count: int) -> None:
    """Measure and print."""
    head = "| database | events a batch | answer, median | spread | applied | a second | a second of our own time |"
    print(f"{head}\n| --- | --- | --- | --- | --- | --- | --- |")
    for kind in ("sqlite", "postgres"):
        print(measure(kind, count), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
