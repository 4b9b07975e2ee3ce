"""Files of rows that an import could not take: written to one folder, mended by people, and gone after a while.

They hold what the imported file held, so they live no longer than it takes to mend them. Must not know: imports' rules.
"""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from leadmagnet.audience.cells import plain_cell, safe_cell

#: Real time.
LIVES = timedelta(days=30)
ENDING = ".rejects.csv"

Reject = tuple[int, str, Mapping[str, str]]


def write(folder: Path, name: str, rejects: Sequence[Reject], now: datetime) -> Path:
    """Write rejected rows (line, reason, cells) to a new file, named after the imported one. Raises OSError.

    Its owner alone may read it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = name.removesuffix(ENDING).removesuffix(".csv")
    columns = list(dict.fromkeys(column for _, _, cells in rejects for column in cells))
    target = folder / f"{stem[:100]}-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}{ENDING}"
    _write(
        target,
        [
            ["line", "reason", *columns],
            *(
                [str(line), reason, *(safe_cell(cells.get(column, "")) for column in columns)]
                for line, reason, cells in rejects
            ),
        ],
    )
    return target


def remove(folder: Path, addressed: Callable[[str], bool]) -> int:
    """Take the rows of an address out of all files, and return how many there were. A file without rows is deleted."""
    gone = 0
    for file in _files(folder):
        with file.open(encoding="utf-8", newline="") as text:
            header, *rows = list(csv.reader(text)) or [[]]
        at = header.index("email") if "email" in header else None
        kept = [row for row in rows if at is None or len(row) <= at or not addressed(plain_cell(row[at]))]
        if len(kept) < len(rows):
            gone += len(rows) - len(kept)
            if kept:
                _write(file, [header, *kept])
            else:
                file.unlink()
    return gone


def forget_old(folder: Path, now: datetime) -> int:
    """Delete files that are older than LIVES (real clock), and return how many."""
    oldest, gone = (now - LIVES).timestamp(), 0
    for file in _files(folder):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < oldest:
                file.unlink()
                gone += 1
    return gone


def _files(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from sorted(
            Path(entry.path)
            for entry in os.scandir(folder)
            if entry.name.endswith(ENDING) and entry.is_file(follow_symlinks=False)
        )


def _write(target: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write a whole file at once, so that a death in the middle leaves either the old one or the new."""
    draft = target.with_name(f".{target.name}.new")
    with open(draft, "w", encoding="utf-8", newline="", opener=_private) as out:
        csv.writer(out).writerows(rows)
    draft.replace(target)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
