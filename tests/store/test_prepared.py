"""Statements that each batch repeats are parsed and planned once for a connection; who only reads cannot write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import DBAPIError

from leadmagnet import store
from leadmagnet.store.arrays import Array, array_text
from leadmagnet.store.deliveries import Delivery

PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%of_this_test%'")


@pytest.fixture
def ledger(ledger_on: Any, postgres_url: str) -> Any:
    return ledger_on(postgres_url)


@pytest.mark.postgres
def test_a_statement_stays_prepared_over_transactions_that_read_and_write(ledger: Any) -> None:
    asked = select(Delivery.id.label("of_this_test")).where(Delivery.id == bindparam("wanted"))
    for number in range(8):
        transaction = store.reading if number % 2 else store.writing
        with transaction(ledger.engine) as session:
            session.execute(asked, {"wanted": number})
    with store.reading(ledger.engine) as session:
        assert session.scalar(PREPARED) == 1


@pytest.mark.postgres
def test_who_works_by_ids_has_statements_planned_once_and_all_others_for_their_values(ledger: Any) -> None:
    mode = text("SHOW plan_cache_mode")
    with store.writing(ledger.engine, by_ids=True) as session:
        assert session.scalar(mode) == "force_generic_plan"
        assert session.scalar(text("SHOW synchronous_commit")) == "on"
    with store.writing(ledger.engine, by_ids=True, durable=False) as session:
        assert session.scalar(mode) == "force_generic_plan"
        assert session.scalar(text("SHOW synchronous_commit")) == "off"
    for transaction in (store.writing, store.reading):
        with transaction(ledger.engine) as session:
            assert session.scalar(mode) == "force_custom_plan"
            assert session.scalar(text("SHOW synchronous_commit")) == "on"


@pytest.mark.postgres
def test_who_only_reads_cannot_write(ledger: Any) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"), store.reading(ledger.engine) as session:
        session.execute(text("DELETE FROM halt"))


def test_what_a_reader_changes_by_mistake_is_not_kept(database_url: str, ledger_on: Any) -> None:
    ledger = ledger_on(database_url)
    [person] = ledger.people(1)
    with store.reading(ledger.engine) as session:
        session.get_one(store.subscribers.Subscriber, person).first_name = "Mallory"
    with store.reading(ledger.engine) as session:
        assert session.get_one(store.subscribers.Subscriber, person).first_name != "Mallory"


@pytest.mark.postgres
def test_an_instant_comes_back_in_utc(ledger: Any) -> None:
    [person] = ledger.people(1)
    at = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
    row = ledger.due(person, due_at=at)
    with store.reading(ledger.engine) as session:
        found = session.scalar(select(Delivery.due_at).where(Delivery.id == row))
    assert found == at
    assert found.tzinfo is UTC


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("of", "values"),
    [
        ("TEXT", ["plain", "two words", "a,b", "{c}", "", "NULL", "null", 'say "hi"', "back\\slash", "é\n", "'"]),
        ("TEXT", ["one"]),
        ("TEXT", ['"']),
        ("TEXT", ['a","b', "c"]),
        ("TEXT", ["a", None]),
        ("BIGINT", [1, -2, 2**62]),
        ("BIGINT", [None, 3]),
        ("BOOLEAN", [True, False]),
        ("TIMESTAMP WITH TIME ZONE", [datetime(2026, 3, 1, 9, 0, tzinfo=UTC), None]),
        ("TEXT", []),
    ],
)
def test_an_array_is_read_as_it_was_meant(ledger: Any, of: str, values: list[Any]) -> None:
    with store.reading(ledger.engine) as session:
        given = bindparam("given", array_text(values), type_=Array(of))
        assert session.scalar(select(given)) == values


def test_what_has_no_spelling_in_an_array_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        array_text([b"x"])
