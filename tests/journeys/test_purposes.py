"""Consent by purpose: leaving one kind of email keeps the others, and taking it up again goes on where it stood."""

from __future__ import annotations

from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.delivery import send
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.consent import ALL, COURSE, Channel, ConsentKind, Origin, Purpose
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.feedback import choosing, steering
from leadmagnet.feedback.leaving import leave, stop
from leadmagnet.signup.addresses import parse_address
from leadmagnet.signup.confirm import Answer, confirm, requested
from leadmagnet.signup.receive import Request, receive
from leadmagnet.tick import post_of

VIDEOS, REMINDERS, NEWS = (frozenset({purpose}) for purpose in Purpose)
ASKED = choosing.Asked("[ ] Videos [ ] Reminders [ ] News", "en", "1")


def choose(world: Any, wanted: frozenset[Purpose]) -> bool:
    now = world.clock.now()
    changed: bool = world.act(choosing.choose, wanted, ASKED, now, channel=Channel.OWN_PAGE, origin=Origin("192.0.2.9"))
    return changed


def kinds(world: Any) -> list[str]:
    return [kind for kind, _ in world.sent()]


def record(world: Any) -> list[tuple[str, str, str]]:
    with store.reading(world.services.engine) as session:
        events = store.consents.events_of(session, world.person().id)
        return [(event.kind, event.purposes, event.channel) for event in events]


def test_without_reminders_the_videos_go_on(fast_world: Any) -> None:
    fast_world.join()
    assert choose(fast_world, VIDEOS)
    fast_world.live(24 * 10, step=3)
    assert kinds(fast_world) == ["confirmation"] + ["video"] * 4
    assert choose(fast_world, COURSE)
    fast_world.live(24 * 10, step=3)
    assert "reminder" in kinds(fast_world)
    assert record(fast_world)[2:] == [("withdrawn", "reminders", "own page"), ("confirmed", "reminders", "own page")]


def test_without_videos_the_reminders_go_on_and_the_next_video_waits(fast_world: Any) -> None:
    fast_world.join()
    assert choose(fast_world, REMINDERS)
    fast_world.live(24 * 14, step=3)
    assert kinds(fast_world).count("video") == 1
    assert "reminder" in kinds(fast_world)
    (waiting,) = fast_world.deliveries(status="due", kind="video")
    assert waiting.held == "no_consent"
    now = fast_world.clock.now().course
    assert not fast_world.act(steering.next_now, now), "a button that is not shown does nothing either"
    assert choose(fast_world, COURSE)
    fast_world.live(24 * 2, step=3)
    assert kinds(fast_world).count("video") == 2, "one, and no burst"


def test_who_wants_nothing_has_left(fast_world: Any) -> None:
    fast_world.join()
    assert choose(fast_world, frozenset())
    person = fast_world.person()
    assert (person.status, set(person.wanted)) == (SubscriberStatus.UNSUBSCRIBED, set())
    assert record(fast_world)[-1] == ("withdrawn", "videos reminders news", "own page")
    assert not choose(fast_world, COURSE), "only a sign-up brings them back"


def test_news_can_be_all_that_somebody_wants(fast_world: Any) -> None:
    fast_world.join()
    assert choose(fast_world, NEWS)
    before = kinds(fast_world)
    fast_world.live(24 * 14, step=6)
    assert fast_world.person().status == SubscriberStatus.ACTIVE
    assert kinds(fast_world) == before, "there are no news to send"


def test_the_same_choice_again_changes_nothing(fast_world: Any) -> None:
    fast_world.join()
    before = record(fast_world)
    assert not choose(fast_world, COURSE)
    assert record(fast_world) == before


