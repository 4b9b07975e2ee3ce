"""Subscribers from a CSV file: read, checked row by row, written in batches of a thousand.

Rules. Consent has a basis, in the row or for the whole file, and it is kept word for word. A new person is active at
once, without a confirmation email; with a sequence named, video 1 comes at the next tick. Somebody we know keeps what a
row leaves empty; who bounced, complained, left or is suppressed stays stopped, whatever the file says. A pending person
waits for their own confirmation, unless a sequence is named. Importing the same file again changes nothing.
Must not know: files, commands, who commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience.cells import plain_cell
from leadmagnet.audience.csv_files import BadFile, names, rows
from leadmagnet.audience.import_rows import COLUMNS, Address, Candidate, Plan, Report, Row, check
from leadmagnet.audience.import_writing import write
from leadmagnet.clock import Now

__all__ = ["BadFile", "Report", "Row", "import_rows", "read"]

BATCH = 1_000


def read(lines: Iterable[str]) -> Iterator[Row]:
    """Read a CSV file with a header, its columns divided by commas, semicolons or tabs. Raises BadFile."""
    found = rows(lines, "email")
    header = names(next(found, (0, []))[1])
    if "email" not in header:
        raise BadFile("The file needs a first line with the names of its columns, and one of them must be email.")
    for name in COLUMNS:
        if header.count(name) > 1:
            raise BadFile(f"The first line names {name} more than once. Keep the column that counts.")
    for line, cells in found:
        if any(cell.strip() for cell in cells):
            yield Row(line, dict(zip(header, map(plain_cell, cells), strict=False)))


def import_rows(
    session: Session,
    given: Iterable[Row],
    now: Now,
    *,
    consent: str = "",
    enroll: str | None = None,
    clinic_zone: str,
    suppression_key: str,
    parse_address: Callable[[str], Address],
    source: str = "import",
    language: str = "en",
    after_batch: Callable[[Report], None] | None = None,
) -> Report:
    """Take the rows in and say what became of them. Raises BadFile.

    `parse_address` raises ValueError with a sentence; the sign-up room has it. `after_batch` may commit and show
    progress: a large file in one transaction would keep the form waiting.
    """
    plan = Plan(
        now=now,
        consent=" ".join(consent.split()),
        sequence_id=_sequence_id(session, enroll),
        clinic_zone=clinic_zone,
        suppression_key=suppression_key,
        source=source,
        language=language,
    )
    report = Report()
    for batch in _batches(_checked(given, plan, parse_address, report)):
        write(session, batch, plan, report)
        if after_batch:
            after_batch(report)
    report.rejects.sort(key=lambda reject: reject[0])
    return report


def _sequence_id(session: Session, slug: str | None) -> int | None:
    sequence = store.sequences.by_slug(session, slug) if slug else None
    if slug and sequence is None:
        raise BadFile(f"There is no sequence called {slug}.")
    return sequence.id if sequence else None


def _checked(
    given: Iterable[Row], plan: Plan, parse_address: Callable[[str], Address], report: Report
) -> Iterator[Candidate]:
    for row in given:
        report.read += 1
        try:
            yield check(row, plan, parse_address)
        except ValueError as error:
            report.reject(row, str(error))


def _batches(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Cut into batches in which nobody comes twice: a second row about a person meets what the first one wrote."""
    batch: dict[str, Candidate] = {}
    for candidate in candidates:
        if len(batch) == BATCH or candidate.canonical in batch:
            yield list(batch.values())
            batch = {}
        batch[candidate.canonical] = candidate
    if batch:
        yield list(batch.values())
