"""What pages of links on request share: from a token to what it finds, and the pages of links that give no more.

Must not know: what a link opens does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import render_template
from sqlalchemy.orm import Session

from leadmagnet.clock import Now
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.tokens import BadToken
from leadmagnet.feedback.fresh_links import Found, State, hold, look
from leadmagnet.web.context import now, services
from leadmagnet.web.subscriber.tokens import OldLink

_OLD = {
    "heading": "This link has run out",
    "words": "It worked for one hour. You can ask for a fresh one on your own page; each of our emails leads there.",
    "hint": "Nothing has changed.",
}
_USED = {
    "heading": "This link has been used",
    "words": "Each works once. You can ask for a fresh one on your own page; each of our emails leads there.",
}
_Look = Callable[[Session, Opens, int, datetime, Now], Found]


def see(session: Session, opens: Opens, token: str) -> Found:
    """Return what a token finds, changing nothing. Raises OldLink."""
    return _find(look, session, opens, token)


def take(session: Session, opens: Opens, token: str) -> Found:
    """The same, with the link held for whoever is about to take something with it. Raises OldLink."""
    return _find(hold, session, opens, token)


def _find(how: _Look, session: Session, opens: Opens, token: str) -> Found:
    try:
        link_id, issued = services().links.read_fresh(opens, token)
    except BadToken as error:
        raise OldLink from error
    found = how(session, opens, link_id, issued, now())
    if found.state is State.GONE:
        raise OldLink
    return found


def closed(found: Found) -> str:
    """Return the page of a link that gives no more."""
    return render_template("message.html", **(_USED if found.state is State.USED else _OLD))
