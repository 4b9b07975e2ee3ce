"""Signed tokens for links in emails: bound to one purpose, short, with no personal data inside.

A token is base64url(numbers + MAC). The MAC covers the purpose, so that a token for one page opens no other (OWASP ASVS
5.0, 9.2.2). Several keys may verify, the first signs: that is how SECRET_KEY rotates. Must not know: what it opens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

#: 16 bytes = 128 bits of MAC, above the 112 bits that ASVS asks of a token.
MAC_BYTES = 16


class Purpose(StrEnum):
    """What a token opens."""

    CONFIRM = "confirm"
    PAGE = "page"
    VIDEO = "video"
    DONE = "done"
    CALENDAR = "calendar"
    DATA = "data"
    ERASE = "erase"
    ADDRESS = "address"
    NEW_ADDRESS = "new_address"


class BadToken(ValueError):
    """The token was cut, changed, or made for another purpose or with a key that is gone."""


@lru_cache(maxsize=64)
def _begun(key: bytes, purpose: Purpose) -> hmac.HMAC:
    """Return HMAC-SHA256 (RFC 2104) that has read the key and the purpose: two of three blocks are always the same."""
    return hmac.new(key, purpose.value.encode() + b"\0", hashlib.sha256)


def _mac(key: bytes, purpose: Purpose, body: bytes) -> bytes:
    mac = _begun(key, purpose).copy()
    mac.update(body)
    return mac.digest()[:MAC_BYTES]


def sign(keys: Sequence[bytes], purpose: Purpose, *numbers: int) -> str:
    """Return a URL-safe token that carries `numbers` (each 0 to 2**63-1), signed with the first key."""
    body = struct.pack(f">{len(numbers)}Q", *numbers)
    return base64.urlsafe_b64encode(body + _mac(keys[0], purpose, body)).rstrip(b"=").decode()


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
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise BadToken("not canonical")
    return struct.unpack(f">{count}Q", body)
