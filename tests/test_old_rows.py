"""Old rows in a pass of the tick, late events of what has moved out, and people erased afterwards."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from leadmagnet import old_rows, store
from leadmagnet.audience.erase import erase
from leadmagnet.services import Services
from leadmagnet.store.counters import DeliveryCount
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.events import ProviderEvent
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression
from leadmagnet.tick import FOLLOWER, LEADER_OF_MANY, Part, always, hear, tick

STAY = 30
OLD = timedelta(days=40)


@pytest.fixture
def clinic(services: Services, hand_clock: Any) -> Services:
    """A clinic that keeps rows for thirty days, with one active person and nine old emails to them."""
    built = replace(services, config=replace(services.config, ledger_retention_days=STAY))
    old_emails(built, hand_clock.course - OLD, 9)
    return built


def old_emails(services: Services, at: datetime, count: int) -> None:
    with store.writing(services.engine) as session:
        person = store.subscribers.by_canonical(session, "anna@example.org")
        if person is None:
            person = Subscriber(email="anna@example.org", email_canonical="anna@example.org", timezone="UTC")
            person.status, person.created_at = "active", at
            session.add(person)
            session.flush()
        for _ in range(count):
            row = Delivery(subscriber_id=person.id, kind="confirmation", lane=0, status="delivered")
            row.created_at = row.due_at = row.sent_at = row.settled_at = at
            session.add(row)


def counted(services: Services) -> tuple[int, int]:
    """Return how many emails are in the ledger, and how many in the counters."""
    with store.reading(services.engine) as session:
        return session.query(Delivery).count(), sum(row.emails for row in session.query(DeliveryCount))


def test_a_pass_moves_what_is_old_once_a_day(clinic: Services, hand_clock: Any) -> None:
    tick(clinic, hand_clock.now)
    assert counted(clinic) == (0, 9)
    old_emails(clinic, hand_clock.course - OLD, 2)
    tick(clinic, hand_clock.now)
    assert counted(clinic) == (2, 9), "the next look comes tomorrow"
    hand_clock.move(days=1)
    tick(clinic, hand_clock.now)
    assert counted(clinic) == (0, 11)


def test_a_pass_moves_no_more_than_some(clinic: Services, hand_clock: Any) -> None:
    for left in (3, 0):
        old_rows.move_some(clinic, hand_clock.now, always, old_rows.Steps(2, 3, 0.0))
        assert counted(clinic) == (left, 9 - left)


@pytest.mark.parametrize(("part", "moves"), [(FOLLOWER, False), (LEADER_OF_MANY, True)])
def test_only_who_leads_moves_rows(clinic: Services, hand_clock: Any, part: Part, moves: bool) -> None:
    tick(clinic, hand_clock.now, part)
    assert counted(clinic) == ((0, 9) if moves else (9, 0))


def test_who_is_told_to_stop_does(clinic: Services, hand_clock: Any) -> None:
    tick(clinic, hand_clock.now, going=lambda: False)
    assert counted(clinic) == (9, 0)


def test_without_the_setting_nothing_moves(clinic: Services, hand_clock: Any) -> None:
    clinic = replace(clinic, config=replace(clinic.config, ledger_retention_days=0))
    tick(clinic, hand_clock.now)
    assert counted(clinic) == (9, 0)


def test_in_a_time_lapse_rows_stay_for_as_long_on_the_real_clock(clinic: Services, hand_clock: Any) -> None:
    """A year of a fast course is an hour; events of the provider take real days."""
    old_emails(clinic, hand_clock.real, 1)
    hand_clock.course += timedelta(days=400)
    tick(clinic, hand_clock.now)
    assert counted(clinic) == (1, 9)


def test_batches_leave_gaps_for_who_shares_the_file(clinic: Services, hand_clock: Any) -> None:
    begun = time.monotonic()
    old_rows.move_some(clinic, hand_clock.now, always, old_rows.Steps(4, 5, 0.03))
    assert counted(clinic) == (0, 9)
    assert time.monotonic() - begun >= 3 * 0.03
    assert old_rows.SHARED.pause > old_rows.ALONE.pause == 0
    assert old_rows.SHARED.rows < old_rows.ALONE.rows


def test_two_at_the_same_time_count_everything_once(clinic: Services, hand_clock: Any) -> None:
    """The command beside the worker, say."""
    old_emails(clinic, hand_clock.course - OLD, 60)
    steps = old_rows.Steps(3, 5, 0.0)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: old_rows.move_all(clinic, hand_clock.now, steps), range(2)))
    assert sum(one.emails.total() for one in both) == 69
    assert counted(clinic) == (0, 69)


def tell(services: Services, clock: Any, name: str, signal: str, public_id: str) -> None:
    now = clock.now()
    row = {"event_id": name, "provider": "sendgrid", "public_id": public_id, "signal": signal, "at": now.real}
    row |= {"received_at": now.real, "email": "anna@example.org", "detail": "", "raw": "{}"}
    with store.writing(services.engine) as session:
        store.events.add(session, [row])
    hear(services, now)


def standing(services: Services) -> tuple[str, list[str], int]:
    """Return where the person stands, which events are applied, and how many addresses are suppressed."""
    with store.reading(services.engine) as session:
        person = store.subscribers.by_canonical(session, "anna@example.org")
        events = [row for row in session.query(ProviderEvent).order_by(ProviderEvent.id) if row.applied_at]
        assert not any(row.email for row in events)
        return person.status if person else "", [row.event_id for row in events], session.query(Suppression).count()


def test_events_that_come_late_are_kept_and_still_stop_the_person(clinic: Services, hand_clock: Any) -> None:
    with store.reading(clinic.engine) as session:
        ids = [row.public_id for row in session.query(Delivery)]
    tell(clinic, hand_clock, "early", "delivered", ids[0])
    tick(clinic, hand_clock.now)
    assert counted(clinic) == (0, 9)
    for signal in ("accepted", "delivered", "bounced_soft", "dropped", "opened_human"):
        tell(clinic, hand_clock, signal, signal, ids[1])
    assert standing(clinic)[0] == "active"
    tell(clinic, hand_clock, "complaint", "complained", ids[1])
    tell(clinic, hand_clock, "complaint", "complained", ids[1])
    told = ["early", "accepted", "delivered", "bounced_soft", "dropped", "opened_human", "complaint"]
    assert standing(clinic) == ("complained", told, 1)
    assert counted(clinic) == (0, 9), "what is a number already does not change"
    hand_clock.move(days=STAY, seconds=1)
    tick(clinic, hand_clock.now)
    assert standing(clinic) == ("complained", [], 1)


def test_erasing_turns_what_is_left_into_numbers(clinic: Services, hand_clock: Any) -> None:
    tick(clinic, hand_clock.now)
    old_emails(clinic, hand_clock.course, 2)
    assert counted(clinic) == (2, 9)
    with store.writing(clinic.engine) as session:
        assert erase(
            session, "anna@example.org", hand_clock.now(), clinic.config.suppression_key, clinic_zone="Europe/Zurich"
        )
    assert counted(clinic) == (0, 11)
    with store.reading(clinic.engine) as session:
        names = {column.name for column in DeliveryCount.__table__.columns}
        assert session.query(Subscriber).count() == 0
    assert not [name for name in names if "subscriber" in name or "email_" in name or "public" in name]
