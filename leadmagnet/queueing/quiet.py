"""Dramatiq and its clients report a broker that is away at length, from each thread, every few seconds.

We say so ourselves, once (`hand_out.py`). What else they have to say becomes one line; a mistake keeps its traceback.
"""

from __future__ import annotations

import logging

import structlog

log = structlog.get_logger(__name__)

NAMES = ("dramatiq", "pika", "redis")
#: Who speaks of connections only, unless with a traceback.
CONSUMERS = ("ConsumerThread", "RabbitmqConsumer", "RedisConsumer")


class OneLine(logging.Handler):
    """Writes a record into our log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        lines = record.getMessage().splitlines() or [""]
        if record.exc_info:
            log.error(lines[0][:160], exc_info=record.exc_info)
        elif not any(name in record.name for name in CONSUMERS):
            log.warning(lines[0][:160], source=record.name)


def install() -> None:
    """Send what these libraries log through one handler."""
    handler = OneLine(logging.WARNING)
    for name in NAMES:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    # pika reports every lost connection several times, with tracebacks; Dramatiq hears of it, too.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
