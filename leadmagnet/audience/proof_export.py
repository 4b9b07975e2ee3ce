"""The proofs of consent of everybody, as CSV or JSON, chunk by chunk, however many there are.

Must not know: where the lines go.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet.audience.cells import safe_cell
from leadmagnet.audience.proof import Entry, Proof, as_data, instant, proofs_of
from leadmagnet.domain.consent import written
from leadmagnet.store.subscribers import Subscriber

#: People in one chunk.
CHUNK = 500
HEADER = (
    "email", "first_name", "status", "at", "effective_at", "kind", "purposes", "status_after", "granted_after",
    "email_then", "channel", "form", "page", "ip", "user_agent", "token_id", "wording_id", "wording_version",
    "wording_language", "wording", "detail",
)  # fmt: skip


def csv_lines(session: Session) -> Iterator[str]:
    """Give the header, then one line for each event of each person, in the order of people and of time."""
    yield _line(HEADER)
    for proofs in _chunks(session):
        yield "".join(_line(_cells(proof, entry)) for proof in proofs for entry in proof.entries)


def json_parts(session: Session) -> Iterator[str]:
    """Give the parts of one JSON array of proofs."""
    before = "["
    for proofs in _chunks(session):
        yield before + ",\n".join(orjson.dumps(as_data(proof)).decode() for proof in proofs)
        before = ",\n"
    yield "]\n" if before != "[" else "[]\n"


def _chunks(session: Session) -> Iterator[list[Proof]]:
    last = 0
    while True:
        query = select(Subscriber).where(Subscriber.id > last).order_by(Subscriber.id).limit(CHUNK)
        people = session.scalars(query).all()
        if not people:
            return
        yield proofs_of(session, people)
        last = people[-1].id
        session.expunge_all()


def _cells(proof: Proof, entry: Entry) -> tuple[str, ...]:
    person, event, wording = proof.person, entry.event, entry.wording
    return (
        person.email,
        person.first_name,
        person.status,
        instant(event.at) or "",
        instant(event.effective_at) or "",
        event.kind,
        written(entry.purposes),
        entry.status,
        written(entry.granted),
        event.email,
        event.channel,
        event.form,
        event.page,
        event.ip,
        event.user_agent,
        event.token_id,
        event.wording_id or "",
        wording.version if wording else "",
        wording.language if wording else "",
        wording.text if wording else "",
        event.detail,
    )


def _line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([safe_cell(cell) for cell in cells])
    return line.getvalue()
