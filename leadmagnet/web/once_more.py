"""Forms whose transaction met another one's are handled once more, instead of showing an error to whoever sent them.

Of two transactions that wait for each other PostgreSQL undoes one, and leaves it to us to begin it anew (its manual,
13.3.4 and 13.5). Where an earlier transaction of the same request was kept, nothing is done twice. Must not know: any
one page.
"""

from __future__ import annotations

import structlog
from flask import Flask, Response, current_app, g, has_request_context, make_response, request
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from leadmagnet import store

log = structlog.get_logger(__name__)

TRIES = 3
#: Bodies that are kept once they were read. Another one may be gone: whoever sends that tries again by itself.
_KEPT = ("", "application/x-www-form-urlencoded", "multipart/form-data")


def register(app: Flask) -> None:
    """Handle a request up to three times, where its transaction is undone."""
    app.register_error_handler(OperationalError, _once_more)


@event.listens_for(Session, "after_commit")
def _note_what_was_kept(session: Session) -> None:
    bind = session.bind
    if has_request_context() and bind is not None and bind.get_execution_options().get("lm_begin"):
        g.was_kept = True


def _once_more(error: OperationalError) -> Response:
    for number in range(2, TRIES + 1):
        if not store.was_undone(error) or request.mimetype not in _KEPT or "was_kept" in g:
            break
        log.warning("undone by another transaction, done once more", endpoint=request.endpoint, number=number)
        try:
            return make_response(current_app.dispatch_request())
        except OperationalError as another:
            error = another
        except Exception as other:  # noqa: BLE001 (for whoever handles such an error; what nobody does is raised again)
            return make_response(current_app.handle_user_exception(other))
    raise error
