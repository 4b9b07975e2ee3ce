"""The brake on floods of the form: so many requests a minute from one network; more are refused before any work.

What passes costs a row, and the caps (domain/admission.py) decide what comes of it; here only the row and the time are
spared. The counts are in memory, for each process, or in Redis where BROKER_URL names one.
Must not know: what a sign-up is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Flask, Response, make_response, request
from flask_limiter import Limiter

from config import Config
from leadmagnet.domain.networks import network_of
from leadmagnet.web import errors
from leadmagnet.web.context import remote_ip

#: Method and path of what is counted, each by itself: the form, and the question whether it needs a proof.
COUNTED = (("POST", "/signup"), ("GET", "/signup/challenge"))
SECONDS = 60
#: What a second may take of a minute's share: all at once would make visitors wait.
SHARE = 12


def register(app: Flask, config: Config) -> None:
    """Put the brake before everything else that a request costs. 0 a minute: no brake."""
    most = config.signup_requests_per_minute
    if not most:
        return
    # Drawn once: in a flood, drawing it would be most of the work.
    page = cache(errors.too_much)
    Limiter(
        _who,
        app=app,
        # In this order: who comes too fast has not used up the minute's share.
        application_limits=[f"{max(2, most // SHARE)} per second", f"{most} per {SECONDS} seconds"],
        application_limits_exempt_when=_free,
        storage_uri=_storage(config.broker_url),
        key_prefix="leadmagnet-forms",
        in_memory_fallback_enabled=True,
        on_breach=lambda _limit: _slow_down(page),
    )


def _free() -> bool:
    """Say whether a request does not count. An address of this machine or its network names no visitor."""
    return (request.method, request.path) not in COUNTED or not _network()


def _who() -> str:
    return f"{_network()} {request.path}"


def _network() -> str:
    return network_of(remote_ip())


def _slow_down(page: Callable[[], str]) -> Response:
    response = make_response(page(), 429)
    response.headers["Retry-After"] = str(SECONDS)
    return response


def _storage(broker_url: str) -> str:
    """Return where the counts are kept. Only Redis can; our own part of its address is nothing to it."""
    parts = urlsplit(broker_url)
    if not parts.scheme.startswith("redis"):
        return "memory://"
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "namespace"]
    return urlunsplit(parts._replace(query=urlencode(query)))
