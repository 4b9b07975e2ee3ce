"""What search engines may read: everything but the addresses that are keys."""

from __future__ import annotations

from flask import Blueprint, Response

blueprint = Blueprint("robots", __name__)
_KEYS = (
    *("/confirm/", "/u/", "/p/", "/v/", "/done/", "/c/", "/calendar/"),
    *("/data/", "/address/", "/new-address/", "/erase/", "/signup", "/outbox/", "/admin/", "/api/"),
)


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Send the rules."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _KEYS)]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")
