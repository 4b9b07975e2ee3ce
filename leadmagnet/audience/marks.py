"""Marks on addresses that deserve a second look: disposable ones, and those of a role instead of a person.

They are only shown. Refusing them would keep out people whose firm has nothing but info@, and who distrust us.
Must not know: how a mark is worded.
"""

from __future__ import annotations

from enum import StrEnum

from disposable_email_domains import blocklist

from leadmagnet.domain.roles import is_role


class Mark(StrEnum):
    """What is unusual about an address."""

    DISPOSABLE = "disposable"
    ROLE = "role"


def marks_of(email_canonical: str) -> list[Mark]:
    """Return the marks of an address in its canonical spelling."""
    marks = [Mark.DISPOSABLE] if _disposable(email_canonical.rpartition("@")[2]) else []
    return [*marks, Mark.ROLE] if is_role(email_canonical) else marks


def _disposable(domain: str) -> bool:
    """Say whether a domain, or one above it, belongs to a service for addresses that are thrown away."""
    labels = domain.split(".")
    return any(".".join(labels[at:]) in blocklist for at in range(len(labels) - 1))
