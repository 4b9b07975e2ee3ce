"""A keyed hash is HMAC-SHA256, whatever the key."""

from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.keyed_hash import KeyedHash


@given(key=st.binary(max_size=200), prefix=st.binary(max_size=80), bodies=st.lists(st.binary(max_size=200), max_size=3))
def test_it_is_hmac_sha256(key: bytes, prefix: bytes, bodies: list[bytes]) -> None:
    keyed = KeyedHash(key, prefix)
    assert [keyed.of(body) for body in bodies] == [hmac.digest(key, prefix + body, hashlib.sha256) for body in bodies]
