"""Email addresses: checked by syntax, stored as typed and in one canonical spelling.

Local-part policy: case is folded; dots and +tags are kept, because folding them is right for some providers only.
DNS is not asked: a slow or dead name server must not stop a visitor.
"""

from __future__ import annotations

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email


class BadAddress(ValueError):
    """The address cannot be one. The message says how to mend it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as typed (with the domain in its normal spelling), and its canonical spelling."""

    email: str
    canonical: str


def parse_address(text: str) -> Address:
    """Check an address by syntax. Raises BadAddress."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise BadAddress("An address has one @, as in anna@example.org.") from error
    ascii_domain = found.ascii_domain or found.domain
    return Address(found.normalized, f"{found.local_part}@{ascii_domain}".lower())
