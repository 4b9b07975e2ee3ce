"""The claim: who gets which row, what a lost claim may still do, and what wins over everything (consent)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.deliveries import Delivery


def begin_call(ledger: Any, claim_id: str, ids: list[int]) -> set[int]:
    readers = {ledger.row(row_id).subscriber_id for row_id in ids}
    begun: set[int] = ledger.do(store.claims.begin_call, claim_id, ids, readers, ledger.at)
    return begun


def test_a_claim_takes_what_is_due_oldest_first(ledger: Any) -> None:
    people = ledger.people(4)
    late = [ledger.due(person, due_at=ledger.at - timedelta(hours=hours)) for hours, person in enumerate(people)]
    assert ledger.claim("one", limit=2) == sorted(late[2:])
    assert ledger.claim("two", limit=9) == sorted(late[:2])
    assert ledger.claim("three") == []
    row = ledger.row(late[3])
    assert (row.status, row.claim_id, row.call_begun_at) == ("claimed", "one", None)
    assert row.lease_until == ledger.at + timedelta(seconds=120)


@pytest.mark.parametrize(
    "columns",
    [
        {"due_at": timedelta(seconds=1)},
        {"held": "paused"},
        {"lane": 0},
        {"retry_at": timedelta(seconds=1)},
        {"closes_at": timedelta()},
        {"status": "skipped"},
        {"status": "unknown"},
        {"status": "sent"},
    ],
    ids=str,
)
def test_a_claim_leaves_what_must_wait(ledger: Any, columns: dict[str, Any]) -> None:
    person = ledger.people(1)[0]
    moved = {key: ledger.at + value if isinstance(value, timedelta) else value for key, value in columns.items()}
    row = ledger.due(person, **moved)
    assert ledger.claim() == []
    assert ledger.row(row).claim_id is None


def test_a_claim_takes_a_row_at_its_very_instant(ledger: Any) -> None:
    person = ledger.people(1)[0]
    row = ledger.due(person, retry_at=ledger.at, closes_at=ledger.at + timedelta(microseconds=1))
    assert ledger.claim() == [row]


def test_threads_never_share_a_row(ledger: Any) -> None:
    """On PostgreSQL they pass over one another's locks; SQLite lets one in at a time."""
    people = ledger.people(120)
    for person in people:
        ledger.due(person)
    taken: dict[str, list[int]] = {}
    ready = threading.Barrier(3)

    def work(name: str) -> None:
        mine: list[int] = []
        ready.wait(timeout=10)
        while got := ledger.claim(name, limit=7):
            mine += got
        taken[name] = mine

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    everything = Counter(row for rows in taken.values() for row in rows)
    assert len(everything) == 120
    assert set(everything.values()) == {1}
    with store.reading(ledger.engine) as session:
        owners = {row.id: row.claim_id for row in session.query(Delivery)}
    assert all(owners[row] == name for name, rows in taken.items() for row in rows)


@pytest.mark.postgres
def test_a_row_locked_by_another_is_passed_over(postgres_url: str, ledger_on: Callable[[str], Any]) -> None:
    """Two transactions open at once, the first uncommitted: the second takes the other rows and does not wait."""
    ledger = ledger_on(postgres_url)
    rows = [ledger.due(person) for person in ledger.people(4)]
    claim = {"now": ledger.at, "real_now": ledger.at, "lease_until": ledger.at + timedelta(seconds=9), "lane": 1}
    with store.writing(ledger.engine) as first, store.writing(ledger.engine) as second:
        one = store.claims.claim(first, claim_id="one", limit=3, **claim)
        two = store.claims.claim(second, claim_id="two", limit=3, **claim)
    assert len(one) == 3
    assert sorted(one + two) == rows


def test_settling_a_lost_claim_changes_nothing(ledger: Any) -> None:
    row = ledger.due(ledger.people(1)[0])
    ledger.claim("first")
    assert ledger.do(store.claims.reopen, row, DeliveryStatus.CLAIMED, "another") == set()
    ledger.do(store.claims.reopen, row, DeliveryStatus.CLAIMED, "first")
    ledger.claim("second")
    for deed, more in (
        (store.claims.settle, {"status": DeliveryStatus.SENT}),
        (store.claims.give_back, {"held": "hurt"}),
    ):
        assert ledger.do(deed, "first", [row], **more) == set()
    assert begin_call(ledger, "first", [row]) == set()
    found = ledger.row(row)
    assert (found.status, found.claim_id, found.held) == ("claimed", "second", None)
    assert ledger.do(store.claims.settle, "second", [row], status=DeliveryStatus.SENT) == {row}
    assert ledger.do(store.claims.settle, "second", [row], status=DeliveryStatus.FAILED) == set()
    assert ledger.row(row).status == "sent"


