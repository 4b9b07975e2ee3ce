"""What the program writes into its logs, and what it never does: keys of links, what a query holds, email addresses.

One form for all processes, on standard error; tracebacks name lines, never values. Must not know: who writes what.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

#: Addresses whose next part is a key.
_KEYED = re.compile(r"/(confirm|u|p|done|c|calendar|inbound|outbox)/[^\s?#\"'<>,)\]]+")
#: Whatever else looks like one: long, with a figure and a capital in it.
_KEY = re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])[A-Za-z0-9_-]{20,}={0,2}(?![\w-])", re.ASCII)
_QUERY = re.compile(r"\?[^\s\"'<>)\]]+")
#: As gunicorn names who has sent a broken request.
_FROM_IP = re.compile(r"\bip=[0-9A-Fa-f.:]+(?=:)")
_EMAIL = re.compile(r"[^\s\"'<>()\[\]{},;:=/@][^\s\"<>()\[\]{},;:=/@]*@[^\s\"'<>()\[\]{},;:=/]+")


def discreet(text: str) -> str:
    """Return `text` without keys, queries, email addresses and networks; what stood there is a dot or three."""
    text = _FROM_IP.sub("ip=…", _EMAIL.sub("…@…", text))
    return _KEY.sub("…", _QUERY.sub("?…", _KEYED.sub(r"/\1/…", text)))


class Discreet(logging.Filter):
    """Makes each record of a logger or handler discreet, its traceback too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always written."""
        record.msg, record.args = discreet(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = discreet(logging.Formatter().formatException(record.exc_info))
        return True


def _all_discreet(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = discreet(value)
    return event


def configure() -> None:
    """Set the form of the program's own log."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            # Not the library's choice: it shows the values of variables where it can.
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=True),
            _all_discreet,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(_Error()),  # type: ignore[arg-type]  # it only writes and flushes
    )


class _Error:
    """Standard error, as it is at the moment of writing: a test or a server may have put another in its place."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
