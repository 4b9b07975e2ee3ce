"""How long a sign-in lasts: an hour without a request, twelve in all; signing out ends it everywhere.

The session is a signed cookie, so a copy of it would outlive a sign-out by itself: signing out gives the account a new
name for its cookies, and every older one names nobody. Must not know: passwords, pages.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import Flask, g, session
from flask_login import user_logged_out
from flask_security import user_authenticated
from sqlalchemy import update

from leadmagnet import store
from leadmagnet.store import Base
from leadmagnet.web.context import now, services

#: Without a request. OWASP and NIST SP 800-63B-4 (AAL2) name an hour for what this is.
IDLE = timedelta(hours=1)
#: A working day.
LONGEST = timedelta(hours=12)
#: The cookie is written anew at most this often.
_NOTED = timedelta(minutes=1)
_BEGAN, _USED = "signed_in_at", "used_at"


def register(app: Flask) -> None:
    """Begin and end sessions with the sign-in and the sign-out."""
    user_authenticated.connect(_begin, app)
    user_logged_out.connect(_end, app)


def _begin(_app: Flask, **_more: object) -> None:
    """Start the session anew: nothing from before the sign-in stays, the token of forms among it."""
    for key in ("csrf_token", _BEGAN, _USED):
        session.pop(key, None)
    g.pop("csrf_token", None)
    session[_BEGAN] = session[_USED] = _seconds()


def _end(_app: Flask, user: object, **_more: object) -> None:
    marketers = Base.metadata.tables["marketer"]
    with store.writing(services().engine) as writing:
        mine = marketers.c.id == user.id  # type: ignore[attr-defined]  # Flask-Login's proxy of our Marketer
        writing.execute(update(marketers).where(mine).values(fs_uniquifier=secrets.token_hex(32)))


def end_when_over() -> None:
    """Forget a sign-in that has lain idle or has lasted too long; note that this one is in use."""
    if "_user_id" not in session:
        return
    moment, began, used = _seconds(), session.get(_BEGAN, 0), session.get(_USED, 0)
    if moment - used > IDLE.total_seconds() or moment - began > LONGEST.total_seconds():
        session.clear()
        g.pop("_login_user", None)
    elif moment - used > _NOTED.total_seconds():
        session[_USED] = moment


def _seconds() -> int:
    return int(now().real.timestamp())