@pytest.mark.parametrize("moment", ["claimed", "letters are written"])
def test_a_withdrawal_wins_until_the_call(fast_world: Any, moment: str) -> None:
    """Whether the batch has been looked at or not: nothing goes out, and the video waits instead of being lost."""
    fast_world.join()
    fast_world.live(24 * 2)
    fast_world.clock.move(hours=24)
    calls, post = len(fast_world.services.mailer.calls), post_of(fast_world.services)

    def clock() -> Any:
        # It is asked the last time just before the call.
        if moment == "letters are written":
            choose(fast_world, REMINDERS)
        return fast_world.clock.now()

    claim = send.claim_due(post, fast_world.clock.now, 1)
    assert claim is not None
    if moment == "claimed":
        choose(fast_world, REMINDERS)
    send.send_claim(post, clock, claim, Tally())
    assert len(fast_world.services.mailer.calls) == calls
    (row,) = fast_world.deliveries(kind="video", status="due")
    assert row.held == "no_consent"
    fast_world.tick()
    choose(fast_world, COURSE)
    fast_world.live(24, step=3)
    assert kinds(fast_world).count("video") == 2


def sign_up(world: Any, purposes: frozenset[Purpose]) -> None:
    request = Request(parse_address("anna@example.org"), "", "", "landing", "Yes.", "en", purposes=purposes)
    with store.writing(world.services.engine) as session:
        receive(session, request, world.clock.now())
    world.tick()


def test_what_is_ticked_is_what_is_granted(fast_world: Any) -> None:
    sign_up(fast_world, ALL)
    assert fast_world.press_confirm() is Answer.CONFIRMED
    assert fast_world.person().wanted == ALL
    fast_world.act(leave, fast_world.clock.now(), Channel.MAILTO)
    fast_world.clock.move(days=1)
    sign_up(fast_world, COURSE)
    assert fast_world.person().wanted == frozenset()
    assert fast_world.press_confirm() is Answer.CONFIRMED
    assert fast_world.person().wanted == COURSE, "news was not asked for this time"


def test_the_button_confirms_what_its_page_showed(fast_world: Any) -> None:
    """Somebody else may sign the same address up once more, with other boxes, between the page and the button."""
    sign_up(fast_world, COURSE)
    now = fast_world.clock.now()
    with store.reading(fast_world.services.engine) as session:
        shown = requested(session, fast_world.person().id)
    sign_up(fast_world, ALL)
    with store.writing(fast_world.services.engine) as session:
        confirm(session, fast_world.person().id, now.real, now, Origin(), shown.id)
    assert fast_world.person().wanted == COURSE


@pytest.mark.parametrize(
    ("fact", "channel", "expected"),
    [
        (SubscriberStatus.UNSUBSCRIBED, Channel.PROVIDER, ("withdrawn", "provider")),
        (SubscriberStatus.UNSUBSCRIBED, Channel.COMMAND, ("withdrawn", "command")),
        (SubscriberStatus.COMPLAINED, Channel.PROVIDER, ("withdrawn", "complaint")),
        (SubscriberStatus.BOUNCED, Channel.PROVIDER, ("stopped", "bounce")),
    ],
)
def test_every_end_has_its_channel_and_both_its_times(
    fast_world: Any, fact: SubscriberStatus, channel: str, expected: tuple[str, str]
) -> None:
    fast_world.join()
    said = fast_world.clock.course
    fast_world.clock.move(hours=2)
    assert fast_world.act(stop, fact, fast_world.clock.now(), channel, asked_at=said)
    with store.reading(fast_world.services.engine) as session:
        event = store.consents.events_of(session, fast_world.person().id)[-1]
    assert (event.kind, event.channel) == expected
    assert (event.at, event.effective_at) == (said, fast_world.clock.course)
    assert event.kind == ConsentKind.STOPPED or not fast_world.person().wanted


def test_a_pause_of_the_clinic_does_not_hide_a_withdrawal(fast_world: Any) -> None:
    fast_world.join()
    choose(fast_world, REMINDERS)
    fast_world.tick()
    with store.writing(fast_world.services.engine) as session:
        sequence = store.sequences.by_slug(session, "six-core-videos")
        store.pauses.begin(session, sequence.id, fast_world.clock.course, "owner")
    with store.writing(fast_world.services.engine) as session:
        store.pauses.hold(session, sequence.id)
    with store.writing(fast_world.services.engine) as session:
        store.pauses.end(session, sequence.id, fast_world.clock.course, "owner")
    fast_world.live(24 * 7, step=6)
    assert kinds(fast_world).count("video") == 1
