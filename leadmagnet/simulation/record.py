"""What the simulated provider took and what the simulated people did, in one order, in a file of their own.

The check at the end reads this beside the engine's ledger. Must not know: the engine's tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

#: Rows kept in memory before they are written.
BUFFER = 20_000
_TABLES = """
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
CREATE TABLE letter (
    n INTEGER PRIMARY KEY, at REAL, address TEXT, delivery TEXT, message TEXT, kind TEXT, known INTEGER
);
CREATE TABLE deed (n INTEGER PRIMARY KEY, at REAL, address TEXT, kind TEXT, detail TEXT);
"""


class Letter(NamedTuple):
    """One letter that the provider took. `n` is its place among all letters and deeds."""

    n: int
    at: float  #: seconds since 1970, UTC
    address: str
    delivery: str
    message: str
    kind: str  #: as the email itself says, in its Feedback-ID
    known: int  #: 1 where the worker was given the answer in time, and lived to hear it


class Deed(NamedTuple):
    """One thing that happened to a subscription, as the one who did it saw it."""

    n: int
    at: float
    address: str
    kind: str
    detail: str = ""


class Record:
    """The book. Writing is append-only, but for answers that turn out to be lost."""

    def __init__(self, file: Path) -> None:
        """Make the book in a new file."""
        self._book = sqlite3.connect(file, isolation_level=None)
        self._book.executescript(_TABLES)
        self._letters: list[Letter] = []
        self._deeds: list[Deed] = []
        self._n = 0
        self.taken = 0

    def took(self, at: datetime, address: str, delivery: str, message: str, kind: str, *, known: bool) -> int:
        """Write down a letter that was taken, and return its place."""
        self._n += 1
        self.taken += 1
        self._letters.append(Letter(self._n, at.timestamp(), address, delivery, message, kind, int(known)))
        if len(self._letters) >= BUFFER:
            self._write()
        return self._n

    def did(self, at: datetime, address: str, kind: str, detail: str = "") -> None:
        """Write down a deed."""
        self._n += 1
        self._deeds.append(Deed(self._n, at.timestamp(), address, kind, detail))

    @property
    def place(self) -> int:
        """The place of the newest entry."""
        return self._n

    def lost(self, after: int, until: int) -> list[str]:
        """Note that the answers for the letters after one place, up to another, were lost; return their deliveries."""
        self._write()
        where = "WHERE n > ? AND n <= ? AND known"
        found = self._book.execute(f"SELECT delivery FROM letter {where} ORDER BY n", (after, until)).fetchall()  # noqa: S608 (our own words)
        self._book.execute(f"UPDATE letter SET known = 0 {where}", (after, until))  # noqa: S608 (our own words)
        return [delivery for (delivery,) in found]

    def letters(self) -> Iterator[Letter]:
        """Return all letters, by address and then by place."""
        self._write()
        return map(Letter._make, self._sorted("letter"))

    def deeds(self) -> Iterator[Deed]:
        """Return all deeds, by address and then by place."""
        self._write()
        return map(Deed._make, self._sorted("deed"))

    def close(self) -> None:
        """Close the book."""
        self._book.close()

    def _write(self) -> None:
        self._book.execute("BEGIN")
        self._book.executemany("INSERT INTO letter VALUES (?, ?, ?, ?, ?, ?, ?)", self._letters)
        self._book.executemany("INSERT INTO deed VALUES (?, ?, ?, ?, ?)", self._deeds)
        self._book.execute("COMMIT")
        self._letters.clear()
        self._deeds.clear()

    def _sorted(self, table: str) -> Iterator[tuple[object, ...]]:
        # A cursor of its own, so that both tables can be read side by side.
        return self._book.cursor().execute(f"SELECT * FROM {table} ORDER BY address, n")  # noqa: S608 (our own names)
