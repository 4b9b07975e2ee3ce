"""When to try again after a provider did not take an email, and how long a claim lasts.

The first retry comes within five seconds, because most failures are a hiccup; then each wait doubles up to half an
hour, so that a provider that is down for a day is not hammered. Runs on the real clock: providers know no course time.
Must not know: what failed, and which provider it was.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

#: Seconds before the first retry and the most between two; jitter moves each by a fifth either way.
FIRST_WAIT = 3.0
LONGEST_WAIT = 30 * 60.0
JITTER = 0.2
#: After so many attempts, about 24 hours, the email has failed.
MOST_ATTEMPTS = 57
#: A provider that asks for more than this is not believed.
LONGEST_RETRY_AFTER = 24 * 3600.0


def retry_at(
    attempts: int, real_now: datetime, *, jitter: float = 0.5, retry_after: float | None = None
) -> datetime | None:
    """Return when to try again after `attempts` failed ones, or None when it is time to give up.

    `jitter`: a random number from 0 up to 1, so that many failures do not come back as one wave. `retry_after`: seconds
    that the provider asked for; honoured where it is the longer wait.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    # The exponent is capped: 2.0 ** attempts must not overflow, and the wait stops growing long before.
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(max(attempts, 1) - 1, 16))
    wait *= 1 - JITTER + 2 * JITTER * jitter
    if retry_after is not None and math.isfinite(retry_after):
        wait = max(wait, min(retry_after, LONGEST_RETRY_AFTER))
    return real_now + timedelta(seconds=wait)


def lease_end(real_now: datetime, seconds: float) -> datetime:
    """Return when a claim made now is over, and others may take the delivery."""
    return real_now + timedelta(seconds=seconds)
