"""Chance that depends on a seed and on names, never on the order in which somebody asks.

So the ids that the engine draws at random, and the order of rows that are due together, change nothing in a run.
"""

from __future__ import annotations

import struct
from hashlib import blake2b

_FLOATS = struct.Struct("<16I")
_RANGE = 2.0**32


def roll(seed: int, *names: object) -> tuple[float, ...]:
    """Return 16 numbers from 0 up to 1, always the same for the same seed and names."""
    words = "\0".join(map(str, (seed, *names)))
    return tuple([number / _RANGE for number in _FLOATS.unpack(blake2b(words.encode()).digest())])
