"""Old rows of the ledger move out in short transactions: some in each pass of the tick, or all at once.

Must not know: which rows may go (store/roll_up.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.zones import zone
from leadmagnet.services import Services
from leadmagnet.store.roll_up import Age, Moved

#: Once everything was looked at, the next look is worth it after this long (real clock).
NEXT_LOOK = timedelta(days=1)


class Steps(NamedTuple):
    """Rows that a transaction looks at, transactions in one pass of the tick, and the pause after each (seconds)."""

    rows: int
    batches: int
    pause: float


ALONE = Steps(2000, 5, 0.0)
#: With one SQLite file for visitors and worker.
SHARED = Steps(500, 5, 0.05)


def move_some(services: Services, clock: Callable[[], Now], going: Callable[[], bool], steps: Steps) -> Moved:
    """Move what a pass of the tick may move, if it is time; return what became of it.

    `going` is asked between batches.
    """
    moved = Moved()
    if not services.config.ledger_retention_days:
        return moved
    with store.reading(services.engine) as session:
        if not store.roll_up.waits(session, clock().real):
            return moved
    for _ in range(steps.batches):
        if moved.over or not going():
            break
        _step(services, clock(), steps, moved)
    return moved


def move_all(services: Services, clock: Callable[[], Now], steps: Steps | None = None) -> Moved:
    """Move everything that is old enough, from the oldest row on; return what became of it.

    With SQLite others may well write to the same file: unless told otherwise, batches are small then, with pauses.
    """
    moved = Moved()
    with store.writing(services.engine) as session:
        store.roll_up.begin(session, clock().real)
    steps = steps or (SHARED if services.engine.dialect.name == "sqlite" else ALONE)
    while not moved.over:
        _step(services, clock(), steps, moved)
    return moved


def _step(services: Services, now: Now, steps: Steps, moved: Moved) -> None:
    moved.add(_batch(services, now, steps.rows))
    if steps.pause:
        time.sleep(steps.pause)


def _batch(services: Services, now: Now, limit: int) -> Moved:
    stay = timedelta(days=services.config.ledger_retention_days)
    age, clinic_zone = Age(now.course - stay, now.real - stay), zone(services.clinic.timezone)
    with store.writing(services.engine) as session:
        return store.roll_up.batch(session, age, clinic_zone, limit, now.real, now.real + NEXT_LOOK)
