"""Holding a queue: which rows, in how many statements, and that the claim goes on using its index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from leadmagnet import pauses, store
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.editing.shipped import SLUG
from leadmagnet.store.deliveries import TRIED_AGAIN, Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

MANY = 3000


def sequence_id(ledger: Any) -> int:
    with store.reading(ledger.engine) as session:
        return store.sequences.by_slug(session, SLUG).id


def pause(ledger: Any) -> pauses.Change:
    done = pauses.pause(ledger.services, SLUG, ledger.at, "anna")
    assert done is not None
    return done


def crowd(ledger: Any, count: int) -> None:
    """Write people with an enrollment and a due video each, by the set."""
    at, step, course = ledger.at, ledger.steps()[1], sequence_id(ledger)
    ids = range(1, count + 1)
    common = {"status": "active", "timezone": "UTC", "created_at": at}
    with store.writing(ledger.engine) as session:
        people = [{"id": n, "email": f"c{n}@x.org", "email_canonical": f"c{n}@x.org"} | common for n in ids]
        session.execute(insert(Subscriber), people)
        mine = {"sequence_id": course, "started_at": at, "wants_plan": False}
        session.execute(insert(Enrollment), [{"id": n, "subscriber_id": n} | mine for n in ids])
        row = {"kind": "video", "step_id": step, "created_at": at, "due_at": at}
        session.execute(insert(Delivery), [{"subscriber_id": n, "enrollment_id": n} | row for n in ids])


@contextmanager
def statements(ledger: Any) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", note)
    yield seen
    event.remove(ledger.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("columns", "after"),
    [
        ({}, ("due", "sequence_paused")),
        ({"kind": "finished"}, ("due", "sequence_paused")),
        ({"retry_at": timedelta(hours=1), "attempts": 2}, ("due", "sequence_paused")),
        ({"due_at": timedelta(days=2)}, ("due", "sequence_paused")),
        ({"held": "paused"}, ("due", "paused")),
        ({"held": "hurt"}, ("due", "hurt")),
        ({"status": "claimed", "claim_id": "mine"}, ("claimed", None)),
        ({"status": "unknown"}, ("unknown", None)),
        ({"status": "sent"}, ("sent", None)),
        ({"reason": TRIED_AGAIN}, ("failed", None)),
        ({"kind": "confirmation", "step_id": None}, ("due", None)),
        ({"kind": "already_subscribed", "step_id": None}, ("due", None)),
        ({"kind": "reminder", "step_id": None}, ("skipped", None)),
    ],
    ids=str,
)
def test_which_rows_a_pause_holds(ledger: Any, columns: dict[str, Any], after: tuple[str, str | None]) -> None:
    values = {"step_id": ledger.steps()[1]} | {
        key: ledger.at + value if isinstance(value, timedelta) else value for key, value in columns.items()
    }
    row = ledger.due(ledger.people(1)[0], **values)
    pause(ledger)
    found = ledger.row(row)
    assert (found.status, found.held) == after
    assert (found.attempts, found.due_at) == (values.get("attempts", 0), values.get("due_at", ledger.at))


@pytest.mark.parametrize(
    ("before", "deed", "more"),
    [
        ("claimed", store.claims.reopen, (DeliveryStatus.CLAIMED, "mine")),
        ("unknown", store.claims.reopen, (DeliveryStatus.UNKNOWN, "mine")),
    ],
)
def test_a_row_that_comes_back_is_held_and_wants_a_plan(ledger: Any, before: str, deed: Any, more: Any) -> None:
    person = ledger.people(1)[0]
    with store.reading(ledger.engine) as session:
        mine = store.enrollments.newest_of(session, person).id
    values = {"claim_id": "mine", "call_begun_at": ledger.at, "step_id": ledger.steps()[1], "enrollment_id": mine}
    row = ledger.due(person, status=before, **values)
    pause(ledger)
    assert ledger.do(deed, row, *more) == {row}
    assert (ledger.row(row).status, ledger.row(row).held) == ("due", "sequence_paused")
    with store.reading(ledger.engine) as session:
        assert session.get_one(Enrollment, mine).wants_plan


def test_the_last_look_before_the_call_sees_the_mark(ledger: Any) -> None:
    """The mark alone, with nothing held yet, keeps a claimed email back; other kinds go."""
    people, step = ledger.people(2), ledger.steps()[1]
    video, reminder = ledger.due(people[0], step_id=step), ledger.due(people[1], kind="reminder")
    assert ledger.claim("mine") == [video, reminder]
    assert ledger.do(store.pauses.begin, sequence_id(ledger), ledger.at, "anna")
    (seen, _) = ledger.do(store.in_hand.claimed, "mine")
    (why,) = ledger.do(store.in_hand.stopped, "mine", [video])
    assert (seen.allowed, why.allowed, why.sequence_paused) == (False, False, True)
    assert ledger.do(store.claims.begin_call, "mine", [video, reminder], people, ledger.at) == {reminder}


def test_holding_without_a_mark_holds_nothing(ledger: Any) -> None:
    """Somebody has let the sequence go on between the two transactions of a pause."""
    row = ledger.due(ledger.people(1)[0], step_id=ledger.steps()[1])
    assert ledger.do(store.pauses.hold, sequence_id(ledger)) == 0
    assert ledger.row(row).held is None


def test_thousands_are_held_and_let_go_in_a_few_statements(ledger: Any) -> None:
    crowd(ledger, MANY)
    with statements(ledger) as seen:
        assert pause(ledger) == pauses.Change(True, MANY)
    assert len([one for one in seen if one.startswith(("UPDATE", "INSERT"))]) <= 6
    assert ledger.claim() == []
    with statements(ledger) as seen:
        assert pauses.resume(ledger.services, SLUG, ledger.at, "ben") == pauses.Change(True, MANY)
    assert len([one for one in seen if one.startswith(("UPDATE", "INSERT"))]) <= 4
    assert ledger.claim() == [], "still held: the planner lets go"
    with store.reading(ledger.engine) as session:
        assert session.query(Enrollment).filter_by(wants_plan=True).count() == MANY


def test_the_claim_is_the_same_statement_and_uses_its_index(ledger: Any) -> None:
    crowd(ledger, MANY)
    with statements(ledger) as before:
        ledger.claim("one", limit=5)
    pause(ledger)
    with statements(ledger) as after:
        ledger.claim("two", limit=5)
    assert before == after
    (claim,) = [one for one in after if "UPDATE delivery" in one]
    assert "sequence" not in claim
    assert "JOIN" not in claim
    chosen = "SELECT id FROM delivery WHERE status = 'due' AND held IS NULL AND lane = 1 ORDER BY due_at, id LIMIT 5"
    with ledger.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        plan = connection.execute(text(f"{explain} {chosen}")).all()
    assert "ix_delivery_due" in str(plan)
