"""POST /webhooks/sendgrid: only what SendGrid signed is taken in, each event once, whatever it says."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient

from config import BadSetting
from leadmagnet import create_app, store
from leadmagnet.hearing import hear
from leadmagnet.services import Services
from leadmagnet.store.events import ProviderEvent

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


class Provider:
    """SendGrid's side: signs and posts."""

    def __init__(self, services: Services, client: FlaskClient, now: Any) -> None:
        self.services, self.client, self.now = services, client, now

    def post(self, body: bytes, key: ec.EllipticCurvePrivateKey = KEY, late: float = 0, **headers: str) -> int:
        stamp = str(int((self.now().real - timedelta(seconds=late)).timestamp()))
        signature = base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        named = {
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            "/webhooks/sendgrid", data=body, headers={"Content-Type": "application/json"} | named
        ).status_code

    def stored(self) -> list[ProviderEvent]:
        """What the worker has taken in of it."""
        hear(self.services, self.now())
        with store.reading(self.services.engine) as session:
            return session.query(ProviderEvent).order_by(ProviderEvent.id).all()


@pytest.fixture
def provider(
    new_config: Callable[..., Any], build_services: Callable[..., Services], hand_clock: Any, database_url: str
) -> Provider:
    config = new_config(database_url=database_url, sendgrid_webhook_public_key=public(KEY))
    services = build_services(config, hand_clock)
    app = create_app(config)
    app.extensions["leadmagnet"] = services
    return Provider(services, app.test_client(), hand_clock.now)


def batch(count: int, **more: object) -> bytes:
    return orjson.dumps(
        [{"event": "delivered", "sg_event_id": f"e{number}", "email": "a@b.example"} | more for number in range(count)]
    )


def test_a_full_batch_comes_as_json(provider: Provider) -> None:
    """768 KB with the type that SendGrid names: no library may look into it before its own limit holds."""
    body = batch(7_500, useragent="x" * 20)
    assert 700_000 < len(body) <= 768_000
    assert provider.post(body) == 204
    assert len(provider.stored()) == 7_500


def test_signed_events_are_stored_once(provider: Provider) -> None:
    assert provider.post(batch(3)) == 204
    assert provider.post(batch(4) + b"\r\n") == 204
    assert [event.event_id for event in provider.stored()] == ["e0", "e1", "e2", "e3"]
    assert {event.signal for event in provider.stored()} == {"delivered"}


def test_an_empty_batch_and_unknown_kinds_are_welcome(provider: Provider) -> None:
    assert provider.post(b"[]") == 204
    assert provider.post(batch(1, event="moonwalk", lm_delivery=["odd"], timestamp="later", nul="\0")) == 204
    (event,) = provider.stored()
    assert (event.signal, event.public_id) == ("other", "")
    assert "moonwalk" in event.raw


@pytest.mark.parametrize(
    "how",
    [
        {"key": OTHER_KEY},
        {"late": 3 * 86400},
        {"late": -3 * 86400},
        {"X_Twilio_Email_Event_Webhook_Signature": ""},
        {"X_Twilio_Email_Event_Webhook_Signature": "no base64!"},
        {"X_Twilio_Email_Event_Webhook_Signature": "AAAA"},
        {"X_Twilio_Email_Event_Webhook_Timestamp": "soon"},
        {"X_Twilio_Email_Event_Webhook_Timestamp": "9" * 40},
        {"X_Twilio_Email_Event_Webhook_Timestamp": "1"},
    ],
    # No key is written out: its words differ from process to process.
    ids=lambda how: "-".join(f"{name}={'' if name == 'key' else value}" for name, value in how.items()),
)
def test_forged_and_stale_batches_are_refused(provider: Provider, how: dict[str, Any]) -> None:
    assert provider.post(batch(1), **how) == 403
    assert provider.stored() == []


def test_cut_and_oversized_bodies_are_refused(provider: Provider) -> None:
    assert provider.post(batch(3)[:-5]) == 400
    assert provider.post(b'{"event": "delivered"}') == 400
    assert provider.post(b"\xff\xfe") == 403
    assert provider.post(batch(1, filler="x" * 2_000_000)) == 413
    assert provider.stored() == []


def test_without_a_key_nothing_is_taken(new_config: Callable[..., Any], build_services: Any, hand_clock: Any) -> None:
    services = build_services(new_config(), hand_clock)
    app = create_app(services.config)
    app.extensions["leadmagnet"] = services
    assert Provider(services, app.test_client(), hand_clock.now).post(batch(1)) == 403


def test_a_key_that_is_none_stops_the_start(new_config: Callable[..., Any]) -> None:
    with pytest.raises(BadSetting, match="SENDGRID_WEBHOOK_PUBLIC_KEY"):
        create_app(new_config(sendgrid_webhook_public_key="bm8ga2V5"))
