"""Proofs of work by ALTCHA's protocol (version 2, PBKDF2/SHA-256): asked for under load, solved by the browser alone.

A challenge names a key of which the browser has to find the number that it was made from. It is signed, so that
nothing is kept about it here; it lives an hour, and counts once (store/proofs.py). The number is drawn from a range, so
that the work has an upper end, and the key is signed as well, so that looking at an answer costs next to nothing.
Must not know: when a proof is asked for.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from altcha import Challenge, Payload, create_challenge, verify_solution

#: How long a challenge is good for: a form may lie open while somebody makes tea. Real time.
LIVES = timedelta(hours=1)
#: Rounds of PBKDF2 for each number that is tried, and the numbers to draw from: 200 tries on average, about a second
#: of a small processor. Nobody notices one; a flood of 10,000 costs some hours.
COST, LEAST, MOST = 5_000, 100, 300
#: The longest answer that is looked at, in letters: ours have about 800.
LONGEST = 2_000
_ALGORITHM, _UNTIL = "PBKDF2/SHA-256", "until"


def challenge(keys: Sequence[bytes], real_now: datetime, cost: int = COST) -> dict[str, Any]:
    """Return a new challenge as the browser gets it, signed with the first key; `cost`: rounds for each try."""
    signs, signs_key = _secrets(keys[0])
    made: Challenge = create_challenge(
        _ALGORITHM,
        cost,
        counter=LEAST + secrets.randbelow(MOST - LEAST),
        # Not the library's own expiry: that one asks the system's clock, at the moment of verifying.
        data={_UNTIL: round((real_now + LIVES).timestamp())},
        hmac_secret=signs,
        hmac_key_secret=signs_key,
    )
    return made.to_dict()


def proves(keys: Sequence[bytes], payload: str, sent_at: datetime) -> str | None:
    """Return the mark of a challenge that was solved by the time the form was sent; None for anything else."""
    if not payload or len(payload) > LONGEST:
        return None
    try:
        given = Payload.from_base64(payload)
        until = (given.challenge.parameters.data or {}).get(_UNTIL)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if type(until) is not int or sent_at.timestamp() > until:
        return None
    for key in keys:
        signs, signs_key = _secrets(key)
        # What we have not signed is refused before anything is computed for it.
        if verify_solution(given, signs, hmac_key_secret=signs_key).verified:
            return str(given.challenge.signature)
    return None


def _secrets(key: bytes) -> tuple[bytes, bytes]:
    """Return the keys for challenges and for what solves them, each good for nothing else."""
    made = [hmac.digest(key, b"proof of work: " + use, "sha256") for use in (b"challenge", b"answer")]
    return made[0], made[1]
