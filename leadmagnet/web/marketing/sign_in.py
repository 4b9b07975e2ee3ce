"""The sign-in form and its brake: ten tries a minute for an address from one network, sixty for a network.

The counts are in memory, so they hold for one process; that is enough to make guessing pointless.
Must not know: how passwords are checked.
"""

from __future__ import annotations

import hashlib
from ipaddress import ip_address, ip_network
from typing import Any

from flask import Flask, Response, make_response, render_template, request
from flask_limiter import Limiter, RequestLimit
from flask_security.forms import LoginForm
from flask_security.utils import validate_redirect_url
from wtforms import EmailField, HiddenField, PasswordField, SubmitField
from wtforms.validators import DataRequired

from leadmagnet.web.context import remote_ip

TRIES, TRIES_OF_NETWORK = "10 per minute", "60 per minute"


class SignIn(LoginForm):
    """Address and password, nothing else. The library's checks stay as they are."""

    email = EmailField("Email", validators=[DataRequired("Write the address you sign in with.")])
    password = PasswordField("Password", validators=[DataRequired("Write your password.")])
    submit = SubmitField("Sign in")
    remember = None

    def validate_next(self, field: HiddenField) -> None:
        """Forget a way on that leads elsewhere, instead of refusing a right password for it."""
        if field.data and not validate_redirect_url(field.data):
            field.data = ""


def network() -> str:
    """Return the network a request came from: a /24, or a /64 where addresses are IPv6."""
    ip = remote_ip()
    if not ip:
        return ""
    bits = 24 if ip_address(ip).version == 4 else 64
    return str(ip_network(f"{ip}/{bits}", strict=False))


def _address_and_network() -> str:
    # As a hash: the limiter names its keys in the log.
    address = request.form.get("email", "").strip().lower()[:320].encode("utf-8", "replace")
    return f"{hashlib.sha256(address).hexdigest()[:32]} {network()}"


def _slow_down(_limit: RequestLimit) -> Response:
    response = make_response(render_template("marketing/wait.html"), 429)
    response.headers["Retry-After"] = "60"
    return response


def limit_tries(app: Flask) -> None:
    """Put the brake before the library's sign-in view. Looking at the form costs nothing."""
    limiter = Limiter(network, app=app, storage_uri="memory://")
    posts: dict[str, Any] = {"methods": ["POST"], "on_breach": _slow_down}
    view: Any = app.view_functions["security.login"]
    view = limiter.limit(TRIES_OF_NETWORK, key_func=network, **posts)(view)
    app.view_functions["security.login"] = limiter.limit(TRIES, key_func=_address_and_network, **posts)(view)
