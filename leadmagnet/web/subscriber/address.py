"""Another address: a form for a link that came to the current one, and a button for the link that goes to the new one.

The answer is the same for every new address. Must not know: whose addresses are known here, what a change leads to.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from leadmagnet import store
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.feedback.address import Answer, NewAddress, Origin, change, propose
from leadmagnet.feedback.fresh_links import Found, State
from leadmagnet.signup.addresses import BadAddress, parse_address
from leadmagnet.web.context import here, now, remote_ip, services, user_agent
from leadmagnet.web.security import keep_private
from leadmagnet.web.subscriber.fresh import closed, see, take

blueprint = Blueprint("address", __name__)
blueprint.after_request(keep_private)

_ASKED = {
    "heading": "Look in the new inbox",
    "words": "We send one email to the address you wrote. Once it’s confirmed there, everything goes on there.",
    "hint": "Nothing there after a few minutes? Then we can’t write to it. Until it’s confirmed, all stays as it is.",
}
_TAKEN = {
    "heading": "We can’t use this address",
    "words": "Emails to it were stopped, or it’s in use here already. Yours go on to the address you have.",
    "show_phone": True,
}


@blueprint.get("/address/<token>")
def show(token: str) -> str:
    """Show the form. Changes nothing."""
    with store.reading(services().engine) as session:
        found = see(session, Opens.ADDRESS, token)
    return _form(found)


@blueprint.post("/address/<token>")
def ask(token: str) -> str | tuple[str, int] | AnyResponse:
    """Send the new address an email, or say how to mend what was written."""
    typed = request.form.get("email", "")
    with store.writing(services().engine) as session:
        found = take(session, Opens.ADDRESS, token)
        if found.state is not State.OPEN:
            return closed(found)
        try:
            parsed = parse_address(typed)
        except BadAddress as error:
            return _form(found, typed, str(error)), 422
        new = NewAddress(parsed.email, parsed.canonical)
        propose(session, found, new, now(), services().config.suppression_key)
    return redirect("/address/asked", 303)


@blueprint.get("/address/asked")
def asked() -> str:
    """Say that an email is on its way: the same for every address."""
    return render_template("message.html", **_ASKED)


@blueprint.get("/new-address/<token>")
def confirm(token: str) -> str:
    """Show the button. Changes nothing."""
    with store.reading(services().engine) as session:
        found = see(session, Opens.NEW_ADDRESS, token)
    if found.state is not State.OPEN or found.link is None:
        return _settled(found)
    return render_template("new-address.html", email=found.link.new_email)


@blueprint.post("/new-address/<token>")
def press(token: str) -> str:
    """Take up the new address."""
    moment = now()
    with store.writing(services().engine) as session:
        found = take(session, Opens.NEW_ADDRESS, token)
        if found.state is not State.OPEN:
            return _settled(found)
        origin = Origin(remote_ip(), user_agent())
        answer = change(session, found, moment, origin, services().config.suppression_key)
    return _done(found) if answer is Answer.CHANGED else render_template("message.html", **_TAKEN)


def _settled(found: Found) -> str:
    """Return the page of a link that gives no more; who presses twice reads that it's done."""
    link, person = found.link, found.person
    done = link is not None and person is not None and link.taken and link.new_canonical == person.email_canonical
    return _done(found) if done else closed(found)


def _done(found: Found) -> str:
    href = here(services().links.page(found.person.id)) if found.person else "/"
    email = found.person.email if found.person else ""
    return render_template("address-changed.html", email=email, page_href=href)


def _form(found: Found, typed: str = "", error: str = "") -> str:
    if found.state is not State.OPEN:
        return closed(found)
    return render_template("address.html", typed=typed[:320], error=error)
