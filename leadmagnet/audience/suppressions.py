"""The list of addresses that stay stopped, as a file: out as fingerprints, in as addresses or fingerprints.

Fingerprints match under the same SUPPRESSION_KEY only, so a file names its key. What comes in takes effect at once for
people we know. Must not know: files, commands, who commits.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience.cells import plain_cell, safe_cell
from leadmagnet.audience.csv_files import BadFile, names, rows
from leadmagnet.audience.import_rows import Address
from leadmagnet.clock import Now
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import email_hash

HEADER = ("hash", "reason", "at", "key")
#: Why an address is on the list, where a file does not say.
IMPORTED = "imported"
BATCH, CHUNK = 1_000, 5_000
_HASH = re.compile(r"[0-9a-f]{64}")
_REASON = re.compile(r"[a-z][a-z ]{0,31}")


@dataclass(slots=True)
class Report:
    """What became of the rows. `added` are the hashes with their reasons; `rejects`: line, reason, the row itself."""

    read: int = 0
    added: dict[str, str] = field(default_factory=dict)
    known: int = 0
    stopped: int = 0
    rejects: list[tuple[int, str, Mapping[str, str]]] = field(default_factory=list)


def key_name(key: str) -> str:
    """Return a short name of a key, from which nobody finds the key."""
    return hmac.new(key.encode(), b"which key is this", hashlib.sha256).hexdigest()[:8]


def lines(session: Session, key: str) -> Iterator[str]:
    """Give a header, then one line for each address that stays stopped."""
    yield _line(HEADER)
    name = key_name(key)
    for row in store.suppressions.every(session):
        yield _line((row.email_hash, row.reason, f"{row.at:%Y-%m-%dT%H:%M:%SZ}", name))


def _line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([safe_cell(cell) for cell in cells])
    return line.getvalue()


def take_in(
    session: Session,
    text: Iterable[str],
    now: Now,
    *,
    key: str,
    parse_address: Callable[[str], Address],
    after_batch: Callable[[Report], None],
) -> Report:
    """Take in a CSV file with a column `email` or `hash`, and where present `reason`, `at`, `key`. Raises BadFile.

    `parse_address` raises ValueError with a sentence. `after_batch` may commit.
    """
    report, batch = Report(), dict[str, tuple[str, datetime]]()
    for line, values in _rows(text):
        report.read += 1
        try:
            hashed, reason, at = _check(values, now, key, parse_address)
        except ValueError as error:
            report.rejects.append((line, str(error), values))
            continue
        batch[hashed] = reason, at
        if len(batch) == BATCH:
            _put(session, batch, report)
            after_batch(report)
    _put(session, batch, report)
    after_batch(report)
    return report


def known_people(session: Session, key: str, hashes: Mapping[str, str]) -> Iterator[dict[int, SubscriberStatus]]:
    """Give the people whose addresses are among these hashes, by id, each with what the reason makes of them."""
    last = 0
    while hashes:
        query = select(Subscriber.id, Subscriber.email_canonical).where(Subscriber.id > last)
        people = session.connection().execute(query.order_by(Subscriber.id).limit(CHUNK)).all()
        if not people:
            return
        last = people[-1].id
        found = {person_id: hashes.get(email_hash(key, address)) for person_id, address in people}
        yield {person_id: _status(reason) for person_id, reason in found.items() if reason is not None}


def _status(reason: str) -> SubscriberStatus:
    stopped = (SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)
    return next((status for status in stopped if status == reason), SubscriberStatus.UNSUBSCRIBED)


def _rows(text: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line and cells by column. A file without a header is a plain list, one address or fingerprint a line."""
    found = rows(text, "email")
    line, first = next(found, (0, []))
    header = names(first)
    if not {"email", "hash"} & set(header):
        if len(header) != 1 or not _column(header[0]):
            raise BadFile("The first line must name the columns, and one of them must be email or hash.")
        yield line, {_column(header[0]): first[0].strip().removeprefix("\ufeff")}
        header = []
    for line, cells in found:
        plain = [plain_cell(cell).strip() for cell in cells]
        if any(plain):
            yield line, dict(zip(header or [_column(plain[0]) or "email"], plain, strict=False))


def _column(cell: str) -> str:
    """Return what a cell of a list without a header is: email, hash, or nothing."""
    return "email" if "@" in cell else "hash" if _HASH.fullmatch(cell.lower()) else ""


def _check(
    values: Mapping[str, str], now: Now, key: str, parse_address: Callable[[str], Address]
) -> tuple[str, str, datetime]:
    """Return hash, reason and instant of a row. Raises ValueError with a sentence."""
    reason = values.get("reason", "").lower() or IMPORTED
    if not _REASON.fullmatch(reason):
        raise ValueError("The reason must be small letters and spaces, 32 at most.")
    at = _instant(values.get("at", ""), now)
    if values.get("email"):
        return email_hash(key, parse_address(values["email"]).canonical), reason, at
    hashed = values.get("hash", "").lower()
    if not _HASH.fullmatch(hashed):
        raise ValueError("There is no address in this row, and no fingerprint of 64 figures and letters a to f.")
    if values.get("key", "") not in ("", key_name(key)):
        raise ValueError("This fingerprint was made with another SUPPRESSION_KEY, so it matches nobody here.")
    return hashed, reason, at


def _instant(text: str, now: Now) -> datetime:
    if not text:
        return now.real
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at > now.real:
        raise ValueError("The instant must look like 2026-11-23T09:00:00Z and lie in the past.")
    return at


def _put(session: Session, batch: dict[str, tuple[str, datetime]], report: Report) -> None:
    known = store.suppressions.known(session, batch)
    store.suppressions.put(session, batch)
    report.known += len(known)
    # Known ones as well: their people may have come back since, by a copy of the database.
    report.added |= {hashed: reason for hashed, (reason, _) in batch.items()}
    batch.clear()
