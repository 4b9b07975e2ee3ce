"""Erasing oneself: a page with a button, for a link that came by email; the POST erases at once, and for good.

Must not know: what is erased, and what stays.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, redirect, render_template, session
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response as AnyResponse

from leadmagnet import erasing, store
from leadmagnet.audience.erase import erase
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.feedback.fresh_links import State
from leadmagnet.web.context import now, services
from leadmagnet.web.security import keep_private
from leadmagnet.web.subscriber.fresh import closed, see, take

log = structlog.get_logger(__name__)
blueprint = Blueprint("erase", __name__)
blueprint.after_request(keep_private)


@blueprint.get("/erase/<token>")
def show(token: str) -> str:
    """Say what erasing means, with a button. Changes nothing."""
    with store.reading(services().engine) as db:
        found = see(db, Opens.ERASE, token)
    return render_template("erase.html") if found.state is State.OPEN else closed(found)


@blueprint.post("/erase/<token>")
def press(token: str) -> str | AnyResponse:
    """Erase the person at once."""
    parts, at = services(), now()
    with store.writing(parts.engine) as db:
        found = take(db, Opens.ERASE, token)
        if found.state is not State.OPEN or found.person is None:
            return closed(found)
        erase(db, found.person.email, at, parts.config.suppression_key, clinic_zone=parts.config.clinic_timezone)
    try:
        erasing.finish(parts, at)
    except OperationalError as error:
        # They are erased. What is left outside the rows goes with the worker's next pass.
        log.warning("left to the next pass", error=store.short(error))
    # The next page's address holds no token, and what this browser has kept of ours goes.
    session.clear()
    answer = redirect("/erased", 303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@blueprint.get("/erased")
def erased() -> str:
    """Say goodbye. Shows the same to everybody."""
    return render_template("erased.html")
