"""Consent by purpose: leaving one kind of email keeps the others, and taking it up again goes on where it stood."""

from __future__ import annotations

from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.delivery import send
from leadmagnet.delivery.desk import Desk
from leadmagnet.delivery.letters import batches
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.consent import ALL, COURSE, Channel, ConsentKind, Origin, Purpose
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.feedback import choosing, steering
from leadmagnet.feedback.leaving import leave, stop
from leadmagnet.from_config import post_of
from leadmagnet.signup.addresses import parse_address
from leadmagnet.signup.confirm import Answer, confirm, requested
from leadmagnet.signup.receive import Request, receive

VIDEOS, REMINDERS, NEWS = (frozenset({purpose}) for purpose in Purpose)
ASKED = choosing.Asked("[ ] Videos [ ] Reminders [ ] News", "en", "1")


@pytest.fixture
def world_here(make_world: Any, new_config: Any, hand_clock: Any) -> Any:
    """A clinic on SQLite: what the two databases might do differently is tested on both."""
    return make_world(new_config(), hand_clock.course)


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


def test_each_kind_goes_on_without_the_other(world_here: Any) -> None:
    """First videos alone, then reminders alone; the next video waits meanwhile, and then one comes, no burst."""
    world_here.join()
    assert choose(world_here, VIDEOS)
    world_here.live(24 * 7, step=6)
    assert kinds(world_here) == ["confirmation"] + ["video"] * 3
    assert choose(world_here, REMINDERS)
    world_here.live(24 * 10, step=6)
    assert kinds(world_here).count("video") == 3
    assert "reminder" in kinds(world_here)
    (waiting,) = world_here.deliveries(status="due", kind="video")
    assert waiting.held == "no_consent"
    now = world_here.clock.now().course
    assert not world_here.act(steering.next_now, now), "a button that is not shown does nothing either"
    assert choose(world_here, COURSE)
    world_here.live(24 * 2, step=6)
    assert kinds(world_here).count("video") == 4
    assert [event[:2] for event in record(world_here)[2:]] == [
        ("withdrawn", "reminders"), ("withdrawn", "videos"), ("confirmed", "reminders"), ("confirmed", "videos"),
    ]  # fmt: skip


def test_who_wants_nothing_has_left(world_here: Any) -> None:
    world_here.join()
    assert choose(world_here, frozenset())
    person = world_here.person()
    assert (person.status, set(person.wanted)) == (SubscriberStatus.UNSUBSCRIBED, set())
    assert record(world_here)[-1] == ("withdrawn", "videos reminders news", "own page")
    assert not choose(world_here, COURSE), "only a sign-up brings them back"


def test_news_can_be_all_that_somebody_wants(world_here: Any) -> None:
    world_here.join()
    assert choose(world_here, NEWS)
    before = kinds(world_here)
    world_here.live(24 * 8, step=12)
    assert world_here.person().status == SubscriberStatus.ACTIVE
    assert kinds(world_here) == before, "there are no news to send"


def test_the_same_choice_again_changes_nothing(world_here: Any) -> None:
    world_here.join()
    before = record(world_here)
    assert not choose(world_here, COURSE)
    assert record(world_here) == before


@pytest.mark.parametrize("written", [False, True])
def test_a_withdrawal_wins_until_the_call(fast_world: Any, written: bool) -> None:
    """Whether the letters are written or not: nothing goes out, and the video waits instead of being lost."""
    fast_world.join()
    fast_world.clock.move(hours=74)
    parts, post = fast_world.services, post_of(fast_world.services)
    calls = len(parts.mailer.calls)
    claim = send.claim_due(post, fast_world.clock.now, 1)
    assert claim is not None
    with store.reading(parts.engine) as session:
        rows = store.in_hand.claimed(session, claim.id, claim.ids)
        desk = Desk(session, rows)
    (letters,) = batches(desk, rows, fast_world.clock.now(), clinic=parts.clinic, links=parts.links, most=10)
    choose(fast_world, REMINDERS)
    if written:
        send.call(post, fast_world.clock.now, claim.id, letters, Tally())
    else:
        send.send_claim(post, fast_world.clock.now, claim, Tally())
    assert len(parts.mailer.calls) == calls
    (row,) = fast_world.deliveries(kind="video", status="due")
    assert row.held == "no_consent"
    fast_world.tick()
    choose(fast_world, COURSE)
    fast_world.live(24, step=6)
    assert kinds(fast_world).count("video") == 2


