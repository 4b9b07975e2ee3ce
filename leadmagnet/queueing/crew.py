"""A worker's part in the work through a broker: its threads, and the handing out while it leads."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from leadmagnet.clock import Now
from leadmagnet.queueing import quiet
from leadmagnet.queueing.broker import BrokerAway, Queue
from leadmagnet.queueing.hand_out import HandOut
from leadmagnet.queueing.hands import Hands
from leadmagnet.services import Services

log = structlog.get_logger(__name__)


class Crew:
    """What `worker.py` needs to know of all that."""

    def __init__(self, services: Services, threads: int) -> None:
        """Take the program's parts and the number of batches to send at the same time."""
        quiet.install()
        # Two queues with a worker each, so that a thread is always free for an answer. Each has a broker object of its
        # own, because Dramatiq wants one worker to one of them.
        self._queues = [Queue(services.config.broker_url, name) for name in ("answers", "letters")]
        self._hands = Hands(services, *self._queues, threads=threads)
        self._hand_out = HandOut(services, *self._queues)
        self._away = False

    def start(self) -> None:
        """Begin to take messages. A broker that is away is tried again and again."""
        self._hands.start()

    def look(self, clock: Callable[[], Now], *, leads: bool) -> None:
        """Look whether the broker is there, and say so when that changes; the leader hands out what is due."""
        try:
            for queue in self._queues:
                queue.reach()
            if self._away:
                log.info("broker reached again")
            self._away = False
            if leads:
                self._hand_out(clock)
        except BrokerAway as error:
            if not self._away:
                log.warning("broker not reached, trying again", error=str(error))
            self._away = True

    def stop(self) -> None:
        """Finish what is in hand; messages that are not begun go back."""
        self._hands.stop()

    def close(self) -> None:
        """Close the connections."""
        for queue in self._queues:
            queue.close()
