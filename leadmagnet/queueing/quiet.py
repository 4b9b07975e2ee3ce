"""Dramatiq and its clients write long lines, and the same ones every few seconds, when a broker is away.

They become one short line a minute of each kind; what is not about a connection keeps its traceback.
"""

from __future__ import annotations

import logging
import time

import structlog

log = structlog.get_logger(__name__)

#: One line of a kind in this time (seconds).
EVERY = 60.0
NAMES = ("dramatiq", "pika", "redis")


class OneLine(logging.Handler):
    """Writes the first line of a record into our log, once in a while."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        super().__init__(logging.WARNING)
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        words = record.getMessage().splitlines()[0][:160]
        broken = record.exc_info and record.name.endswith("WorkerThread")
        now = time.monotonic()
        if not broken and now - self._said.get(record.name, -EVERY) < EVERY:
            return
        self._said[record.name] = now
        if broken:
            log.error(words, exc_info=record.exc_info)
        else:
            log.warning(words, source=record.name)


def install() -> None:
    """Send what these libraries log through one handler."""
    handler = OneLine()
    for name in NAMES:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    # Every lost connection is reported by pika several times, and once more by Dramatiq.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
