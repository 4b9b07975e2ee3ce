"""One person's life in a run: what the provider took and what the person did, in order, beside the rows of the ledger.

Streamed person by person, so that millions of rows need little memory. Must not know: what is right or wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, groupby
from typing import Any, NamedTuple

from sqlalchemy import Engine, select

from leadmagnet import store
from leadmagnet.simulation.record import Deed, Letter, Record
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.sequences import Sequence, Step
from leadmagnet.store.subscribers import Subscriber

#: Rows of the ledger fetched at once.
AT_ONCE = 5_000
#: A sign-up that nobody confirms is forgotten after so long (docs/privacy.md).
PENDING_LIVES = timedelta(days=30)


class Row(NamedTuple):
    """One row of the ledger."""

    id: int
    public_id: str
    enrollment_id: int | None
    step_id: int | None
    kind: str
    status: str
    held: str | None
    due_at: datetime
    resent: int


class Pass(NamedTuple):
    """One enrollment as it stands at the end."""

    id: int
    status: str
    wants_plan: bool


class Standing(NamedTuple):
    """The person as the engine has it at the end."""

    email: str
    status: str
    paused: bool
    hurt: bool


@dataclass(frozen=True, slots=True)
class Course:
    """What the sequence says: positions of its steps, of those in use, and the window (minutes of the local day)."""

    positions: dict[int, int]
    in_use: frozenset[int]
    opens: int
    closes: int
    weekdays: frozenset[int]
    forgotten: float
    """Who signed up before this instant (seconds since 1970) and never confirmed may have been forgotten."""


@dataclass(slots=True)
class Life:
    """Everything about one address. `standing` is None where the engine knows nobody by it."""

    address: str
    events: list[Letter | Deed]
    rows: list[Row]
    enrollments: list[Pass]
    standing: Standing | None


def read_course(engine: Engine, end: datetime) -> Course:
    """Read the sequence of a run that ended at an instant."""
    with store.reading(engine) as session:
        sequence = session.query(Sequence).one()
        steps = session.query(Step).filter_by(sequence_id=sequence.id).all()
    weekdays = frozenset(int(digit) for digit in sequence.weekdays)
    in_use = frozenset(step.id for step in steps if not step.removed)
    return Course(
        positions={step.id: step.position for step in steps},
        in_use=in_use,
        opens=sequence.opens,
        closes=sequence.closes,
        weekdays=weekdays,
        forgotten=(end - PENDING_LIVES).timestamp(),
    )


def lives(engine: Engine, record: Record) -> Iterator[Life]:
    """Give one life after the other, by address."""
    events = _merged(record.letters(), record.deeds())
    rows = _by_first(_stream(engine, _ledger()))
    passes = _by_first(_stream(engine, _enrollments()))
    people = _by_first(_stream(engine, _people()))
    for address, (told, row, entry, person) in _side_by_side(events, rows, passes, people):
        standing = Standing._make(person[0]) if person else None
        yield Life(address, told, [Row._make(r[1:]) for r in row], [Pass._make(e[1:]) for e in entry], standing)


def _ledger() -> Any:
    columns = (
        Delivery.id,
        Delivery.public_id,
        Delivery.enrollment_id,
        Delivery.step_id,
        Delivery.kind,
        Delivery.status,
        Delivery.held,
        Delivery.due_at,
        Delivery.resent,
    )
    query = select(Subscriber.email_canonical, *columns).join(Delivery, Delivery.subscriber_id == Subscriber.id)
    return query.order_by(Subscriber.email_canonical, Delivery.id)


def _enrollments() -> Any:
    columns = Enrollment.id, Enrollment.status, Enrollment.wants_plan
    query = select(Subscriber.email_canonical, *columns).join(Enrollment, Enrollment.subscriber_id == Subscriber.id)
    return query.order_by(Subscriber.email_canonical, Enrollment.id)


def _people() -> Any:
    columns = Subscriber.email_canonical, Subscriber.status, Subscriber.paused_at, Subscriber.hurt_at
    return select(*columns).order_by(Subscriber.email_canonical)


def _stream(engine: Engine, query: Any) -> Iterator[Any]:
    with engine.connect() as connection:
        options = {"stream_results": True, "yield_per": AT_ONCE}
        yield from connection.execution_options(**options).execute(query)


Grouped = Iterator[tuple[str, list[Any]]]


def _by_first(rows: Iterable[Any]) -> Grouped:
    for address, group in groupby(rows, key=lambda row: row[0]):
        yield address, list(group)


def _merged(letters: Iterable[Letter], deeds: Iterable[Deed]) -> Grouped:
    both = (
        ((address, list(group)) for address, group in groupby(kind, key=lambda entry: entry.address))
        for kind in (letters, deeds)
    )
    for address, parts in _side_by_side(*both):
        yield address, sorted(chain(*parts))


def _side_by_side(*streams: Grouped) -> Iterator[tuple[str, list[list[Any]]]]:
    """Walk along streams that are sorted by address; give, for each address, what each stream has for it."""
    heads = [next(stream, None) for stream in streams]
    while waiting := [head[0] for head in heads if head is not None]:
        address = min(waiting)
        found: list[list[Any]] = []
        for place, head in enumerate(heads):
            if head is not None and head[0] == address:
                found.append(head[1])
                heads[place] = next(streams[place], None)
            else:
                found.append([])
        yield address, found
