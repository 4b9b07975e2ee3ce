"""A worker's part in the work through a broker: its threads, and the handing out while it leads."""

from __future__ import annotations

from collections.abc import Callable

from leadmagnet.clock import Now
from leadmagnet.queueing import quiet
from leadmagnet.queueing.broker import Queue
from leadmagnet.queueing.hand_out import HandOut
from leadmagnet.queueing.hands import Hands
from leadmagnet.services import Services


class Crew:
    """What `worker.py` needs to know of all that."""

    def __init__(self, services: Services, threads: int) -> None:
        """Take the program's parts and the number of batches to send at the same time."""
        quiet.install()
        self._queue = Queue(services.config.broker_url)
        self._hands = Hands(services, self._queue, threads)
        self._hand_out = HandOut(services, self._queue)

    def start(self) -> None:
        """Begin to take messages. A broker that is away is tried again and again."""
        self._hands.start()

    def hand_out(self, clock: Callable[[], Now]) -> bool:
        """Put what is due into the queue, as far as there is room; return whether more waits. For the leader."""
        return self._hand_out(clock)

    def stop(self) -> None:
        """Finish what is in hand; messages that are not begun go back."""
        self._hands.stop()

    def close(self) -> None:
        """Close the connections."""
        self._queue.close()
