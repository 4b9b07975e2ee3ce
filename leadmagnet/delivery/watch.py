"""A look at the stop switch while a batch is on its way: letters of a slow one go out for a minute.

Must not know: letters, providers.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from leadmagnet import store

log = structlog.get_logger(__name__)

#: Seconds between two looks: a stop holds within one.
EVERY = 0.25


class Watch:
    """Says whether another letter may be begun. Made at the moment of a look: the first one comes a little later."""

    def __init__(self, engine: Engine, elapsed: Callable[[], float] = time.monotonic) -> None:
        """Take the database; `elapsed` counts seconds and is never set back."""
        self._engine, self._elapsed = engine, elapsed
        self._looked, self._stopped = elapsed(), False

    def __call__(self) -> bool:
        """Look, unless that was a moment ago. Once stopped, it stays so for this batch."""
        if not self._stopped and self._elapsed() - self._looked >= EVERY:
            try:
                with store.reading(self._engine) as session:
                    self._stopped = store.halts.by_hand(session)
            except OperationalError as error:
                # The batch is under way and its answers are worth more than a pause: they are written down later.
                log.warning("stop switch not reached", error=store.short(error))
            self._looked = self._elapsed()
        return not self._stopped