def test_giving_back_forgets_the_claim(ledger: Any) -> None:
    row = ledger.due(ledger.people(1)[0])
    ledger.claim("mine")
    begin_call(ledger, "mine", [row])
    assert ledger.row(row).call_begun_at == ledger.at
    ledger.do(store.claims.give_back, "mine", [row], attempts=1, retry_at=ledger.at + timedelta(seconds=3))
    found = ledger.row(row)
    assert (found.status, found.claim_id, found.lease_until, found.call_begun_at) == ("due", None, None, None)
    assert ledger.claim("again") == []
    assert ledger.claim("again", seconds=5, minutes=1) == [row]


def test_leases_over_names_the_silent_and_only_them(ledger: Any) -> None:
    people = ledger.people(3)
    silent, alive, due = (ledger.due(person) for person in people)
    ledger.claim("dead", limit=1, seconds=10)
    ledger.claim("alive", limit=1, seconds=60)

    def over(seconds: float) -> list[int]:
        with store.reading(ledger.engine) as session:
            return [row.id for row in store.claims.leases_over(session, ledger.at + timedelta(seconds=seconds), 10)]

    assert over(9) == []
    assert over(10) == [silent]
    assert over(60) == [silent, alive]
    ledger.do(store.claims.change, [alive], DeliveryStatus.CLAIMED, status=DeliveryStatus.UNKNOWN)
    assert over(60) == [silent, alive]
    assert ledger.row(due).status == "due"


@pytest.mark.parametrize(
    ("kind", "person", "allowed"),
    [
        ("video", {}, True),
        ("video", {"status": "unsubscribed"}, False),
        ("video", {"status": "bounced"}, False),
        ("video", {"status": "complained"}, False),
        ("video", {"status": "pending"}, False),
        ("video", {"paused_at": True}, False),
        ("video", {"hurt_at": True}, False),
        ("finished", {"hurt_at": True}, False),
        ("reminder", {}, True),
        ("reminder", {"wants_reminders": False}, False),
        ("video", {"wants_reminders": False}, True),
        ("video", {"wants_videos": False}, False),
        ("finished", {"wants_videos": False}, False),
        ("reminder", {"wants_videos": False}, True),
        ("already_subscribed", {"wants_videos": False, "wants_reminders": False}, True),
        ("confirmation", {"status": "pending"}, True),
        ("confirmation", {"status": "unsubscribed"}, True),
        ("confirmation", {}, False),
        ("confirmation", {"status": "complained"}, False),
        ("already_subscribed", {}, True),
        ("already_subscribed", {"status": "unsubscribed"}, False),
        ("fresh_link", {"status": "unsubscribed", "hurt_at": True}, True),
        ("fresh_link", {"status": "complained"}, False),
        ("new_address", {"status": "unsubscribed"}, False),
    ],
    ids=str,
)
def test_consent_is_looked_at_once_more_before_the_call(
    ledger: Any, kind: str, person: dict[str, Any], allowed: bool
) -> None:
    columns = {key: ledger.at if value is True and key.endswith("_at") else value for key, value in person.items()}
    row = ledger.due(ledger.people(1, **columns)[0], kind=kind)
    ledger.claim("mine")
    assert begin_call(ledger, "mine", [row]) == ({row} if allowed else set())
    assert (ledger.row(row).call_begun_at is not None) is allowed


def test_skipping_takes_due_rows_only(ledger: Any) -> None:
    people = ledger.people(2)
    claimed = ledger.due(people[0])
    ledger.claim("mine")
    due = ledger.due(people[1])
    assert ledger.do(store.claims.skip_due, "not_active", Delivery.subscriber_id.in_(people)) == 1
    assert (ledger.row(due).status, ledger.row(due).skip_reason) == ("skipped", "not_active")
    assert ledger.row(claimed).status == "claimed"


def test_no_ids_no_statement(ledger: Any) -> None:
    assert ledger.do(store.claims.settle, "mine", [], status=DeliveryStatus.SENT) == set()
    assert ledger.do(store.claims.change, [], DeliveryStatus.DUE, status=DeliveryStatus.SENT) == set()
