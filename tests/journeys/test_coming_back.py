"""Signing up again, in every standing a person can have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.domain.consent import Origin
from leadmagnet.feedback.leaving import leave
from leadmagnet.signup.confirm import Answer, confirm, renew
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber


def kinds(world: Any) -> list[str]:
    return [kind for kind, _ in world.sent()]


def test_pending_gets_the_confirmation_again_after_the_cool_down(fast_world: Any) -> None:
    fast_world.sign_up()
    fast_world.tick()
    fast_world.clock.move(minutes=2)
    fast_world.sign_up()
    fast_world.tick()
    assert kinds(fast_world) == ["confirmation"]
    fast_world.clock.move(minutes=9)
    fast_world.sign_up()
    fast_world.tick()
    assert kinds(fast_world) == ["confirmation", "confirmation"]


def test_twenty_sign_ups_in_a_row_give_one_confirmation(fast_world: Any) -> None:
    for _ in range(20):
        fast_world.sign_up()
    fast_world.tick()
    assert kinds(fast_world) == ["confirmation"]


def test_active_is_told_so_once_a_day_and_nothing_else_changes(fast_world: Any) -> None:
    fast_world.join()
    before = fast_world.person()
    for hours in (1, 1, 25):
        fast_world.clock.move(hours=hours)
        fast_world.sign_up(name="Somebody else", zone="Asia/Tokyo")
        fast_world.tick()
    assert kinds(fast_world).count("already_subscribed") == 2
    after = fast_world.person()
    assert (after.first_name, after.timezone, after.status) == (before.first_name, before.timezone, "active")


def test_an_anonymous_sign_up_never_overwrites_a_pending_person(fast_world: Any) -> None:
    fast_world.sign_up(name="Anna")
    fast_world.tick()
    fast_world.clock.move(hours=1)
    fast_world.sign_up(name="Mallory", zone="Asia/Tokyo")
    fast_world.tick()
    assert fast_world.person().first_name == "Anna"
    assert fast_world.person().timezone == "America/Vancouver"


def test_who_left_confirms_again_and_goes_on_at_the_first_unsent_video(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(24 * 4)
    assert kinds(fast_world).count("video") == 2
    fast_world.act(leave, fast_world.clock.now(), "unsubscribe page")
    fast_world.live(24 * 10)
    assert kinds(fast_world).count("video") == 2
    fast_world.sign_up()
    fast_world.tick()
    assert kinds(fast_world).count("video") == 2, "signing up alone brings no video"
    assert fast_world.press_confirm() is Answer.CONFIRMED
    fast_world.live(24 * 2)
    videos = fast_world.deliveries(kind="video", status="sent")
    assert len({row.step_id for row in videos}) == len(videos) == 3


def test_who_leaves_after_signing_up_anew_is_not_asked_to_confirm(fast_world: Any) -> None:
    """Also where nobody had looked at the sign-up yet: the no came last."""
    fast_world.join()
    fast_world.clock.move(days=1)
    before = kinds(fast_world).count("confirmation")
    fast_world.sign_up()
    fast_world.clock.move(seconds=1)
    fast_world.act(leave, fast_world.clock.now(), "one-click")
    fast_world.tick()
    assert kinds(fast_world).count("confirmation") == before
    with store.reading(fast_world.services.engine) as session:
        outcomes = [row.outcome for row in session.query(SignUp).order_by(SignUp.id)]
    assert outcomes == ["confirmation", "left since"]
    fast_world.clock.move(hours=1)
    fast_world.sign_up()
    fast_world.tick()
    assert kinds(fast_world).count("confirmation") == before + 1


def test_who_leaves_again_takes_back_what_they_asked_for_since(fast_world: Any) -> None:
    """They had left, signed up anew, and say no once more before the confirmation has gone out."""
    fast_world.join()
    fast_world.act(leave, fast_world.clock.now(), "one-click")
    fast_world.clock.move(days=1)
    before = kinds(fast_world).count("confirmation")
    now = fast_world.clock.now()
    with store.writing(fast_world.services.engine) as session:
        store.halts.stop(session, "a look at the texts", now.real, now.real + timedelta(hours=1))
    fast_world.sign_up()
    fast_world.tick()
    [waiting] = fast_world.deliveries(kind="confirmation", status="due")
    fast_world.clock.move(seconds=1)
    assert fast_world.act(leave, fast_world.clock.now(), "one-click") is False
    fast_world.clock.move(hours=2)
    fast_world.tick()
    assert kinds(fast_world).count("confirmation") == before
    assert [row.id for row in fast_world.deliveries(kind="confirmation", status="skipped")] == [waiting.id]


def test_an_old_link_does_not_bring_back_who_left(fast_world: Any) -> None:
    fast_world.join()
    issued = fast_world.clock.now().real
    fast_world.clock.move(hours=2)
    fast_world.act(leave, fast_world.clock.now(), "unsubscribe page")
    fast_world.clock.move(hours=2)
    person = fast_world.person()
    with store.writing(fast_world.services.engine) as session:
        answer, _ = confirm(session, person.id, issued, fast_world.clock.now(), Origin())
    assert answer is Answer.EXPIRED
    assert fast_world.person().status == "unsubscribed"


@pytest.mark.parametrize("status", ["bounced", "complained"])
def test_bounced_and_complained_stay_stopped(fast_world: Any, status: str) -> None:
    fast_world.join()
    fast_world.act(lambda session, person: setattr(person, "status", status))
    fast_world.clock.move(days=2)
    fast_world.sign_up()
    sent = len(fast_world.sent())
    fast_world.live(24 * 5)
    assert len(fast_world.sent()) == sent
    assert fast_world.press_confirm() is Answer.STOPPED


def test_a_link_lives_seven_days_and_then_offers_a_new_one(fast_world: Any) -> None:
    fast_world.sign_up()
    fast_world.tick()
    issued, person = fast_world.clock.now().real, fast_world.person()
    fast_world.clock.move(days=7, minutes=1)
    with store.writing(fast_world.services.engine) as session:
        assert confirm(session, person.id, issued, fast_world.clock.now(), Origin())[0] is Answer.EXPIRED
        renew(session, person.id, fast_world.clock.now())
    fast_world.tick()
    assert kinds(fast_world) == ["confirmation", "confirmation"]
    assert fast_world.press_confirm() is Answer.CONFIRMED


def test_pressing_twice_confirms_once(fast_world: Any) -> None:
    fast_world.join()
    assert fast_world.press_confirm() is Answer.ALREADY
    fast_world.tick()
    assert kinds(fast_world) == ["confirmation", "video"]
    with store.reading(fast_world.services.engine) as session:
        events = store.consents.events_of(session, fast_world.person().id)
    assert [event.kind for event in events] == ["requested", "confirmed"]
    assert events[0].wording_id == events[1].wording_id


def test_a_sign_up_nobody_confirmed_is_forgotten_after_thirty_days(fast_world: Any) -> None:
    fast_world.sign_up()
    fast_world.join("ben@example.org")
    fast_world.clock.move(days=29, hours=23)
    fast_world.tick()
    assert fast_world.person().status == "pending"
    fast_world.clock.to(fast_world.person().created_at + timedelta(days=30, minutes=1))
    fast_world.tick()
    with store.reading(fast_world.services.engine) as session:
        assert [person.email for person in session.query(Subscriber)] == ["ben@example.org"]


def test_two_spellings_are_one_person(fast_world: Any) -> None:
    fast_world.sign_up("Anna@Example.org")
    fast_world.sign_up("anna@EXAMPLE.org")
    fast_world.tick()
    with store.reading(fast_world.services.engine) as session:
        assert session.query(Subscriber).count() == 1
