"""Leaving: a page with one button, and the one-click POST that mailbox providers send (RFC 8058).

The POST needs no cookie, no CSRF token, no login and no body; it may come twice and answers 200. An id that nobody has
is answered with 404 in both ways: nothing was stopped, and saying otherwise would be untrue.
Must not know: what leaving stops.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.consent import Channel
from leadmagnet.domain.status import STOPPED
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.way_back import stays_stopped
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web.context import now, origin, services
from leadmagnet.web.security import csrf, keep_private
from leadmagnet.web.subscriber.tokens import OldLink

blueprint = Blueprint("leave", __name__, url_prefix="/u")
blueprint.after_request(keep_private)


@blueprint.get("/<leave_id>")
def show(leave_id: str) -> str:
    """Show the button. Changes nothing."""
    with store.reading(services().engine) as session:
        person = _person(session, leave_id)
        return _left(session, person) if person.status in STOPPED else render_template("leave.html", email=person.email)


@blueprint.post("/<leave_id>")
@csrf.exempt
def press(leave_id: str) -> str:
    """Stop all emails at once."""
    channel = Channel.LEAVE_PAGE if request.form.get("by") == "page" else Channel.ONE_CLICK
    came_from = origin()
    with store.writing(services().engine) as session:
        person = _person(session, leave_id)
        leave(session, person, now(), channel, came_from.ip, came_from.user_agent)
        return _left(session, person)


def _left(session: Session, person: Subscriber) -> str:
    for_good = stays_stopped(session, person, services().config.suppression_key)
    return render_template("left.html", email=person.email, for_good=for_good)


def _person(session: Session, leave_id: str) -> Subscriber:
    person = store.subscribers.by_leave_id(session, leave_id)
    if person is None:
        raise OldLink
    return person
