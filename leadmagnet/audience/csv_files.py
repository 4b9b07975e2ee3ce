"""A CSV file as people have it: which encoding, how many lines, commas or semicolons.

The whole file is looked at before a row is taken in, so that a bad byte at its end does not leave half an import.
Must not know: what the columns mean.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

DELIMITERS = (",", ";", "\t")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ADVICE = "Open the file in your spreadsheet and save it as “CSV UTF-8”, then import that."


class BadFile(ValueError):
    """The file as a whole cannot be used, or a sequence is not there. The sentence says why."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at a file found: its encoding, and how many lines it has."""

    encoding: str
    lines: int


def survey(path: Path) -> Survey:
    """Look through a file. UTF-8 with or without a mark, and UTF-16 with one, can be read. Raises BadFile, OSError."""
    with path.open("rb") as file:
        start = file.read(4)
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8")
    return Survey(encoding, _lines_of_utf16(path) if encoding == "utf-16" else _lines_of_utf8(path))


def _lines_of_utf8(path: Path) -> int:
    number = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            # Line by line, so that an error has a line.
            try:
                _refuse_nul(raw.decode("utf-8"), number)
            except UnicodeDecodeError as error:
                raise BadFile(f"Line {number} is not UTF-8. {_ADVICE}") from error
    return number


def _lines_of_utf16(path: Path) -> int:
    number = 0
    with path.open(encoding="utf-16", newline="") as text:
        try:
            for number, line in enumerate(text, 1):
                _refuse_nul(line, number)
        except UnicodeDecodeError as error:
            raise BadFile(f"Line {number + 1}, or one soon after it, is not UTF-16. {_ADVICE}") from error
    return number


def _refuse_nul(line: str, number: int) -> None:
    if "\0" in line:
        raise BadFile(f"Line {number} holds bytes that belong to no text. {_ADVICE}")


def rows(lines: Iterable[str], needed: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each line's number and cells, the header first. The delimiter is the one that shows the `needed` column.

    Spreadsheets write semicolons where the comma divides decimals, and may say so in a first line "sep=;".
    Raises BadFile.
    """
    feed = iter(lines)
    first, before = next(feed, ""), 0
    named = first.removeprefix("\ufeff").strip().lower()
    if named.startswith("sep=") and named[4:] in ("", *DELIMITERS):
        first, before = next(feed, ""), 1
    reader = csv.reader(chain([first], feed), delimiter=_delimiter(first, needed))
    try:
        for cells in reader:
            yield reader.line_num + before, cells
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadFile(f"The file cannot be read near line {reader.line_num + before}: {error}.") from error


def names(cells: Iterable[str]) -> list[str]:
    """Return a header's names as they are compared: small letters, no white space around."""
    return [cell.strip().removeprefix("\ufeff").strip(' "').lower() for cell in cells]


def _delimiter(header: str, needed: str) -> str:
    for delimiter in DELIMITERS:
        if needed in names(next(csv.reader([header], delimiter=delimiter), [])):
            return delimiter
    return DELIMITERS[0]
