"""A worker that kills itself with SIGKILL at one boundary of the send path, after passing it some times.

    python -m tests.crash.doomed_worker BOUNDARY TIMES

The boundaries: before_claim, looked_at (letters written, nothing claimed), after_claim (by a worker that claims before
it writes, as all do where a limit holds), call_begun (marked, not called), answered (called, not written down),
half_settled (some of the answer written, not committed), planned (the next email half planned), never.
Settings come from the environment, as for any worker. What it runs is the real tick, over and over.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from config import Config
from leadmagnet import services as parts
from leadmagnet.delivery import direct, settle
from leadmagnet.enrollment import plan
from leadmagnet.store import claims, in_hand
from leadmagnet.tick import tick


def deadly(deed: Callable[..., Any], times: int, *, after: bool) -> Callable[..., Any]:
    """Return the deed with a death before or after its n-th time."""
    left = [times]

    def act(*args: Any, **more: Any) -> Any:
        left[0] -= 1
        if not after and left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        done = deed(*args, **more)
        if after and left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return act


def arm(boundary: str, times: int, services: parts.Services) -> None:
    """Lay the mine."""
    mines: dict[str, tuple[Any, str, bool]] = {
        "before_claim": (in_hand, "look", False),
        "looked_at": (claims, "begin_due", False),
        "after_claim": (direct, "claim_due", True),
        "call_begun": (services.mailer, "send", False),
        "answered": (services.mailer, "send", True),
        "half_settled": (settle, "_plan_on", False),
        "planned": (plan, "_write", True),
    }
    if boundary == "never":
        return
    if boundary not in mines:
        raise SystemExit(f"no such boundary: {boundary}")
    place, name, after = mines[boundary]
    setattr(place, name, deadly(getattr(place, name), times, after=after))


def main() -> None:
    boundary, times = sys.argv[1], int(sys.argv[2])
    # Which limit it is does not matter: with one, a claim is a transaction of its own.
    limits = {"DAILY_CAP": "1000000"} if boundary == "after_claim" else {}
    services = parts.build(Config.from_env(os.environ | limits))
    # Small batches, so that there are more boundaries than workers.
    services.mailer.batch_size = int(os.environ["BATCH"])
    arm(boundary, times, services)
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stop.append(number))
    while not stop:
        try:
            tick(services, services.clock.now)
        except (SQLAlchemyError, OSError) as error:
            print(type(error).__name__, str(error)[:300], flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
