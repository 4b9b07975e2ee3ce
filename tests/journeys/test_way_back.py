"""Somebody whose address stays stopped calls the clinic, and may sign up again."""

from __future__ import annotations

from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.audience.erase import erase
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.stopping import stop_all
from leadmagnet.feedback.way_back import open_way_back
from leadmagnet.signup.confirm import Answer

ANNA = "anna@example.org"


def stopped(world: Any, fact: SubscriberStatus) -> None:
    """Let an event stop Anna, as SendGrid's webhook does."""
    now, key = world.clock.now(), world.services.config.suppression_key
    with store.writing(world.services.engine) as session:
        assert stop_all(session, {world.person().id: fact}, now, channel="provider", actor="the mail provider") == 1
        store.suppressions.add(session, key, {ANNA: str(fact)}, now.real)


def opened(world: Any) -> bool:
    key = world.services.config.suppression_key
    with store.writing(world.services.engine) as session:
        return open_way_back(session, ANNA, world.clock.now().course, key=key, actor="lea@clinic.example")


def confirmations(world: Any) -> int:
    return [kind for kind, _ in world.sent()].count("confirmation")


@pytest.mark.parametrize("fact", [SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED])
def test_who_was_let_back_in_signs_up_confirms_and_goes_on(fast_world: Any, fact: SubscriberStatus) -> None:
    fast_world.join()
    fast_world.clock.move(days=1)
    stopped(fast_world, fact)
    sent = len(fast_world.sent())
    assert opened(fast_world) is True
    fast_world.live(24 * 5)
    assert len(fast_world.sent()) == sent, "by itself it sends nothing"
    assert fast_world.person().status == "unsubscribed"
    fast_world.sign_up()
    fast_world.tick()
    assert confirmations(fast_world) == 2
    assert fast_world.press_confirm() is Answer.CONFIRMED
    fast_world.live(24 * 2)
    videos = fast_world.deliveries(kind="video", status="sent")
    assert len({row.step_id for row in videos}) == len(videos) == 2
    with store.reading(fast_world.services.engine) as session:
        [act] = [one for one in store.activities.of_subscriber(session, fast_world.person().id) if "back" in one.kind]
    assert (act.kind, act.detail, act.actor) == ("may come back", f"was {fact}", "lea@clinic.example")


def test_what_comes_back_later_stops_them_again(fast_world: Any) -> None:
    fast_world.join()
    stopped(fast_world, SubscriberStatus.BOUNCED)
    opened(fast_world)
    stopped(fast_world, SubscriberStatus.COMPLAINED)
    fast_world.clock.move(days=1)
    fast_world.sign_up()
    fast_world.tick()
    assert (fast_world.person().status, confirmations(fast_world)) == ("complained", 1)


def test_an_erased_address_that_stays_stopped_may_come_back_too(fast_world: Any) -> None:
    fast_world.join()
    stopped(fast_world, SubscriberStatus.COMPLAINED)
    now, key = fast_world.clock.now(), fast_world.services.config.suppression_key
    with store.writing(fast_world.services.engine) as session:
        assert erase(session, ANNA, now, key, clinic_zone="UTC")
    before = confirmations(fast_world)
    fast_world.sign_up()
    fast_world.tick()
    assert confirmations(fast_world) == before
    assert opened(fast_world) is True
    assert opened(fast_world) is False, "now nothing keeps them out"
    with store.reading(fast_world.services.engine) as session:
        assert store.suppressions.counts(session) == {"erased": 1}, "so no import brings them back"
    fast_world.clock.move(days=1)
    fast_world.sign_up()
    fast_world.tick()
    assert confirmations(fast_world) == before + 1


def test_a_no_from_before_the_way_back_counts(fast_world: Any) -> None:
    """Bounced, asks anew, says no; then the way back is opened, and only then somebody looks at what was asked."""
    fast_world.join()
    stopped(fast_world, SubscriberStatus.BOUNCED)
    fast_world.clock.move(hours=1)
    fast_world.sign_up()
    fast_world.clock.move(seconds=1)
    fast_world.act(leave, fast_world.clock.now(), "one-click")
    assert opened(fast_world) is True
    fast_world.tick()
    assert confirmations(fast_world) == 1


def test_nobody_else_is_changed(fast_world: Any) -> None:
    fast_world.join()
    before = fast_world.person()
    assert opened(fast_world) is False
    after = fast_world.person()
    assert (after.status, after.confirmed_at) == (before.status, before.confirmed_at)
