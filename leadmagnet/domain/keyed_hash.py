"""HMAC-SHA256 (RFC 2104) over many short texts with one key: what the key alone decides is worked out once.

`hmac` takes three times as long for each text: an email has several tokens and one look at the list of stopped
addresses, and a big hour has a hundred thousand emails. Must not know: what is signed or hidden.
"""

from __future__ import annotations

import hashlib
from typing import Any

#: Bytes of a block of SHA-256, and what HMAC mixes a key with (RFC 2104, 2).
_BLOCK, _INNER, _OUTER = 64, bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))


class KeyedHash:
    """Makes MACs with one key, of texts that all begin with `prefix`."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, prefix: bytes = b"") -> None:
        """Read the key, of any length, and the prefix."""
        short = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
        padded = short.ljust(_BLOCK, b"\0")
        self._inner: Any = hashlib.sha256(padded.translate(_INNER) + prefix)
        self._outer: Any = hashlib.sha256(padded.translate(_OUTER))

    def of(self, body: bytes) -> bytes:
        """Return the 32 bytes of the MAC of prefix and body."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(body)
        outer.update(inner.digest())
        mac: bytes = outer.digest()
        return mac
