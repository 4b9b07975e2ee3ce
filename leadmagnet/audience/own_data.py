"""Everything that is kept about one person, for that person: rows as they stand, section by section.

What is left out is listed with its reason, and a test holds every table against both lists. Must not know: who asks,
how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.orm import Session

from leadmagnet.audience.titles import Titles, titles_of
from leadmagnet.domain.reminders import explain
from leadmagnet.domain.status import DeliveryKind, SkipReason
from leadmagnet.store.base import Base
from leadmagnet.store.clicks import LinkClick
from leadmagnet.store.consents import Wording
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.links import Link
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import email_hash

#: Values as they go into JSON.
Value = str | int | bool | None


class Section(NamedTuple):
    """One table's rows about a person."""

    name: str
    title: str
    rows: list[dict[str, Value]]


#: Tables with rows about a person, in the order in which a reader wants them, and what each is called.
SECTIONS: Mapping[str, str] = {
    "subscriber": "You",
    "consent_event": "What you agreed to",
    "sign_up": "Forms you sent in the last weeks",
    "enrollment": "Courses you are in",
    "delivery": "Emails",
    "provider_event": "What mail servers told us of these emails",
    "check_in": "“I did it”, and how it felt",
    "watch": "Videos you watched",
    "link_click": "Links in our emails that were followed, by you or by a program for you",
    "activity": "What was done on your page, by you or by us",
    "decision": "Reminders we left out, and why",
    "suppression": "Your address on the list of those we don’t write to",
}
#: Tables that point at a person and are not in the copy, with the reason.
LEFT_OUT: Mapping[str, str] = {
    "erasure": "an erasure on its way, which ends with nothing to copy",
    "fresh_link": "keys that live for an hour, with what was asked for; asking is among the acts",
}
#: Columns that are not in the copy, with the reason.
COLUMNS_LEFT_OUT: Mapping[str, str] = {
    "leave_id": "a key: whoever has it can stop the emails, and the copy may be passed on",
    "subscriber_id": "the same in every row: your number stands in the first section",
    "claim_id": "how machines of ours agree on who sends what; says nothing of a person",
    "lease_until": "the same",
    "call_begun_at": "the same",
    "wants_plan": "the same",
    "email_hash": "kept so that nobody can read an address from it; the reason and the day are there",
}


def collect(session: Session, person: Subscriber, key: str) -> list[Section]:
    """Return all sections, also those without rows: an empty one says that nothing is kept there.

    `key` is the suppression list's.
    """
    titles = titles_of(session)
    words = {row.id: row.text for row in session.execute(select(Wording.id, Wording.text))}
    tables = Base.metadata.tables
    return [
        Section(name, title, [_row(row, titles, words) for row in _rows(session, tables[name], person, key)])
        for name, title in SECTIONS.items()
    ]


def as_json(sections: list[Section], made_at: datetime) -> dict[str, object]:
    """Return the sections for a file that programs read."""
    left_out = {**LEFT_OUT, **COLUMNS_LEFT_OUT, "delivery of kind new_address": _NOT_YOURS}
    rows: dict[str, object] = {section.name: section.rows for section in sections}
    return {"made_at": _value(made_at), **rows, "left_out": left_out}


#: They would tell whether somebody else is with us.
_NOT_YOURS = "an email to an address that was asked for goes to whoever reads there; asking is among the acts"


def _rows(session: Session, table: Table, person: Subscriber, key: str) -> Iterator[Mapping[str, Any]]:
    query = select(table).where(_theirs(table, person, key)).order_by(*table.primary_key.columns)
    if table.name == LinkClick.__tablename__:
        query = query.add_columns(Link.url).join(Link, Link.id == table.c.link_id)
    for row in session.connection().execute(query).mappings():
        yield {name: value for name, value in row.items() if name not in COLUMNS_LEFT_OUT}


def _theirs(table: Table, person: Subscriber, key: str) -> ColumnElement[bool]:
    """Return the condition under which a row of a table is about the person."""
    columns = table.c
    if table.name == "subscriber":
        return columns.id == person.id
    if table.name == "delivery":
        return (columns.subscriber_id == person.id) & (columns.kind != DeliveryKind.NEW_ADDRESS)
    if table.name == "provider_event":
        own = (Delivery.subscriber_id == person.id) & (Delivery.kind != DeliveryKind.NEW_ADDRESS)
        return columns.public_id.in_(select(Delivery.public_id).where(own))
    if table.name == "sign_up":
        return columns.email_canonical == person.email_canonical
    if table.name == "suppression":
        return columns.email_hash == email_hash(key, person.email_canonical)
    return columns.subscriber_id == person.id


def _row(row: Mapping[str, Any], titles: Titles, words: Mapping[str, str]) -> dict[str, Value]:
    """Return a row with the words that its numbers stand for."""
    found = {name: _value(value) for name, value in row.items()}
    if row.get("step_id") or row.get("text_slug"):
        found["subject"] = titles.subject(row["step_id"], row["text_slug"], row["kind"])
    if row.get("step_slug"):
        found["exercise"] = titles.step(row["step_slug"])
    for name in ("skip_reason", "reason"):
        if row.get(name) in _REASONS:
            found[name] = explain(SkipReason(row[name]))
    if row.get("wording_id"):
        found["wording"] = words.get(row["wording_id"], "")
    return found


_REASONS = frozenset(str(reason) for reason in SkipReason)


def _value(value: Any) -> Value:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, (str, int, bool)) or value is None else str(value)
