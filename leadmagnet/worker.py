"""The long-running worker: APScheduler with in-memory ticks. All truth is in the tables.

Any number of workers may run; one of them leads. Without a broker two jobs do everything: answers to people
(confirmation, video 1) every second in a lane of their own, and the full tick, of which only the leader plans. With a
broker the leader hands out plans and batches, and threads of all workers take them. Must not know: Flask.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from config import BadSetting, Config
from leadmagnet import logs, mailbox, store
from leadmagnet.clock import real_now
from leadmagnet.delivery.settle import Tally
from leadmagnet.from_config import post_of
from leadmagnet.leadership import Leadership
from leadmagnet.queueing.crew import Crew
from leadmagnet.services import Services, build, mailers_beside, new_mailer
from leadmagnet.tick import ALL, FOLLOWER, LEADER_OF_MANY, Part, answers, tick

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
#: Between two looks of the leader whether there is something to hand out.
HAND_OUT_SECONDS = 0.2
#: The heartbeat's lease: another worker may call itself the worker after this long without a sign.
HEARTBEAT_SECONDS = 10.0
#: Batches that a worker sends at the same time: with a broker, or on PostgreSQL in a big hour. A SQLite file has one
#: writer at a time.
THREADS = 2


#: Jobs that say nothing of whether the worker is alive.
_BESIDE = ("hand_out", "mailbox")


class Worker:
    """The jobs of one process, from start to stop."""

    def __init__(self, services: Services, threads: int = THREADS) -> None:
        """Take the program's parts; `threads` is how many batches may be on their way at the same time."""
        self.services = services
        self._beside = partial(mailers_beside, services.config, services.engine, threads)
        self.holder = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"[:64]
        self.crew = Crew(self._with_own_mailer(), threads) if services.config.broker_url else None
        self.leadership = Leadership(services.engine, self.holder, threads if self.crew else None)
        self._stopping = threading.Event()
        # Grace without end: a tick that is late still runs, once.
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        # The hand-out keeps to one thread, because a connection to RabbitMQ does.
        executors = {"default": ThreadPoolExecutor(5), "hand_out": ThreadPoolExecutor(1)}
        # A pass that takes longer than its interval is no news.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        self.scheduler = BackgroundScheduler(job_defaults=defaults, executors=executors, timezone="UTC")

    def start(self) -> None:
        """Start everything in threads of this process."""
        config = self.services.config
        self.leadership.start()
        for name, work in (("answers", self._answer), ("tick", self._tick)):
            job = self._safely(name, self._with_own_mailer(), work)
            self.scheduler.add_job(job, "interval", seconds=TICK_SECONDS, id=name)
        if config.imap_url:
            job = self._safely("mailbox", self.services, lambda services: mailbox.look(services, self.holder))
            self.scheduler.add_job(job, "interval", seconds=mailbox.LOOK_SECONDS, id="mailbox")
        if self.crew:
            self.crew.start()
            job = self._safely("hand_out", self.services, partial(self._hand_out, self.crew))
            self.scheduler.add_job(job, "interval", seconds=HAND_OUT_SECONDS, id="hand_out", executor="hand_out")
        self.scheduler.start()
        if config.without_effect:
            log.warning("these settings have no effect in this version", settings=config.without_effect)
        log.info("worker started", holder=self.holder, leads=self.leadership.leads, broker=bool(self.crew))

    def stop(self) -> None:
        """Let another one lead at once, finish the batch in hand, and stop."""
        self._stopping.set()
        self.leadership.stop()
        if self.crew:
            self.crew.stop()
        self.scheduler.shutdown(wait=True)
        if self.crew:
            self.crew.close()

    def _with_own_mailer(self) -> Services:
        return replace(self.services, mailer=new_mailer(self.services.config))

    def _part(self) -> Part | None:
        """Return what of a pass falls to this process now; None where the broker brings its work."""
        if self.crew:
            return LEADER_OF_MANY if self.leadership.leads else None
        return ALL if self.leadership.leads else FOLLOWER

    def _going(self) -> bool:
        return not self._stopping.is_set()

    def _safely(self, name: str, services: Services, work: Callable[[Services], dict[str, Any]]) -> Callable[[], None]:
        """Return a job that says what went wrong and lives on: the next second tries again, and no row is lost."""

        def job() -> None:
            try:
                if name not in _BESIDE:
                    self._beat()
                done = work(services)
            except (SQLAlchemyError, OSError) as error:
                log.warning("pass failed, next try in a second", job=name, error=store.short(error))
            else:
                if any(done.get(key) for key in ("claimed", "sent", "failed", "unknown")):
                    log.info(name, **{key: value for key, value in done.items() if value})

        return job

    def _beat(self) -> None:
        """Say that a worker is alive: in the jobs themselves, so that a worker which hangs falls silent."""
        with store.writing(self.services.engine) as session:
            store.leases.take(session, "worker", self.holder, real_now(), HEARTBEAT_SECONDS)

    def _answer(self, services: Services) -> dict[str, Any]:
        if (part := self._part()) is None:
            return {}
        tally = Tally()
        claimed = answers(services, services.clock.now, tally, post_of(services), part, self._going)
        return {"claimed": claimed, "sent": tally.sent, "failed": tally.failed, "unknown": tally.unknown}

    def _tick(self, services: Services) -> dict[str, Any]:
        part = self._part()
        return tick(services, services.clock.now, part, self._going, self._beside) if part else {}

    def _hand_out(self, crew: Crew, services: Services) -> dict[str, Any]:
        if self._going():
            crew.look(services.clock.now, leads=self.leadership.leads)
        return {}


def start_in_background(services: Services) -> Worker:
    """Start the worker in threads of this process and return it; the process's end gives its lead back."""
    worker = Worker(services)
    worker.start()
    # A web server asks nobody before it ends: the next process should not have to wait for the lease's end.
    atexit.register(worker.leadership.stop)
    return worker


def calm_collector() -> None:
    """Let Python look for reference cycles rarely.

    A batch makes a hundred thousand small objects and hardly a cycle; by default looking for some takes a fifth of the
    time. What the program consists of is never looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def run(services: Services, threads: int = THREADS) -> None:
    """Run until SIGTERM or SIGINT; the batch in hand is finished first."""
    calm_collector()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker = Worker(services, threads)
    worker.start()
    stop.wait()
    log.info("worker stops after the batch in hand")
    worker.stop()


def main() -> None:
    """Run as `python -m leadmagnet.worker`: what the command `worker` becomes, without a line of web code."""
    logs.configure()
    options = argparse.ArgumentParser(prog="worker")
    options.add_argument("--threads", type=int, default=THREADS)
    try:
        config = Config.from_env(os.environ)
    except BadSetting as error:
        sys.exit(f"leadmagnet: {error}")
    run(build(replace(config, time_lapse=config.time_lapse or 1.0)), options.parse_args().threads)


if __name__ == "__main__":
    main()
