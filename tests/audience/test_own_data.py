"""A copy of everything: each table that points at a person is in it, or on the list with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Table

from leadmagnet import store
from leadmagnet.audience.own_data import COLUMNS_LEFT_OUT, LEFT_OUT, SECTIONS, as_json, collect
from leadmagnet.domain.zones import zone
from leadmagnet.editing.shipped import SLUG
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.steering import pause
from leadmagnet.feedback.watching import watched
from leadmagnet.store.base import Base
from leadmagnet.store.clicks import LinkClick
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.links import Link
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression, email_hash
from leadmagnet.web.marketing import accounts
from leadmagnet.web.subscriber.data_words import told

assert accounts  # its tables join the metadata
#: Tables about people that point at nobody by a foreign key.
BY_OTHER_WAYS = {"subscriber", "sign_up", "provider_event", "suppression"}
#: Columns that hold an address, a name, a network or a person's own words: where one is, the table is about people.
PERSONAL = {"email", "email_canonical", "email_hash", "first_name", "ip", "user_agent", "note", "new_email"}
#: People, but not subscribers: those who work in the workspace.
OF_THE_CLINIC = {"marketer"}


def points_at_a_person(table: Table, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a table's rows belong to a subscriber, by one foreign key or several."""
    targets = {key.column.table for key in table.foreign_keys} - {table}
    return any(
        target.name == "subscriber" or (target.name not in seen and points_at_a_person(target, seen | {table.name}))
        for target in targets
    )


def test_every_table_about_a_person_is_in_the_copy_or_left_out_for_a_reason() -> None:
    tables = Base.metadata.tables
    about = {name for name, table in tables.items() if points_at_a_person(table) or PERSONAL & set(table.c.keys())}
    assert about - OF_THE_CLINIC - set(SECTIONS) - set(LEFT_OUT) == set()
    assert set(SECTIONS) <= set(tables)
    assert all(reason for reason in (*LEFT_OUT.values(), *COLUMNS_LEFT_OUT.values()))
    for name in set(SECTIONS) - BY_OTHER_WAYS:
        assert "subscriber_id" in tables[name].c, f"say in own_data.py how rows of {name} are found"


@pytest.fixture
def anna(services: Any, hand_clock: Any) -> Iterator[Subscriber]:
    """Somebody with a row in every table, beside somebody else with as many."""
    found = None
    for name in ("ben", "anna"):
        found = lived(services, hand_clock, name)
    assert found is not None
    yield found


def lived(services: Any, clock: Any, name: str) -> Subscriber:
    address, now = f"{name}@example.org", clock.now()
    with store.writing(services.engine) as session:
        wording = store.consents.keep_wording(session, f"Yes, {name} says.", "en", now.course)
        person = Subscriber(email=address, email_canonical=address, first_name=name.title(), status="active")
        person.timezone, person.created_at, person.confirmed_at = "Europe/Zurich", now.course, now.course
        session.add(person)
        session.flush()
        form = {"email": address, "email_canonical": address, "form": "landing", "wording_id": wording}
        session.add(SignUp(**form, ip="192.0.2.1", asked_at=now.course, asked_real_at=now.real, handled_at=now.real))
        session.add(
            ConsentEvent(subscriber_id=person.id, kind="confirmed", wording_id=wording, at=now.course, channel="form")
        )
        sequence = store.sequences.by_slug(session, SLUG)
        course = Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=now.course)
        session.add(course)
        session.flush()
        step = store.sequences.steps_of(session, sequence.id)[1]
        mail = Delivery(subscriber_id=person.id, enrollment_id=course.id, step_id=step.id, kind="video", status="sent")
        mail.created_at = mail.due_at = mail.sent_at = now.course
        session.add(mail)
        other = Delivery(subscriber_id=person.id, kind="new_address", status="skipped")
        other.created_at = other.due_at = now.course
        session.add(other)
        session.flush()
        event = {"event_id": name, "provider": "sendgrid", "public_id": mail.public_id, "signal": "delivered"}
        store.events.add(session, [event | {"at": now.real, "received_at": now.real, "raw": "{}"}])
        link = session.query(Link).filter_by(revision_id=step.revision_id, number=1).one_or_none()
        link = link or Link(revision_id=step.revision_id, number=1, url="https://other.example/chairs")
        session.add(link)
        session.flush()
        click = LinkClick(subscriber_id=person.id, delivery_id=mail.id, link_id=link.id, method="GET", agent="browser")
        click.at, click.real_at = now.course, now.real
        session.add(click)
        watched(session, person, "dead-bug", 60, now.course)
        check_in(session, person, "dead-bug", Felt.HARD, now.course, note=f"{name} wrote this")
        run = store.decisions.after(None, "video_today", now.course, now.course.date())  # type: ignore[arg-type]
        store.decisions.keep(session, {person.id: [run]})
        pause(session, person, now.course, now.course + timedelta(days=3))
        leave(session, person, now, "one-click")
        hashed = email_hash(services.config.suppression_key, address)
        session.add(Suppression(email_hash=hashed, reason="unsubscribed", at=now.course))
    return person


def test_the_copy_holds_rows_of_every_kind_and_only_her_own(services: Any, hand_clock: Any, anna: Subscriber) -> None:
    with store.reading(services.engine) as session:
        sections = collect(session, anna, services.config.suppression_key)
    assert [section.name for section in sections] == list(SECTIONS)
    assert [section.name for section in sections if not section.rows] == []
    file = as_json(sections, hand_clock.now().real)
    written = orjson.dumps(file).decode()
    assert "ben" not in written.lower()
    for words in (
        "Yes, anna says.",
        "anna wrote this",
        "192.0.2.1",
        "delivered",
        "Dead bug",
        "A video goes out on the same day.",
        "https://other.example/chairs",
    ):
        assert words in written, words
    rows: dict[str, Any] = {section.name: section.rows for section in sections}
    assert [row["kind"] for row in rows["delivery"]] == ["video"]
    assert not set(COLUMNS_LEFT_OUT) & {key for each in rows.values() for row in each for key in row}
    assert anna.leave_id not in written
    assert rows["subscriber"][0]["confirmed_at"] == "2026-03-02T15:00:00Z"
    assert set(file["left_out"]) >= set(LEFT_OUT) | set(COLUMNS_LEFT_OUT)  # type: ignore[call-overload]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_readable_copy_leaves_no_value_away(services: Any, anna: Subscriber) -> None:
    with store.reading(services.engine) as session:
        sections = collect(session, anna, services.config.suppression_key)
    for section in sections:
        for row, read in zip(section.rows, told(section, zone("Europe/Zurich")), strict=True):
            values = [value for _, value in read.pairs] + ([read.text] if read.text else [])
            assert len(values) == sum(value not in (None, "") for value in row.values())
    (first,) = told(sections[0], zone("Europe/Zurich"))
    assert ("confirmed at", "2 March 2026, 16:00") in first.pairs
