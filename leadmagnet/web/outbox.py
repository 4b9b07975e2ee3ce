"""The emails of the outbox transport, in the browser: for trying the service out on one's own machine.

Shown only where emails are files, PUBLIC_URL is this machine, and the request comes from this machine by no detour:
the outbox holds everybody's links. Must not know: what an email is for.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from flask import Blueprint, Response, abort, make_response, render_template, request

from leadmagnet.mail.outbox import Outbox
from leadmagnet.mail.parsed import ParsedMail
from leadmagnet.web.context import is_loopback, remote_ip, services, shows_outbox
from leadmagnet.web.frames import frame_size
from leadmagnet.web.security import keep_private

blueprint = Blueprint("outbox", __name__, url_prefix="/outbox")
blueprint.after_request(keep_private)

PER_PAGE = 50
_TABS = ("html", "text", "headers", "source")
#: Headers that proxies, tunnels and delivery networks add. A browser on this machine sends none of them.
_DETOUR = re.compile(
    "forwarded|client-?ip|real-?ip|remote-?(ip|addr)|original-(host|url|for)|proxy|"
    "^(via|cdn-loop|x-host|x-cache|x-scheme|x-request-start)$|"
    "^(cf|fly|fastly|tailscale|ngrok|x-amz|x-amzn|x-arr|x-azure|x-appengine|x-envoy|x-cloud|x-vercel|x-nf|x-varnish)-",
    re.IGNORECASE,
)
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


@blueprint.before_request
def _only_here() -> None:
    forwarded = any(_DETOUR.search(name) for name, _ in request.headers)
    if not shows_outbox() or forwarded or not is_loopback(remote_ip()):
        abort(404)


def _outbox() -> Outbox:
    return Outbox(services().config.outbox_dir)


def _read(name: str) -> ParsedMail:
    try:
        return _outbox().read(name)
    except OSError:
        abort(404)


@blueprint.get("/")
def listing() -> str:
    """List the emails, newest first."""
    before = request.args.get("before")
    found = _outbox().messages(PER_PAGE + 1, before)
    older = found[PER_PAGE - 1].name if len(found) > PER_PAGE else ""
    return render_template("outbox/list.html", messages=found[:PER_PAGE], older=older, first=before is None)


@blueprint.get("/<name>")
def message(name: str) -> str:
    """Show one email, as HTML, text, headers or source."""
    mail = _read(name)
    tab = request.args.get("as", "html" if mail.html else "text")
    newer, older = _neighbours(name)
    return render_template(
        "outbox/message.html",
        name=name,
        mail=mail,
        tab=tab if tab in _TABS else "html",
        tabs=_TABS,
        source=mail.source.decode("utf-8", "replace"),
        newer=newer,
        older=older,
        size=frame_size(mail.text),
    )


def _neighbours(name: str) -> tuple[str, str]:
    """Return the names of the emails just before and after this one in the list."""
    names = [summary.name for summary in _outbox().messages(1000)]
    if name not in names:
        return "", ""
    at = names.index(name)
    return (names[at - 1] if at else "", names[at + 1] if at + 1 < len(names) else "")


@blueprint.get("/<name>/html")
def body(name: str) -> Response:
    """Send the HTML part for the frame: styles and our own pictures, nothing that runs. Links leave the frame."""
    html = _read(name).html
    based, times = _HEAD.subn(lambda found: f'{found[0]}<base target="_top">', html, count=1)
    response = make_response(based if times else f'<base target="_top">{html}')
    pictures = quote(services().config.public_url, safe=":/[]")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' {pictures}; "
        "base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return response
