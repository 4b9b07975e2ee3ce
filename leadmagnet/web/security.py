"""What every response carries and every request must meet: security headers, cookies, the host name, CSRF.

Must not know: what a page shows.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import orjson
from flask import Flask, Response, abort, g, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import ClientDisconnected

from config import Config
from leadmagnet.web.context import is_loopback, services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

#: Forms are short. A view that takes more raises this for its own request (`request.max_content_length`).
FORM_BYTES = 64 * 1024
#: What anybody may send without a key is shorter still. By the endpoint's name.
LESS = {"landing.signup": 16 * 1024, "leave.press": 8 * 1024, "confirm.press": 8 * 1024, "security.login": 8 * 1024}
#: Asked by machines that know us by an address of their own; what they say does not depend on the host name.
ANY_HOST = ("/healthz", "/readyz")

csrf = CSRFProtect()
#: A name or an IPv6 address, and a port.
_HOST = re.compile(
    r"(?:(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?|\[[0-9a-f:.]+\])(?::\d{0,5})?", re.IGNORECASE | re.ASCII
)
_HOST_LENGTH = 260
_ASCII = "".join(map(chr, range(33, 127)))

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "frame-src": "'self'",
}
_PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer"),
        *("microphone", "midi", "payment", "serial", "usb"),
    )
)


def register(app: Flask, config: Config) -> None:
    """Settle cookies, limits, CSRF, the host check and the headers."""
    https = config.public_url.startswith("https:")
    app.config.update(
        SECRET_KEY=config.secret_key[0],
        SECRET_KEY_FALLBACKS=list(config.secret_key[1:]),
        SESSION_COOKIE_NAME="__Host-leadmagnet" if https else "leadmagnet",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A cookie that is older than a form may lie open counts for nothing.
        PERMANENT_SESSION_LIFETIME=timedelta(days=2),
        MAX_CONTENT_LENGTH=FORM_BYTES,
        # A form may lie open for a day. The token dies with the session cookie.
        WTF_CSRF_TIME_LIMIT=None,
        # Token pages send no Referer on purpose.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.wsgi_app = _sound(app.wsgi_app)  # type: ignore[method-assign, assignment]  # Flask's own place for this
    app.before_request(_check_host)
    app.before_request(_limit_body)
    csrf.init_app(app)
    app.after_request(_add_headers)


def limit_json(app: Flask) -> None:
    """Read JSON with a limit to how deep it goes: Python's own reader overflows its stack, which is no ValueError.

    To be called when all libraries have set their own ways of writing it.
    """

    def loads(text: str | bytes, **_options: Any) -> Any:
        return orjson.loads(text)

    app.json.loads = loads  # type: ignore[method-assign, assignment]  # only reading changes


class _Input:
    """A body whose reading fails as a broken request, not as a fault of ours: a chunk without a size, say."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return _told(found) if name in ("read", "readline", "readlines", "readinto") else found

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line


def _told(read: Callable[..., Any]) -> Callable[..., Any]:
    def reading(*told: Any) -> Any:
        try:
            return read(*told)
        except Exception as error:  # each server has errors of its own for this
            raise ClientDisconnected from error

    return reading


def _sound(inner: WSGIApplication) -> WSGIApplication:
    """Mend what a request may bring that the libraries below us stumble over before any of our code is asked.

    Bytes of a query that are no ASCII are spelled as browsers do, a Host that is no name of a host becomes one that
    nobody has, and a body that cannot be read to its end is a bad request.
    """

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Input(environ["wsgi.input"])
        query, host = environ.get("QUERY_STRING", ""), environ.get("HTTP_HOST", "")
        if not query.isascii():
            environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe=_ASCII)
        if host and (len(host) > _HOST_LENGTH or not _HOST.fullmatch(host)):
            environ["HTTP_HOST"] = "refused.invalid"
        return inner(environ, start_response)

    return call


def _check_host() -> None:
    """Refuse a request for a host that is not ours: links and redirects must not be made for strangers."""
    if request.path in ANY_HOST:
        return
    config = services().config
    wanted, asked = urlsplit(config.public_url), urlsplit(f"//{request.host}")
    try:
        port = asked.port
    except ValueError:
        abort(400)
    if config.is_loopback and is_loopback(asked.hostname or ""):
        return
    standard = 443 if wanted.scheme == "https" else 80
    if (asked.hostname, port or standard) != (wanted.hostname, wanted.port or standard):
        abort(400)


def _limit_body() -> None:
    """Set how much this request may bring, before anything looks into it."""
    request.max_content_length = LESS.get(request.endpoint or "", FORM_BYTES)


def allow_media_from(url: str) -> None:
    """Let this response play a film from the https host of `url`: a clinic may keep its own films elsewhere."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        g.media_from = f"https://{parts.hostname}{port}"


def policy(**changes: str) -> str:
    """Return the content security policy, with some directives changed (`img_src="…"`)."""
    directives = _POLICY | {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _add_headers(response: Response) -> Response:
    films = g.pop("media_from", None)
    csp = policy(media_src=f"'self' {films}") if films else policy()
    if response.status_code >= 400:
        # The address may be a key with a slip in it.
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Content-Security-Policy", csp)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if services().config.public_url.startswith("https:"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def keep_private(response: Response) -> Response:
    """Mark a page whose address is a key: not stored, not found by search engines, not told to other sites."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
