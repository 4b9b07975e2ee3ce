"""Accounts of the workspace, kept by Flask-Security: sign-in, sign-out, roles, Argon2id.

Passwords, sessions and redirects are the library's work; here are its tables, its settings and the way to add somebody.
Must not know: any page behind the door.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from flask import Flask, Response, request
from flask_security import Security, SQLAlchemySessionUserDatastore, hash_password
from flask_security.core import RoleMixin, UserMixin
from sqlalchemy.orm import Mapped, relationship, scoped_session, sessionmaker

from leadmagnet.clock import real_now
from leadmagnet.services import Services
from leadmagnet.store import Base
from leadmagnet.store.marketers import MarketerColumns, MarketerRole, RoleColumns, membership
from leadmagnet.web.marketing import sessions
from leadmagnet.web.marketing.sign_in import SignIn, limit_tries
from leadmagnet.web.security import keep_private

PASSWORD_LENGTH = 12
#: OWASP's first choice for Argon2id: 19 MiB, two passes. Tests take cheaper figures, never another scheme.
ARGON2 = {"argon2__type": "ID", "argon2__memory_cost": 19456, "argon2__time_cost": 2, "argon2__parallelism": 1}


class Role(RoleColumns, Base, RoleMixin):
    """A role of the workspace."""

    __tablename__ = "role"


class Marketer(MarketerColumns, Base, UserMixin):  # type: ignore[misc]  # the library writes plain types for columns
    """Somebody who signs in to the workspace."""

    __tablename__ = "marketer"

    roles: Mapped[list[Role]] = relationship(secondary=membership)  # type: ignore[assignment]  # as the library asks

    def is_at_least(self, role: str) -> bool:
        """Say whether one of the person's roles is this one or above it."""
        order = list(MarketerRole)
        return any(order.index(MarketerRole(mine.name)) <= order.index(MarketerRole(role)) for mine in self.roles)


def register(app: Flask, services: Services) -> None:
    """Set up Flask-Security: one form at /admin/login, no registration, no recovery emails."""
    app.config.update(_settings(services.config.suppression_key))
    # Every request reads its account, so this session must not take SQLite's write lock; add_marketer does.
    accounts = scoped_session(sessionmaker(services.engine, expire_on_commit=False))
    datastore = SQLAlchemySessionUserDatastore(accounts, Marketer, Role)
    Security(app, datastore, login_form=SignIn)
    # Nobody signs in by a token. The library would look for one in the body of every request, before its own view has
    # said how much of it may come.
    app.login_manager.request_loader(_nobody)  # type: ignore[attr-defined]  # put there by the library
    limit_tries(app)
    sessions.register(app)
    app.after_request(_private)
    app.teardown_appcontext(lambda _error: accounts.remove())


def _nobody(_request: object) -> None:
    """Return no account."""


def _private(response: Response) -> Response:
    """Keep the library's own pages private as ours are."""
    return keep_private(response) if request.blueprint == "security" else response


def _settings(suppression_key: str) -> dict[str, object]:
    # The salt must outlive a rotation of SECRET_KEY, or nobody could sign in after one.
    salt = hmac.new(suppression_key.encode(), b"marketers' passwords", hashlib.sha256).hexdigest()
    return {
        "SECURITY_URL_PREFIX": "/admin",
        "SECURITY_LOGIN_USER_TEMPLATE": "marketing/login.html",
        "SECURITY_POST_LOGIN_VIEW": "/admin/",
        "SECURITY_POST_LOGOUT_VIEW": "/admin/login",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": dict(ARGON2),
        "SECURITY_PASSWORD_SALT": salt,
        "SECURITY_PASSWORD_LENGTH_MIN": PASSWORD_LENGTH,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("That address and password don’t match.", "error"),
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_STATIC_FOLDER": None,
        # Nothing here asks for a second proof, so there is no page for it.
        "SECURITY_FRESHNESS": timedelta(seconds=-1),
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
    }


def add_marketer(app: Flask, email: str, role: str, password: str) -> None:
    """Add an account. Raises ValueError with a sentence for the operator."""
    if role not in list(MarketerRole):
        raise ValueError(f"{role} is not a role. Choose owner, editor or viewer.")
    services: Services = app.extensions["leadmagnet"]
    with app.app_context():
        security = app.extensions["security"]
        problems, tidy = security.password_util.validate(password, True)
        if problems:
            raise ValueError(f"The password needs {PASSWORD_LENGTH} characters or more.")
        try:
            address = str(security.mail_util.normalize(email)).lower()
        except ValueError as error:
            raise ValueError(f"{email[:80]} is not an address. One looks like priya@example.org.") from error
        store = security.datastore
        store.db.session.remove()
        store.db.session(bind=services.engine.execution_options(lm_begin="IMMEDIATE"))
        if store.find_user(case_insensitive=True, email=address):
            raise ValueError(f"{address} has an account already.")
        roles = [store.find_role(role) or store.create_role(name=role)]
        store.create_user(email=address, password=hash_password(tidy), roles=roles, created_at=real_now())
        store.commit()
