"""From a token in an address to the person it was made for. What can't be read ends in a kind page.

Must not know: any page's content.
"""

from __future__ import annotations

from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from leadmagnet.domain.tokens import BadToken
from leadmagnet.store.sequences import Step
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web.context import services


class OldLink(NotFound):
    """The link was cut, changed, or belongs to somebody who is no longer here. It has a page of its own."""

    description = "This link is old or was cut in two."


def by_page(session: Session, token: str) -> Subscriber:
    """Return the person of a link to the own page. Raises OldLink."""
    try:
        return _person(session, services().links.read_page(token))
    except BadToken as error:
        raise OldLink from error


def by_video(session: Session, token: str) -> Subscriber:
    """Return the person of a link to a video. Raises OldLink."""
    try:
        return _person(session, services().links.read_video(token))
    except BadToken as error:
        raise OldLink from error


def by_done(session: Session, token: str) -> tuple[Subscriber, Step]:
    """Return the person and the exercise of an "I did it" link. Raises OldLink."""
    try:
        subscriber_id, step_id = services().links.read_done(token)
    except BadToken as error:
        raise OldLink from error
    step = session.get(Step, step_id)
    if step is None:
        raise OldLink
    return _person(session, subscriber_id), step


def _person(session: Session, subscriber_id: int) -> Subscriber:
    person = session.get(Subscriber, subscriber_id)
    if person is None:
        raise OldLink
    return person
