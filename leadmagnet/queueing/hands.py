"""The threads of a worker that take messages from the broker and do what they stand for.

Each thread has a mailer of its own. A claim is taken up with a fresh lease; one that has run out, was swept or is done
finds no row and nothing happens. Must not know: who handed the work out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from leadmagnet import store
from leadmagnet.delivery.send import Claim, Post, send_claim
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.retry import lease_end
from leadmagnet.from_config import post_of
from leadmagnet.queueing.broker import Queue
from leadmagnet.services import Services, new_mailer
from leadmagnet.tick import plan

log = structlog.get_logger(__name__)

#: How long one message plans (seconds); what is left then is for the next.
PLAN_SECONDS = 5.0
#: How long a drained worker waits for a broker that does not take its acknowledgements (seconds).
LAST_WORDS = 8.0


class Hands:
    """The threads: one for answers to people, which wait behind nothing, and `threads` for everything else."""

    def __init__(self, services: Services, answers: Queue, letters: Queue, *, threads: int) -> None:
        """Declare what is done with each kind of message."""
        self._services = services
        self._own = threading.local()
        self._posts: list[Post] = []
        self._busy = 0
        self._lock = threading.Lock()
        answers.serve("send", self._working(self.send))
        letters.serve("send", self._working(self.send), priority=10)
        # Plans are short and make the next letters, so they go first.
        letters.serve("plan", self._working(self.plan), priority=5)
        self._workers = [answers.worker(1), letters.worker(threads)]

    def start(self) -> None:
        """Begin to take messages."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Finish what is in hand, give back what is not begun, and stop."""
        stopping = [threading.Thread(target=worker.stop, daemon=True) for worker in self._workers]
        for thread in stopping:
            thread.start()
        idle_since = None
        while any(thread.is_alive() for thread in stopping):
            time.sleep(0.05)
            if self._busy:
                idle_since = None
                continue
            idle_since = idle_since or time.monotonic()
            if time.monotonic() - idle_since > LAST_WORDS:
                # The broker is away. The work is done and written down; a message that comes again finds nothing.
                log.warning("left without the broker's word")
                break
        for post in self._posts:
            post.mailer.close()

    def send(self, claim_id: str) -> None:
        """Send what stands claimed under an id and has not begun."""
        post, clock = self._post(), self._services.clock.now
        now, tally = clock().real, Tally()
        with store.writing(post.engine) as session:
            halt = store.halts.current(session)
            if halt is not None and halt.blocks(now):
                store.outstanding.give_back(session, claim_id)
                return
            if not store.outstanding.take_up(session, claim_id, now, lease_end(now, post.lease_seconds)):
                return
        claimed = send_claim(post, clock, Claim(claim_id), tally)
        log.info("batch", claimed=claimed, sent=tally.sent, failed=tally.failed, unknown=tally.unknown)

    def plan(self, slot: str, token: str) -> None:
        """Plan for a few seconds, then give the slot back."""
        end = time.monotonic() + PLAN_SECONDS
        while plan(self._services, self._services.clock.now()) and time.monotonic() < end:
            pass
        with store.writing(self._services.engine) as session:
            store.leases.release(session, slot, token, self._services.clock.now().real)

    def _post(self) -> Post:
        if not hasattr(self._own, "post"):
            self._own.post = post_of(replace(self._services, mailer=new_mailer(self._services.config)))
            with self._lock:
                self._posts.append(self._own.post)
        post: Post = self._own.post
        return post

    def _working(self, work: Callable[..., None]) -> Callable[..., None]:
        """Return the work with one line in the log where it fails: no row is lost, its lease runs out."""

        def do(*args: str) -> None:
            with self._counted():
                try:
                    work(*args)
                except (SQLAlchemyError, OSError) as error:
                    log.warning("message failed, its rows come again", error=store.short(error))

        return do

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1
