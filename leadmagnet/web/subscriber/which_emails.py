"""Which emails: the part of the own page where each kind is chosen for itself. Ticking one is a consent, on record.

Must not know: the rest of the own page, what choosing changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from leadmagnet import store
from leadmagnet.domain.consent import Channel, Purpose
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.feedback.choosing import Asked, choose
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import pages
from leadmagnet.web.context import now, origin, services
from leadmagnet.web.security import keep_private
from leadmagnet.web.subscriber.tokens import by_page

blueprint = Blueprint("which_emails", __name__, url_prefix="/p")
blueprint.after_request(keep_private)

_SECTIONS = {Purpose.VIDEOS: "Videos", Purpose.REMINDERS: "Reminders", Purpose.NEWS: "News"}
_LABELS = {Purpose.VIDEOS: "Videos", Purpose.REMINDERS: "Reminders", Purpose.NEWS: "Clinic news"}


@dataclass(frozen=True, slots=True)
class Box:
    """One kind of email: its name, what it is, whether it comes."""

    purpose: Purpose
    label: str
    words: str
    ticked: bool


def boxes(person: Subscriber, clinic: Clinic) -> list[Box]:
    """Return what the part shows."""
    sections = pages.page("which-emails").sections
    return [
        Box(purpose, _LABELS[purpose], pages.plain(sections[name].strip(), clinic), purpose in person.wanted)
        for purpose, name in _SECTIONS.items()
    ]


def around(clinic: Clinic) -> str:
    """Return the sentences above the boxes."""
    return " ".join(pages.plain(pages.page("which-emails").sections["Around it"], clinic).split())


@blueprint.post("/<token>/emails")
def press(token: str) -> Response:
    """Let the person get the kinds that are ticked, and no others."""
    ticked = frozenset(Purpose(name) for name in request.form.getlist("emails") if name in set(Purpose))
    parts = services()
    with store.writing(parts.engine) as session:
        person = by_page(session, token)
        changed = choose(
            session, person, ticked, _asked(person, parts.clinic), now(), channel=Channel.OWN_PAGE, origin=origin(token)
        )
        if person.status != SubscriberStatus.ACTIVE:
            return redirect(f"/p/{token}", 303)
    return redirect(f"/p/{token}?saved={'emails' if changed else 'emails_same'}#said", 303)


def _asked(person: Subscriber, clinic: Clinic) -> Asked:
    """Return the part's words as they are kept: how the boxes stood before is no part of them."""
    document = pages.page("which-emails")
    lines = "\n\n".join(f"[ ] {box.label}: {box.words}" for box in boxes(person, clinic))
    return Asked(f"{around(clinic)}\n\n{lines}", document.text("language") or "en", document.text("version"))
