"""Signed tokens for links in emails: bound to one purpose, short, with no personal data inside.

A token is base64url(numbers + MAC). The MAC covers the purpose, so that a token for one page opens no other (OWASP ASVS
5.0, 9.2.2). Several keys may verify, the first signs: that is how SECRET_KEY rotates. Must not know: what it opens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from leadmagnet.domain.keyed_hash import KeyedHash

#: 16 bytes = 128 bits of MAC, above the 112 bits that ASVS asks of a token.
MAC_BYTES = 16


class Purpose(StrEnum):
    """What a token opens."""

    CONFIRM = "confirm"
    PAGE = "page"
    VIDEO = "video"
    DONE = "done"
    CALENDAR = "calendar"
    LINK = "link"
    DATA = "data"
    ERASE = "erase"
    ADDRESS = "address"
    NEW_ADDRESS = "new_address"


class BadToken(ValueError):
    """The token was cut, changed, or made for another purpose or with a key that is gone."""


#: base64url of RFC 4648, 5, from plain base64.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


@lru_cache(maxsize=64)
def _begun(key: bytes, purpose: Purpose) -> KeyedHash:
    return KeyedHash(key, purpose.value.encode() + b"\0")


@lru_cache(maxsize=8)
def _packed(count: int) -> struct.Struct:
    return struct.Struct(f">{count}Q")


def _mac(key: bytes, purpose: Purpose, body: bytes) -> bytes:
    return _begun(key, purpose).of(body)[:MAC_BYTES]


def sign(keys: Sequence[bytes], purpose: Purpose, *numbers: int) -> str:
    """Return a URL-safe token that carries `numbers` (each 0 to 2**63-1), signed with the first key."""
    body = _packed(len(numbers)).pack(*numbers)
    return _written(body + _mac(keys[0], purpose, body))


def _written(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def read(keys: Sequence[bytes], purpose: Purpose, token: str, count: int) -> tuple[int, ...]:
    """Return the `count` numbers of a token made for `purpose` with any of `keys`. Raises BadToken."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise BadToken("not a token") from error
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if len(body) != 8 * count:
        raise BadToken("wrong length")
    if not any(hmac.compare_digest(mac, _mac(key, purpose, body)) for key in keys):
        raise BadToken("wrong signature")
    # The last base64 digit has spare bits: only the canonical spelling counts, so that a token has one form.
    if _written(raw) != token:
        raise BadToken("not canonical")
    return _packed(count).unpack(body)


def token_id(token: str) -> str:
    """Return a name for a token from which nobody gets the token: 128 bits of its SHA-256, in hex.

    A plain hash will do, because a token holds 128 bits nobody can guess (OWASP ASVS 5.0, 6.5.2).
    """
    return hashlib.sha256(token.encode()).hexdigest()[:32]
