"""Signing up again, in every standing a person can have."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.delivery.send import claim_due, send_claim
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.consent import Origin
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.message import Batch, Outcome, Result
from leadmagnet.feedback.fresh_links import ask
from leadmagnet.feedback.leaving import leave
from leadmagnet.from_config import post_of
from leadmagnet.signup.confirm import Answer, confirm, renew
from leadmagnet.signup.process import process_sign_ups
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick


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


def left_and_asked_anew(world: Any) -> None:
    world.join()
    world.act(leave, world.clock.now(), "one-click")
    world.clock.move(days=1)
    world.sign_up()


class Saying:
    """A provider in whose call the reader says no."""

    name, batch_size, has_evidence = "saying", 1000, False

    def __init__(self, world: Any, outcome: Outcome) -> None:
        self.world, self.outcome, self.calls = world, outcome, 0

    def send(self, batch: Batch) -> list[Result]:
        self.calls += 1
        self.world.clock.move(seconds=1)
        self.world.act(leave, self.world.clock.now(), "one-click")
        return [Result(letter.delivery_id, self.outcome, self.name, "later") for letter in batch.letters]

    def taken(self, delivery_id: str) -> None:
        return None

    def close(self) -> None:
        pass


@pytest.mark.parametrize("outcome", [Outcome.RETRY, Outcome.UNKNOWN])
@pytest.mark.parametrize("standing", ["pending", "left"])
def test_a_no_during_the_call_lets_nothing_go_out_later(fast_world: Any, standing: str, outcome: Outcome) -> None:
    if standing == "left":
        left_and_asked_anew(fast_world)
    else:
        fast_world.sign_up()
    before = kinds(fast_world).count("confirmation")
    mailer = Saying(fast_world, outcome)
    tick(replace(fast_world.services, mailer=mailer), fast_world.clock.now)
    assert (mailer.calls, fast_world.person().status) == (1, "unsubscribed")
    fast_world.live(24 * 5)
    assert kinds(fast_world).count("confirmation") == before
    assert fast_world.deliveries(kind="confirmation")[-1].status == "skipped"


def test_a_no_between_claim_and_call_stops_it(fast_world: Any) -> None:
    left_and_asked_anew(fast_world)
    services, clock, tally = fast_world.services, fast_world.clock.now, Tally()
    with store.writing(services.engine) as session:
        process_sign_ups(session, clock(), clinic_zone="UTC", suppression_key=services.config.suppression_key)
    claim = claim_due(post_of(services), clock, 0)
    assert claim is not None
    fast_world.act(leave, clock(), "one-click")
    send_claim(post_of(services), clock, claim, tally)
    assert (tally.sent, dict(tally.skipped)) == (0, {"not_active": 1})


def test_yes_no_and_yes_again_within_minutes_is_a_yes(fast_world: Any) -> None:
    """The button in the first confirmation works no more, so it keeps back no second one."""
    fast_world.join()
    fast_world.clock.move(minutes=2)
    fast_world.act(leave, fast_world.clock.now(), "unsubscribe page")
    fast_world.clock.move(minutes=1)
    fast_world.sign_up()
    fast_world.tick()
    assert kinds(fast_world).count("confirmation") == 2
    assert fast_world.press_confirm() is Answer.CONFIRMED


def test_who_asks_for_a_copy_and_leaves_still_gets_it(fast_world: Any) -> None:
    fast_world.join()
    for opens in (Opens.DATA, Opens.ADDRESS):
        assert fast_world.act(ask, opens, fast_world.clock.now())
    fast_world.act(leave, fast_world.clock.now(), "unsubscribe page")
    fast_world.tick()
    rows = fast_world.deliveries(kind="fresh_link")
    assert [(row.text_slug, row.status) for row in rows] == [("fresh-data", "sent"), ("fresh-address", "skipped")]


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
