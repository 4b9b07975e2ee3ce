"""A roll-up that kills itself with SIGKILL at one boundary of a batch, after passing it some times.

    python -m tests.crash.doomed_roll_up BOUNDARY TIMES

The boundaries: deleted (rows gone, not counted), counted (not committed), committed, never. Settings come from the
environment. Where it lives to its end it prints the emails that it moved.
"""

from __future__ import annotations

import os
import sys

from config import Config
from leadmagnet import old_rows
from leadmagnet import services as parts
from leadmagnet.store import counters
from tests.crash.doomed_worker import deadly


def main() -> None:
    boundary, times = sys.argv[1], int(sys.argv[2])
    services = parts.build(Config.from_env(os.environ))
    if boundary == "deleted":
        counters.add = deadly(counters.add, times, after=False)
    elif boundary == "counted":
        counters.add = deadly(counters.add, times, after=True)
    elif boundary == "committed":
        old_rows._batch = deadly(old_rows._batch, times, after=True)
    elif boundary != "never":
        raise SystemExit(f"no such boundary: {boundary}")
    moved = old_rows.move_all(services, services.clock.now, old_rows.Steps(int(os.environ["BATCH"]), 1, 0.0))
    print(sum(moved.emails.values()))


if __name__ == "__main__":
    main()
