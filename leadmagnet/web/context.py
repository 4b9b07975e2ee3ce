"""What every view needs: the running program's parts, and the small things derived from a request.

Must not know: any one page.
"""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address
from typing import cast

from flask import current_app, request

from leadmagnet.clock import Now
from leadmagnet.domain.consent import Origin
from leadmagnet.domain.networks import client_of, trust
from leadmagnet.domain.tokens import token_id
from leadmagnet.services import Services


def services() -> Services:
    """Return the parts of the running program."""
    return cast(Services, current_app.extensions["leadmagnet"])


def now() -> Now:
    """Return this moment on both clocks."""
    return services().clock.now()


def here(url: str) -> str:
    """Return one of our own addresses without scheme and host, so that a visitor stays on the host they came by."""
    return url.removeprefix(services().config.public_url)


def remote_ip() -> str:
    """Return the visitor's address: of the other end of the connection, or what TRUSTED_PROXIES say of it.

    Scheme and host are never taken from forwarding headers; those are PUBLIC_URL's.
    """
    forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
    return client_of(request.remote_addr or "", forwarded, _trusted(services().config.trusted_proxies))


_trusted = cache(trust)


def user_agent() -> str:
    """Return the browser's description of itself."""
    return request.headers.get("User-Agent", "")


def objects_to_tracking() -> bool:
    """Say whether the browser asks, for its person, not to be tracked (Global Privacy Control)."""
    return request.headers.get("Sec-GPC", "").strip() == "1"


def origin(token: str = "") -> Origin:
    """Return from where this request came, for the consent record: no more of it than the settings let us keep."""
    config = services().config
    return Origin(
        ip="" if config.consent_ip_days == 0 else remote_ip(),
        user_agent="" if config.consent_agent_days == 0 else user_agent(),
        token_id=token_id(token) if token else "",
    )


def is_loopback(host: str) -> bool:
    """Say whether a bare host name or address means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def shows_outbox() -> bool:
    """Say whether emails are only files here and PUBLIC_URL is this machine: then the outbox has a page."""
    return services().config.is_trial
