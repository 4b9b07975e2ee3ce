"""Old rows of the ledger move out in short transactions: some in each pass of the tick, or all at once.

Must not know: which rows may go (store/roll_up.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.zones import zone
from leadmagnet.services import Services
from leadmagnet.store.roll_up import Age, Moved

#: Rows that a transaction looks at, and transactions in one pass of the tick.
BATCH, BATCHES = 2000, 5
#: The same with one SQLite file for visitors and worker, and the pause after each transaction (seconds).
SHARED_BATCH, SHARED_PAUSE = 500, 0.05
#: Once everything was looked at, the next look is worth it after this long (real clock).
NEXT_LOOK = timedelta(days=1)


def move_some(services: Services, clock: Callable[[], Now], going: Callable[[], bool], *, shares: bool) -> Moved:
    """Move what a pass of the tick may move, if it is time; return what became of it.

    `going` is asked between batches. `shares`: visitors write to the same SQLite file.
    """
    moved = Moved()
    if not services.config.ledger_retention_days:
        return moved
    with store.reading(services.engine) as session:
        if not store.roll_up.waits(session, clock().real):
            return moved
    for _ in range(BATCHES):
        if moved.over or not going():
            break
        moved.add(_batch(services, clock(), SHARED_BATCH if shares else BATCH))
        if shares:
            time.sleep(SHARED_PAUSE)
    return moved


def move_all(services: Services, clock: Callable[[], Now]) -> Moved:
    """Move everything that is old enough, from the oldest row on; return what became of it.

    With SQLite others may well write to the same file, so batches are small, with a pause after each.
    """
    moved = Moved()
    with store.writing(services.engine) as session:
        store.roll_up.begin(session, clock().real)
    shared = services.engine.dialect.name == "sqlite"
    while not moved.over:
        moved.add(_batch(services, clock(), SHARED_BATCH if shared else BATCH))
        if shared:
            time.sleep(SHARED_PAUSE)
    return moved


def _batch(services: Services, now: Now, limit: int) -> Moved:
    stay = timedelta(days=services.config.ledger_retention_days)
    age, clinic_zone = Age(now.course - stay, now.real - stay), zone(services.clinic.timezone)
    with store.writing(services.engine) as session:
        return store.roll_up.batch(session, age, clinic_zone, limit, now.real, now.real + NEXT_LOOK)
