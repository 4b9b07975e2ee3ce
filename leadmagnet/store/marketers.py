"""Marketers and their roles: the columns, as plain mixins. The classes are made in web/marketing/accounts.py.

Must not know: Flask, passwords in the clear, what a role may do on which page.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.orm import Mapped, mapped_column

from leadmagnet.store.base import Base, BigId, Name


class MarketerRole(StrEnum):
    """What somebody may do in the workspace. Each includes what the ones below it may."""

    OWNER = "owner"  #: everything, erasing people among it
    EDITOR = "editor"  #: acts on subscribers, takes lists out
    VIEWER = "viewer"  #: looks


#: Who holds which role.
membership = Table(
    "marketer_role",
    Base.metadata,
    Column("marketer_id", BigId, ForeignKey("marketer.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", BigId, ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class MarketerColumns:
    """An account of the workspace. Column names are the ones that Flask-Security asks for."""

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Name(320), unique=True)
    """In lower case: two spellings of one address are one account."""
    password: Mapped[str] = mapped_column(Name(255))
    """An Argon2id hash."""
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(Name(64), unique=True)
    """What the session cookie names. A new one signs the account out everywhere."""
    created_at: Mapped[datetime]


class RoleColumns:
    """A role by its name."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Name(16), unique=True)
