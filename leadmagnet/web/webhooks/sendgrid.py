"""POST /webhooks/sendgrid: SendGrid's signed events. Checked over the raw bytes, kept, answered; applied by the worker.

Must not know: what an event means.
"""

from __future__ import annotations

import binascii
from datetime import UTC, datetime, timedelta

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, request
from sendgrid import EventWebhook, EventWebhookHeader

from config import BadSetting
from leadmagnet import store
from leadmagnet.mail.sendgrid_events import BadEvents, check_batch
from leadmagnet.web.context import services
from leadmagnet.web.security import csrf

log = structlog.get_logger(__name__)
blueprint = Blueprint("sendgrid", __name__)

PROVIDER = "sendgrid"
#: SendGrid sends at most 768 KB at a time.
MOST_BYTES = 2_000_000
#: SendGrid tries again for a day; a signature older than two is somebody's replay. Events known already change nothing.
TOLERANCE = timedelta(days=2)


def register(app: Flask, public_key: str) -> None:
    """Add the address, with the key that signs it. Raises BadSetting for a key that is none."""
    try:
        verifier = EventWebhook(public_key) if public_key else None
    except ValueError as error:
        raise BadSetting(
            "SENDGRID_WEBHOOK_PUBLIC_KEY is no key; copy it whole from SendGrid's webhook page."
        ) from error
    app.extensions["sendgrid_webhook"] = verifier
    app.register_blueprint(blueprint)
    csrf.exempt(blueprint)


@blueprint.post("/webhooks/sendgrid")
def take() -> Response:
    """Keep a signed batch and answer 204; 403 where the signature is not SendGrid's, 400 where it is no batch."""
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=False)
    now = services().clock.now()
    if not _is_signed(body, now.real):
        abort(403)
    try:
        events = check_batch(body)
    except BadEvents as error:
        log.warning("signed webhook that is no batch of events", error=str(error), bytes=len(body))
        abort(400)
    if events:
        with store.writing(services().engine) as session:
            store.event_batches.add(session, PROVIDER, body, now.real)
    return Response(status=204)


def _is_signed(body: bytes, real_now: datetime) -> bool:
    verifier: EventWebhook | None = current_app.extensions["sendgrid_webhook"]
    signature = request.headers.get(EventWebhookHeader.SIGNATURE, "")
    stamp = request.headers.get(EventWebhookHeader.TIMESTAMP, "")
    if verifier is None or not signature or not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        return False
    if abs(datetime.fromtimestamp(int(stamp), UTC) - real_now) > TOLERANCE:
        return False
    try:
        return bool(verifier.verify_signature(body.decode(), signature, stamp))
    except (UnicodeDecodeError, binascii.Error, ValueError):
        return False
