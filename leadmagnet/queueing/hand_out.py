"""The leader's part: claim what is due and put the claims' ids into the queue, never more than the workers can take.

How much is on its way is counted in the database, so that a new leader, or one whose broker has lost everything, knows
it too. Must not know: how a message is carried.
"""

from __future__ import annotations

from collections.abc import Callable

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.send import Post, claim_due
from leadmagnet.from_config import post_of
from leadmagnet.leadership import ALIVE_SECONDS
from leadmagnet.looking import agenda
from leadmagnet.queueing.broker import BrokerAway, Queue
from leadmagnet.services import Services
from leadmagnet.store.base import random_id
from leadmagnet.store.workers import Force

#: Batches that wait for each thread, so that none stands idle between two.
AHEAD = 2
#: Planning tasks at the same time, at most: more would wait for one another in the database.
MOST_PLANS = 8
#: After this long without a word a planning task counts as lost (seconds).
PLAN_LEASE = 15.0


class HandOut:
    """What the leader does with a broker. Used by one thread at a time."""

    def __init__(self, services: Services, answers: Queue, letters: Queue) -> None:
        """Take the queues; the mailer of `services` says how large a batch is."""
        self._services, self._answers, self._letters = services, answers, letters
        self._post: Post = post_of(services)

    def __call__(self, clock: Callable[[], Now]) -> None:
        """Hand out what is due and has room. Raises BrokerAway; then nothing stays claimed that was not handed out."""
        now = clock()
        waits = agenda(self._services, now)
        with store.reading(self._services.engine) as session:
            force = store.workers.force(session, now.real, ALIVE_SECONDS)
        if waits.answers:
            self._lane(clock, 0, self._answers, force.workers * AHEAD)
        if waits.plans:
            self._plans(now, force)
        if waits.letters:
            self._lane(clock, 1, self._letters, force.threads * AHEAD)

    def _lane(self, clock: Callable[[], Now], lane: int, queue: Queue, most: int) -> None:
        """Hand out a lane's batches while there is room for them."""
        with store.reading(self._services.engine) as session:
            # While the provider refuses us, one email at a time tries whether it still does.
            careful = store.halts.current(session) is not None
            room = (1 if careful else most) - store.outstanding.batches(session, lane)
        for _ in range(room):
            claim = claim_due(self._post, clock, lane)
            if claim is None:
                return
            try:
                queue.put("send", claim.id)
            except BrokerAway:
                with store.writing(self._services.engine) as session:
                    store.outstanding.give_back(session, claim.id)
                raise

    def _plans(self, now: Now, force: Force) -> None:
        """Ask for planning tasks, as many as may run at the same time. Each holds a slot until it is done or lost."""
        for number in range(min(force.threads, MOST_PLANS)):
            slot, token = f"plan-{number}", random_id()
            with store.writing(self._services.engine) as session:
                free = store.leases.take(session, slot, token, now.real, PLAN_LEASE)
            if not free:
                continue
            try:
                self._letters.put("plan", slot, token)
            except BrokerAway:
                with store.writing(self._services.engine) as session:
                    store.leases.release(session, slot, token, now.real)
                raise
