"""Leaving in each of five ways stops a delivery that is due, and one that is claimed and whose call has not begun."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from leadmagnet import create_app, store
from leadmagnet.delivery.send import claim_due, send_claim
from leadmagnet.delivery.settle import Tally
from leadmagnet.from_config import post_of
from leadmagnet.services import Services
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick
from tests.journeys import ways

SECRET = "inbound-secret-of-a-test"
MAILBOX = "leave@clinic.example"
MULTIPART = b'--cut\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--cut--\r\n'


@dataclass
class Reader:
    """Somebody with an email out and another one due, and the ways out that they have."""

    services: Services
    client: FlaskClient
    mailer: Any
    clock: Any
    leave_id: str = "leave-id-of-the-reader"

    def begin(self) -> None:
        at = self.clock.now().course
        with store.writing(self.services.engine) as session:
            address = "reader@mail.example"
            person = Subscriber(
                email=address, email_canonical=address, status="active", timezone="UTC", leave_id=self.leave_id,
                created_at=at, confirmed_at=at,
            )  # fmt: skip
            session.add(person)
            session.flush()
            row = {"subscriber_id": person.id, "created_at": at, "due_at": at, "kind": "reminder"}
            text = next(text for text in session.query(store.email_texts.EmailText) if text.kind == "reminder")
            session.add(Delivery(**row, public_id="sent-before", status="sent", text_slug=text.slug))
            session.add(Delivery(**row, public_id="due-now", text_slug=text.slug))

    def post(self, url: str, **body: Any) -> TestResponse:
        return self.client.post(url, **body)

    def one_click(self) -> TestResponse:
        return self.post(f"/u/{self.leave_id}", data={"List-Unsubscribe": "One-Click"})

    def one_click_multipart(self) -> TestResponse:
        return self.post(f"/u/{self.leave_id}", data=MULTIPART, content_type="multipart/form-data; boundary=cut")

    def one_click_without_a_body(self) -> TestResponse:
        return self.post(f"/u/{self.leave_id}", data=b"", content_type="multipart/form-data; boundary=cut")

    def page(self) -> TestResponse:
        return self.post(f"/u/{self.leave_id}", data={"by": "page"})

    def mailto(self) -> TestResponse:
        fields = {"subject": f"unsubscribe {self.leave_id}", "to": MAILBOX, "from": "other@mail.example"}
        return self.post(f"/webhooks/inbound/{SECRET}", data=fields, content_type="multipart/form-data")

    def plus_tag(self) -> TestResponse:
        envelope = orjson.dumps({"to": [f"leave+{self.leave_id}@clinic.example"], "from": "x@y.example"}).decode()
        return self.post(f"/webhooks/inbound/{SECRET}", data={"envelope": envelope}, content_type="multipart/form-data")

    def provider(self) -> TestResponse:
        event = {"event": "unsubscribe", "sg_event_id": "e", "lm_delivery": "sent-before"}
        body = orjson.dumps([event, {"event": "group_resubscribe", "sg_event_id": "f", "lm_delivery": "sent-before"}])
        stamp = str(int(self.clock.now().real.timestamp()))
        signature = base64.b64encode(ways.KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        named = {"Signature": signature, "Timestamp": stamp}
        headers = {f"X-Twilio-Email-Event-Webhook-{name}": value for name, value in named.items()}
        return self.post("/webhooks/sendgrid", data=body, headers=headers, content_type="application/json")

    def due(self) -> Delivery:
        with store.reading(self.services.engine) as session:
            return session.query(Delivery).filter_by(public_id="due-now").one()

    def status(self) -> str:
        with store.reading(self.services.engine) as session:
            return session.query(Subscriber).one().status

    def channels(self) -> list[str]:
        with store.reading(self.services.engine) as session:
            return [event.channel for event in session.query(ConsentEvent)]


WAYS = {
    "one-click": Reader.one_click,
    "one-click multipart": Reader.one_click_multipart,
    "one-click without a body": Reader.one_click_without_a_body,
    "page": Reader.page,
    "mailto": Reader.mailto,
    "plus tag": Reader.plus_tag,
    "provider": Reader.provider,
}
CHANNELS = {"page": "unsubscribe page", "mailto": "mailto", "plus tag": "mailto"} | {"provider": "provider"}


@pytest.fixture
def reader(
    new_config: Callable[..., Any],
    build_services: Callable[..., Services],
    hand_clock: Any,
    memory_mailer: Any,
    database_url: str,
) -> Reader:
    config = new_config(
        database_url=database_url, inbound_secret=SECRET, mail_unsubscribe=MAILBOX,
        sendgrid_webhook_public_key=ways.public_key(),
    )  # fmt: skip
    services = replace(build_services(config, hand_clock), mailer=memory_mailer)
    app = create_app(config)
    app.extensions["leadmagnet"] = services
    return Reader(services, app.test_client(use_cookies=False), memory_mailer, hand_clock)


def test_each_way_stops_what_is_due_and_what_is_claimed(reader: Reader) -> None:
    for way, leave in WAYS.items():
        for claimed in (False, True):
            with store.writing(reader.services.engine) as session:
                # What was consented to goes with its person.
                for table in (store.events.ProviderEvent, Delivery, Subscriber):
                    session.query(table).delete()
            reader.begin()
            post, tally = post_of(reader.services), Tally()
            claim = claim_due(post, reader.clock.now, 1) if claimed else None
            assert (claim is not None) == claimed
            for _ in range(2):
                assert leave(reader).status_code in (200, 204), way
            if claim is not None:
                send_claim(post, reader.clock.now, claim, tally)
            tick(reader.services, reader.clock.now)
            row = reader.due()
            assert (row.status, row.skip_reason, row.call_begun_at) == ("skipped", "not_active", None), (way, claimed)
            assert (reader.status(), reader.mailer.calls) == ("unsubscribed", []), (way, claimed)
            assert reader.channels() == [CHANNELS.get(way, "one-click")], way


def test_without_leaving_the_very_same_email_goes_out(reader: Reader) -> None:
    reader.begin()
    tick(reader.services, reader.clock.now)
    assert (reader.due().status, len(reader.mailer.calls)) == ("sent", 1)
