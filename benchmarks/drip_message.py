"""The message of django-drip-campaigns with the values and headers of a letter, by its own setting for such a class.

It has no other place for either. The values come out of memory, which costs it less than a row of its own would. The
plain text it makes from the HTML itself.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from drip.drips import DripMessage

#: User's id -> {"values": …, "headers": …}
LETTERS: dict[int, dict[str, Any]] = {}


class Message(DripMessage):
    """As it comes: a connection for each email."""

    def build_context(self) -> dict[str, Any]:
        return super().build_context() | LETTERS[self.user.id]["values"]

    @property
    def message(self) -> EmailMessage:
        made = super().message
        made.extra_headers = LETTERS[self.user.id]["headers"]
        return made


class Kept(Message):
    """With one connection for all, which the program itself does not offer."""

    @staticmethod
    @cache
    def connection() -> BaseEmailBackend:
        return get_connection()

    @property
    def message(self) -> EmailMessage:
        made = super().message
        made.connection = self.connection()
        self.connection().open()
        return made
