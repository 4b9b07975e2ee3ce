"""POST /webhooks/inbound/SECRET: SendGrid's Inbound Parse, for people who leave by an email.

An email takes effect here and now. Whatever it is, the answer is 204: a provider would send it again for three days.
Must not know: what an id in a subject looks like.
"""

from __future__ import annotations

import hmac
from typing import Any

import orjson
from flask import Blueprint, Response, abort, request

from leadmagnet import mailbox, store
from leadmagnet.feedback.returned import leave_by_ids
from leadmagnet.mail.reports import ids_in
from leadmagnet.web.context import now, services
from leadmagnet.web.security import csrf, keep_private

blueprint = Blueprint("inbound", __name__)
blueprint.after_request(keep_private)
csrf.exempt(blueprint)

#: SendGrid takes in emails of 30 MB, and writes them as a form.
MOST_BYTES = 32_000_000
#: Of that, texts: attachments wait in files.
MOST_TEXT = 4_000_000


@blueprint.post("/webhooks/inbound/<secret>")
def take(secret: str) -> Response:
    """Take in one email; 404 where the secret is not ours, or none is set."""
    ours = services().config.inbound_secret
    if not ours or not hmac.compare_digest(secret.encode(), ours.encode()):
        abort(404)
    request.max_content_length, request.max_form_memory_size = MOST_BYTES, MOST_TEXT
    if raw := request.form.get("email", ""):
        # "Send raw" is on: the whole email, a bounce or a complaint perhaps.
        mailbox.take(services(), raw.encode("utf-8", "surrogateescape"))
        return Response(status=204)
    ids = ids_in(request.form.get("subject", "")[:4000], _written_to(), services().config.mail_unsubscribe)
    with store.writing(services().engine) as session:
        leave_by_ids(session, ids, now())
    return Response(status=204)


def _written_to() -> list[str]:
    """Return the addresses that the envelope names: those to which the email really came."""
    try:
        envelope: Any = orjson.loads(request.form.get("envelope", "")[:10_000])
    except orjson.JSONDecodeError:
        return []
    found = envelope.get("to") if isinstance(envelope, dict) else None
    return [address for address in found if isinstance(address, str)][:50] if isinstance(found, list) else []
