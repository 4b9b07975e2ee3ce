"""Subscribers as CSV, row by row, however many there are. The first columns can be imported again.

Must not know: where the lines go.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet.audience.cells import safe_cell
from leadmagnet.audience.groups import group_of
from leadmagnet.audience.listing import Filter, matching
from leadmagnet.audience.rows import Row, rows_of
from leadmagnet.store.subscribers import Subscriber

HEADER = (
    "email", "first_name", "timezone", "source", "status", "group", "signed_up_at", "confirmed_at", "left_at",
    "videos_sent", "last_active_at", "exercise_days", "chosen_hour", "wants_reminders",
    "wants_videos", "wants_news",
)  # fmt: skip
CHUNK = 1_000


def lines(session: Session, filter_: Filter, now: datetime) -> Iterator[str]:
    """Give the header, then one line for everybody who fits the filter, oldest first."""
    yield _line(HEADER)
    last, fits = 0, matching(filter_, now)
    while True:
        query = select(Subscriber).where(Subscriber.id > last, fits).order_by(Subscriber.id).limit(CHUNK)
        people = session.scalars(query).all()
        if not people:
            return
        yield "".join(_line(_cells(row, now)) for row in rows_of(session, people))
        last = people[-1].id
        session.expunge_all()


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    person = row.person
    return (
        person.email,
        person.first_name,
        person.timezone,
        person.source,
        person.status,
        group_of(person, now),
        _instant(person.created_at),
        _instant(person.confirmed_at),
        _instant(person.left_at),
        str(row.videos_sent),
        _instant(person.last_active_at),
        person.exercise_days,
        "" if person.chosen_hour is None else str(person.chosen_hour),
        *("yes" if wanted else "no" for wanted in (person.wants_reminders, person.wants_videos, person.wants_news)),
    )


def _instant(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""


def _line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([safe_cell(cell) for cell in cells])
    return line.getvalue()