def sign_up(world: Any, purposes: frozenset[Purpose]) -> None:
    request = Request(parse_address("anna@example.org"), "", "", "landing", "Yes.", "en", purposes=purposes)
    with store.writing(world.services.engine) as session:
        receive(session, request, world.clock.now())
    world.tick()


def test_what_is_ticked_is_what_is_granted(world_here: Any) -> None:
    sign_up(world_here, ALL)
    assert world_here.press_confirm() is Answer.CONFIRMED
    assert world_here.person().wanted == ALL
    world_here.act(leave, world_here.clock.now(), Channel.MAILTO)
    world_here.clock.move(days=1)
    sign_up(world_here, COURSE)
    assert world_here.person().wanted == frozenset()
    assert world_here.press_confirm() is Answer.CONFIRMED
    assert world_here.person().wanted == COURSE, "news was not asked for this time"


def test_the_button_confirms_what_its_page_showed(world_here: Any) -> None:
    """Somebody else may sign the same address up once more, with other boxes, between the page and the button."""
    sign_up(world_here, COURSE)
    now = world_here.clock.now()
    with store.reading(world_here.services.engine) as session:
        shown = requested(session, world_here.person().id)
    sign_up(world_here, ALL)
    with store.writing(world_here.services.engine) as session:
        confirm(session, world_here.person().id, now.real, now, Origin(), shown.id)
    assert world_here.person().wanted == COURSE


def test_every_end_has_its_channel_and_both_its_times(world_here: Any) -> None:
    for number, (fact, channel, expected) in enumerate(
        (
            (SubscriberStatus.UNSUBSCRIBED, Channel.PROVIDER, ("withdrawn", "provider")),
            (SubscriberStatus.UNSUBSCRIBED, Channel.COMMAND, ("withdrawn", "command")),
            (SubscriberStatus.COMPLAINED, Channel.PROVIDER, ("withdrawn", "complaint")),
            (SubscriberStatus.BOUNCED, Channel.PROVIDER, ("stopped", "bounce")),
        )
    ):
        address = f"p{number}@example.org"
        world_here.join(address)
        said = world_here.clock.course
        world_here.clock.move(hours=2)
        assert world_here.act(stop, fact, world_here.clock.now(), channel, asked_at=said, address=address)
        with store.reading(world_here.services.engine) as session:
            event = store.consents.events_of(session, world_here.person(address).id)[-1]
        assert (event.kind, event.channel, event.email) == (*expected, address)
        assert (event.at, event.effective_at) == (said, world_here.clock.course)
        assert event.kind == ConsentKind.STOPPED or not world_here.person(address).wanted


def test_a_pause_of_the_clinic_does_not_hide_a_withdrawal(world_here: Any) -> None:
    world_here.join()
    choose(world_here, REMINDERS)
    world_here.tick()
    with store.writing(world_here.services.engine) as session:
        sequence = store.sequences.by_slug(session, "six-core-videos")
        store.pauses.begin(session, sequence.id, world_here.clock.course, "owner")
    with store.writing(world_here.services.engine) as session:
        store.pauses.hold(session, sequence.id)
    with store.writing(world_here.services.engine) as session:
        store.pauses.end(session, sequence.id, world_here.clock.course, "owner")
    world_here.live(24 * 7, step=6)
    assert kinds(world_here).count("video") == 1
