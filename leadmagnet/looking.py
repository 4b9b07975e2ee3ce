"""Looks at what there is to do. Must not know: who does it."""

from __future__ import annotations

import time
from collections.abc import Callable

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery import by_domain
from leadmagnet.from_config import limits_from
from leadmagnet.purge import PENDING_LIVES
from leadmagnet.services import Services
from leadmagnet.store.agenda import Agenda

#: While one full batch follows another: between two looks at what else waits.
LOOK_SECONDS = 0.25


def agenda(services: Services, now: Now, *, thorough: bool = True) -> Agenda:
    """Return what waits at this instant."""
    with store.reading(services.engine) as session:
        waits = store.agenda.agenda(session, now.course, now.real, now.course - PENDING_LIVES, thorough=thorough)
        if services.config.domain_rate:
            rates = limits_from(services.config).domains
            waits = by_domain.see(session, rates, now, waits, thorough=thorough)
    return waits


class Looks:
    """Looks at what waits. In a big hour one full batch follows another, and takes less time than such a look."""

    def __init__(self, services: Services, clock: Callable[[], Now], waits: Agenda) -> None:
        """Take what has just been seen."""
        self._services, self._clock, self._waits = services, clock, waits
        self._at = time.monotonic()

    def again(self, *, full: bool) -> Agenda:
        """Return what waits after a batch, which was `full` or not."""
        lately = time.monotonic() - self._at < LOOK_SECONDS
        if full and lately and not self._waits.besides_letters:
            return self._waits
        self._at = time.monotonic()
        # What closes while we send is looked at once nothing else is left, and at the next tick.
        self._waits = agenda(self._services, self._clock(), thorough=False)
        if not self._waits.anything:
            self._waits = agenda(self._services, self._clock())
        return self._waits
