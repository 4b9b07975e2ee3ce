"""Email addresses: checked by syntax, stored as typed and in one canonical spelling.

Local-part policy: case is folded; dots and +tags are kept, because folding them is right for some providers only.
DNS is not asked: a slow or dead name server must not stop a visitor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

#: RFC 5321 4.5.3.1.1. The validator lets more pass. What it takes is ASCII, so a letter is an octet.
LOCAL_OCTETS = 64


_LONG = f"The part before the @ is longer than {LOCAL_OCTETS} letters, so it can’t be right."
_NO_DOMAIN = "After the @ comes a name with a dot in it, as in anna@example.org."
_SIGN = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~@-]")


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
        raise BadAddress(_what_to_mend(text.strip())) from error
    if len(found.local_part) > LOCAL_OCTETS:
        raise BadAddress(_LONG)
    ascii_domain = found.ascii_domain or found.domain
    return Address(found.normalized, f"{found.local_part}@{ascii_domain}".lower())


def _what_to_mend(text: str) -> str:
    """Return the sentence for an address that cannot be one: what a person sees first comes first."""
    local, _, domain = text.rpartition("@")
    if not text:
        return "Please write your address, as in anna@example.org."
    if text.startswith('"') or '"@' in text:
        return "We can’t write to an address in quotation marks. Do you have another one?"
    if "<" in text:
        return "Please write the address alone, without a name and brackets."
    if text.count("@") != 1:
        many = text.count("@") > 1
        return f"{'There is more than one @ here. ' if many else ''}An address has one @, as in anna@example.org."
    if any(sign.isspace() for sign in text):
        return "An address has no spaces, as in anna@example.org."
    if not local:
        return "Something comes before the @, as in anna@example.org."
    return _wrong_before(local) or _wrong_after(domain)


def _wrong_before(local: str) -> str:
    if not local.isascii():
        return "We can’t write to an address with such letters before the @. Do you have one with plain letters?"
    if sign := _SIGN.search(local):
        return f"An address can’t have {sign[0]} before the @. Please look it over."
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "Before the @ there is a dot too many. Please look it over."
    return _LONG if len(local) > LOCAL_OCTETS else ""


def _wrong_after(domain: str) -> str:
    if "." not in domain.strip(".") or domain.startswith("["):
        return _NO_DOMAIN
    if domain.startswith(".") or domain.endswith(".") or ".." in domain:
        return "After the @ there is a dot too many. Please look it over."
    return "No mail can reach what stands after the @. Please look it over."
