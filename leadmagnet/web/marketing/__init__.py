"""The marketers' workspace under /admin/: who signed up, how they do, what each was sent and why."""

from __future__ import annotations

from flask import Flask, abort, request

from leadmagnet.services import Services
from leadmagnet.web.marketing import (
    accounts,
    consent,
    desk,
    held,
    home,
    pausing,
    sending,
    sequence,
    subscriber,
    subscribers,
)
from leadmagnet.web.marketing.accounts import add_marketer

__all__ = ["add_marketer", "register"]

#: The modules whose import hangs their pages on the blueprint.
PAGES = (home, subscribers, subscriber, consent, held, sequence, pausing, sending)


def register(app: Flask) -> None:
    """Set up accounts and pages. CSRF protection and the session's cookie are the application's and come first."""
    services: Services = app.extensions["leadmagnet"]
    app.before_request(_refuse_json)
    accounts.register(app, services)
    app.register_blueprint(desk.blueprint)


def _refuse_json() -> None:
    """Answer JSON with 415: no page here takes it, and Flask-Security's forms break on JSON that is no object."""
    if request.is_json and request.path.startswith(f"{desk.blueprint.url_prefix}/"):
        abort(415)
