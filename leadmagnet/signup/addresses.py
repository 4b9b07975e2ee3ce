"""Email addresses: checked by syntax, stored as typed and in one canonical spelling.

Local-part policy: case is folded; dots and +tags are kept, because folding them is right for some providers only.
DNS is not asked: a slow or dead name server must not stop a visitor.
"""

from __future__ import annotations

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

#: RFC 5321 4.5.3.1.1. The validator lets more pass. What it takes is ASCII, so a letter is an octet.
LOCAL_OCTETS = 64


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
    if len(found.local_part) > LOCAL_OCTETS:
        raise BadAddress(f"The part before the @ is longer than {LOCAL_OCTETS} letters, so it can’t be right.")
    ascii_domain = found.ascii_domain or found.domain
    return Address(found.normalized, f"{found.local_part}@{ascii_domain}".lower())
