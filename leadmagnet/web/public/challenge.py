"""Whether a sign-up needs a proof of work just now, and the challenge for it. The form's script asks.

Must not know: what a proof is good for.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request

from leadmagnet import store
from leadmagnet.domain.admission import Source
from leadmagnet.domain.networks import network_of
from leadmagnet.from_config import guard_from
from leadmagnet.signup.admission import asks
from leadmagnet.signup.proof import challenge
from leadmagnet.web.context import now, remote_ip, services

blueprint = Blueprint("challenge", __name__)


@blueprint.get("/signup/challenge")
def signup_challenge() -> Response:
    """Answer 204 while all is quiet; under load a challenge, which is new each time and kept nowhere."""
    guard, moment = guard_from(services().config), now()
    source = Source(network_of(remote_ip()), request.args.get("form", "")[:64].replace("\0", ""))
    with store.reading(services().engine) as session:
        needed = asks(session, guard, source, moment.real)
    response = make_response(challenge(guard.keys, moment.real)) if needed else Response(status=204)
    response.headers["Cache-Control"] = "no-store"
    return response
