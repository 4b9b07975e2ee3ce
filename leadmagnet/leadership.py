"""Who leads: one lease row, renewed by a thread of its own, however long a pass takes.

With a broker the same thread says that this process is alive. Must not know: what the leader does.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from leadmagnet import store
from leadmagnet.clock import real_now

log = structlog.get_logger(__name__)

LEADER = "leader"
#: A leader that is silent for so long leads no more: the others take over within this and one renewal.
LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0
#: Processes that are silent for so long are not counted on, and forgotten after a while.
ALIVE_SECONDS = 10.0
FORGOTTEN = timedelta(hours=1)


class Leadership:
    """This process's part in the question who leads."""

    def __init__(self, engine: Engine, holder: str, threads: int | None = None) -> None:
        """Take the name of this process; `threads` it lends to the broker's work, None without a broker."""
        self._engine, self._holder, self._threads = engine, holder, threads
        self._until = 0.0
        self._away = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leadership", daemon=True)

    @property
    def leads(self) -> bool:
        """Whether this process leads right now; False as soon as its lease may be over."""
        return time.monotonic() < self._until

    def start(self) -> None:
        """Ask once, then go on asking in the background."""
        self.renew()
        self._thread.start()

    def stop(self) -> None:
        """Give the lead back, so that another process need not wait for the lease's end."""
        self._stopped.set()
        self._thread.join()
        self._until = 0.0
        try:
            with store.writing(self._engine) as session:
                store.leases.release(session, LEADER, self._holder, real_now())
                if self._threads is not None:
                    store.workers.leave(session, self._holder)
        except SQLAlchemyError as error:
            log.warning("lead not given back, it runs out by itself", error=type(error).__name__)

    def renew(self) -> None:
        """Take or renew the lease; a database that is away lets it run out."""
        asked, led = time.monotonic(), self.leads
        try:
            mine = self._ask()
        except SQLAlchemyError as error:
            if not self._away:
                log.warning("lead not renewed, trying again", error=type(error).__name__)
            self._away = True
            return
        self._away = False
        self._until = asked + LEASE_SECONDS if mine else 0.0
        if self.leads != led:
            log.info("leads" if self.leads else "follows", holder=self._holder)

    def _ask(self) -> bool:
        now = real_now()
        with store.reading(self._engine) as session:
            holder = store.leases.holder(session, LEADER, now)
        free = holder in (None, self._holder)
        if not free and self._threads is None:
            return False  # a follower writes nothing
        with store.writing(self._engine) as session:
            if self._threads is not None:
                store.workers.beat(session, self._holder, self._threads, now)
            mine = free and store.leases.take(session, LEADER, self._holder, now, LEASE_SECONDS)
            if mine and not self.leads:
                store.workers.forget(session, now - FORGOTTEN)
            return mine

    def _run(self) -> None:
        while not self._stopped.wait(RENEW_SECONDS):
            self.renew()
