"""The long-running worker: APScheduler with in-memory ticks. All truth is in the tables.

Two jobs: answers to people (confirmation, video 1) every second in a lane of their own, and the full tick. Any number
of workers may run; a lease names the one that is shown as the heartbeat, and the claims keep them apart.
Must not know: Flask.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from leadmagnet import store
from leadmagnet.clock import real_now
from leadmagnet.delivery.settle import Tally
from leadmagnet.services import Services, new_mailer
from leadmagnet.tick import answers, post_of, tick

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
#: The heartbeat's lease: another worker may call itself the worker after this long without a sign.
HEARTBEAT_SECONDS = 10.0


def start_in_background(services: Services) -> BackgroundScheduler:
    """Start the ticks in threads of this process and return the scheduler."""
    holder = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"[:64]
    # Grace without end: a tick that is late still runs, once.
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler = BackgroundScheduler(job_defaults=defaults, timezone="UTC")
    for name, work in (("answers", _answer), ("tick", _tick)):
        own = replace(services, mailer=new_mailer(services.config))
        scheduler.add_job(_safely(name, own, holder, work), "interval", seconds=TICK_SECONDS, id=name)
    scheduler.start()
    if services.config.without_effect:
        log.warning("these settings have no effect in this version", settings=services.config.without_effect)
    log.info("worker started", holder=holder)
    return scheduler


def run(services: Services) -> None:
    """Run until SIGTERM or SIGINT; the batch in hand is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    scheduler = start_in_background(services)
    stop.wait()
    log.info("worker stops after the batch in hand")
    scheduler.shutdown(wait=True)


def _safely(
    name: str, services: Services, holder: str, work: Callable[[Services], dict[str, Any]]
) -> Callable[[], None]:
    """Return a job that says what went wrong and lives on: the next second tries again, and no row is lost."""

    def job() -> None:
        try:
            with store.writing(services.engine) as session:
                store.leases.take(session, "worker", holder, real_now(), HEARTBEAT_SECONDS)
            done = work(services)
        except (SQLAlchemyError, OSError) as error:
            log.warning("pass failed, next try in a second", job=name, error=f"{type(error).__name__}: {error}"[:500])
        else:
            if any(done.get(key) for key in ("claimed", "sent", "failed", "unknown")):
                log.info(name, **{key: value for key, value in done.items() if value})

    return job


def _answer(services: Services) -> dict[str, Any]:
    tally = Tally()
    claimed = answers(services, services.clock.now, tally, post_of(services))
    return {"claimed": claimed, "sent": tally.sent, "failed": tally.failed, "unknown": tally.unknown}


def _tick(services: Services) -> dict[str, Any]:
    return tick(services, services.clock.now)
