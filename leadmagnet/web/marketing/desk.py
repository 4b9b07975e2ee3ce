"""The workspace's blueprint: the door, and what every page behind it needs. No page here is reached without signing in.

Must not know: any one page.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_security import auth_required, current_user, roles_accepted

from leadmagnet.domain.zones import zone
from leadmagnet.store.marketers import MarketerRole
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing.sessions import end_when_over
from leadmagnet.web.marketing.words import Moment
from leadmagnet.web.security import keep_private

blueprint = Blueprint(
    "marketing",
    __name__,
    url_prefix="/admin",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

#: Pages that change something about a person, or take people's data out.
editors = roles_accepted(MarketerRole.OWNER.value, MarketerRole.EDITOR.value)
#: What cannot be undone.
owners = roles_accepted(MarketerRole.OWNER.value)


def moment() -> Moment:
    """Return now, as the clinic's clocks show it."""
    return Moment(now().course, zone(services().clinic.timezone))


def actor() -> str:
    """Return who is signed in, for the record of what was done."""
    return str(current_user.email)


@auth_required("session")
def _signed_in() -> None:
    """Let a signed-in marketer pass; Flask-Security sends anybody else to the sign-in page."""


@blueprint.before_request
def _door() -> Any:
    """Guard everything but the style sheet, which the sign-in page needs."""
    if request.endpoint == "marketing.static":
        return None
    end_when_over()
    return _signed_in()


@blueprint.after_request
def _private(response: Response) -> Response:
    return response if request.endpoint == "marketing.static" else keep_private(response)


@blueprint.context_processor
def _shared() -> dict[str, object]:
    return shared()


def shared() -> dict[str, object]:
    """Return what all templates of the workspace use."""
    return {"clinic": services().clinic, "me": current_user}


@blueprint.errorhandler(403)
def _not_yours(_error: Exception) -> tuple[str, int]:
    title, words = "This is not yours to do", "Your account may look. Ask an owner to do this, or for more rights."
    return render_template("marketing/message.html", title=title, words=words), 403


@blueprint.errorhandler(404)
def _not_here(_error: Exception) -> tuple[str, int]:
    title, words = "Nothing here", "The person may have been erased, or the address was cut in two."
    return render_template("marketing/message.html", title=title, words=words), 404
