"""What a pass forgets, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.looking import agenda
from leadmagnet.purge import purge
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber


def pending(services: Any, clock: Any, **columns: Any) -> None:
    """Write down somebody who signed up now and was, or is to be, sent a confirmation."""
    with store.writing(services.engine) as session:
        person = Subscriber(
            email="a@example.org", email_canonical="a@example.org", timezone="UTC", created_at=clock.course
        )
        session.add(person)
        session.flush()
        values = {"status": "sent", "settled_at": clock.real} | columns
        session.add(
            Delivery(
                subscriber_id=person.id,
                kind="confirmation",
                lane=0,
                created_at=clock.course,
                due_at=clock.course,
                **values,
            )
        )


def forgotten(services: Any, clock: Any) -> bool:
    stale = agenda(services, clock.now()).stale
    assert (purge(services, clock.now()) == 1) is stale
    return stale


def test_who_never_confirmed_is_forgotten_after_thirty_days(services: Any, hand_clock: Any) -> None:
    pending(services, hand_clock)
    hand_clock.move(days=30, seconds=-1)
    assert not forgotten(services, hand_clock)
    hand_clock.move(seconds=1)
    assert forgotten(services, hand_clock)
    with store.reading(services.engine) as session:
        assert session.query(Subscriber).count() == 0


def test_in_a_time_lapse_nobody_is_forgotten_while_the_link_works(services: Any, hand_clock: Any) -> None:
    """Thirty days of a fast course can be five minutes; the link in the mailbox works for seven real days."""
    pending(services, hand_clock)
    hand_clock.course += timedelta(days=40)
    hand_clock.real += timedelta(minutes=5)
    assert not forgotten(services, hand_clock)
    hand_clock.real += timedelta(days=7)
    assert forgotten(services, hand_clock)


def test_a_fresh_link_keeps_an_old_sign_up(services: Any, hand_clock: Any) -> None:
    pending(services, hand_clock, settled_at=hand_clock.real + timedelta(days=29))
    hand_clock.move(days=35)
    assert not forgotten(services, hand_clock)
    hand_clock.move(days=1)
    assert forgotten(services, hand_clock)


@pytest.mark.parametrize("status", ["due", "claimed", "unknown"])
def test_who_has_not_been_written_to_yet_is_not_forgotten(services: Any, hand_clock: Any, status: str) -> None:
    pending(services, hand_clock, status=status, settled_at=None)
    hand_clock.move(days=60)
    assert not forgotten(services, hand_clock)
