"""GET /c/TOKEN: a link of an email to another site leads on, to its stored address and nowhere else.

That it was followed is kept as a fact, where the reader was told so and has not objected; nothing else changes.
Must not know: how people are told from machines.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, redirect, request
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from leadmagnet import store
from leadmagnet.domain.tokens import BadToken
from leadmagnet.feedback.clicks import Follow, keep, reader_of, where_to
from leadmagnet.rendering.outside import BOOKING, is_web
from leadmagnet.web.context import now, objects_to_tracking, services, user_agent
from leadmagnet.web.security import keep_private
from leadmagnet.web.subscriber.tokens import OldLink

log = structlog.get_logger(__name__)
blueprint = Blueprint("link", __name__, url_prefix="/c")
blueprint.after_request(keep_private)


@blueprint.get("/<token>")
def follow(token: str) -> Response:
    """Lead on."""
    try:
        delivery_id, link_id = services().links.read_tracked(token)
    except BadToken as error:
        raise OldLink from error
    with store.reading(services().engine) as session:
        stored = where_to(session, link_id)
        counted = services().config.track_links and reader_of(session, delivery_id) is not None
    url = services().clinic.booking_link if stored == BOOKING else stored
    if not url or not is_web(url):
        raise OldLink
    if counted and not objects_to_tracking():
        _keep(delivery_id, link_id)
    return redirect(url, 302)


def _keep(delivery_id: int, link_id: int) -> None:
    """Keep the fact. Where the database cannot take it now, the reader is led on all the same."""
    purpose = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    try:
        with store.writing(services().engine, durable=False) as session:
            keep(session, delivery_id, link_id, Follow(request.method, user_agent(), purpose), now())
    except OperationalError as error:
        log.warning("a followed link was not counted", error=store.short(error))
