"""Another address, on both databases: two emails, two buttons, and everything else stays with the person."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from leadmagnet import store
from leadmagnet.audience.erase import erase
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.signals import Signal
from leadmagnet.feedback.address import Answer, NewAddress, Origin, change, propose
from leadmagnet.feedback.fresh_links import Found, State, ask, hold, look
from leadmagnet.feedback.leaving import leave
from leadmagnet.store.fresh_links import FreshLink
from leadmagnet.store.signups import SignUp
from leadmagnet.store.suppressions import Suppression, email_hash

# What the two kinds of database do differently is the subject of the first and the last test.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NEW = NewAddress("Anna@New.example", "anna@new.example")
PATHS = {Opens.DATA: "data", Opens.ERASE: "erase", Opens.ADDRESS: "address", Opens.NEW_ADDRESS: "new-address"}


def press(world: Any, opens: Opens, address: str = "anna@example.org") -> bool:
    """Ask for a link on the own page, and let the worker send it."""
    sent = world.act(ask, opens, world.clock.now(), address=address)
    world.tick()
    return bool(sent)


def newest(mailer: Any) -> tuple[str, str]:
    """To whom the newest letter went, and its text."""
    letter = mailer.calls[-1].letters[-1]
    return letter.to_email, mailer.calls[-1].content.text + "\n" + "\n".join(letter.values.values())


def link_in(world: Any, mailer: Any, opens: Opens) -> tuple[int, datetime]:
    token = re.search(rf"/{PATHS[opens]}/([\w-]+)", newest(mailer)[1])
    assert token
    return world.services.links.read_fresh(opens, token[1])


def found(world: Any, opens: Opens, link: tuple[int, datetime]) -> Found:
    with store.reading(world.services.engine) as session:
        return look(session, opens, *link, world.clock.now())


def ask_for(world: Any, link: tuple[int, datetime], new: NewAddress = NEW) -> State:
    with store.writing(world.services.engine) as session:
        held = hold(session, Opens.ADDRESS, *link, world.clock.now())
        if held.state is State.OPEN:
            propose(session, held, new, world.clock.now(), world.services.config.suppression_key)
    world.tick()
    return held.state


def confirm_at(world: Any, link: tuple[int, datetime]) -> Answer | State:
    with store.writing(world.services.engine) as session:
        held = hold(session, Opens.NEW_ADDRESS, *link, world.clock.now())
        if held.state is not State.OPEN:
            return held.state
        origin = Origin("203.0.113.7", "a browser")
        return change(session, held, world.clock.now(), origin, world.services.config.suppression_key)


def move(world: Any, mailer: Any, new: NewAddress = NEW) -> Answer | State:
    """The whole way of an address change."""
    press(world, Opens.ADDRESS)
    ask_for(world, link_in(world, mailer, Opens.ADDRESS), new)
    return confirm_at(world, link_in(world, mailer, Opens.NEW_ADDRESS))


def test_two_emails_in_the_lane_of_answers_and_everything_stays_with_the_person(
    fast_world: Any, memory_mailer: Any
) -> None:
    fast_world.join()
    before, events = fast_world.person(), len(consents(fast_world))
    assert press(fast_world, Opens.ADDRESS)
    to, _ = newest(memory_mailer)
    assert to == "anna@example.org"
    ask_for(fast_world, link_in(fast_world, memory_mailer, Opens.ADDRESS))
    to, words = newest(memory_mailer)
    assert to == "Anna@New.example"
    assert memory_mailer.calls[-1].letters[-1].to_name == ""
    assert "/p/" not in words
    assert "/u/" not in words
    assert "Anna," not in words
    rows = [row for row in fast_world.deliveries() if row.kind in ("fresh_link", "new_address")]
    assert [(row.kind, row.lane, row.day, row.status) for row in rows] == [
        ("fresh_link", 0, None, "sent"),
        ("new_address", 0, None, "sent"),
    ]
    assert confirm_at(fast_world, link_in(fast_world, memory_mailer, Opens.NEW_ADDRESS)) is Answer.CHANGED
    after = fast_world.person("anna@new.example")
    assert (after.id, after.email, after.status, after.leave_id) == (before.id, NEW.email, "active", before.leave_id)
    kinds = [row.kind for row in fast_world.deliveries("anna@new.example")]
    assert kinds == ["confirmation", "video", "fresh_link", "new_address", "video"]
    told = consents(fast_world, "anna@new.example")
    assert len(told) == events + 1
    key = fast_world.services.config.suppression_key
    for address in ("anna@example.org", "anna@new.example"):
        assert email_hash(key, address)[:16] in told[-1].detail
        assert address not in told[-1].detail
    assert (told[-1].kind, told[-1].purposes, told[-1].channel) == ("confirmed", "videos reminders", "address change")
    assert (told[-1].ip, told[-1].wording_id) == ("203.0.113.7", told[0].wording_id)
    acts = [row.kind for row in activities(fast_world, "anna@new.example")]
    assert acts == ["asked for a link", "asked to change the address", "changed the address"]
    fast_world.live(24 * 3 + 4)
    assert newest(memory_mailer)[0] == NEW.email


def consents(world: Any, address: str = "anna@example.org") -> list[Any]:
    with store.reading(world.services.engine) as session:
        return store.consents.events_of(session, world.person(address).id)


def activities(world: Any, address: str = "anna@example.org") -> list[Any]:
    with store.reading(world.services.engine) as session:
        return store.activities.of_subscriber(session, world.person(address).id)


@sqlite_only
def test_afterwards_all_links_are_void_and_letters_with_them_stay_away(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    press(fast_world, Opens.DATA)
    copy = link_in(fast_world, memory_mailer, Opens.DATA)
    press(fast_world, Opens.ADDRESS)
    ask_for(fast_world, link_in(fast_world, memory_mailer, Opens.ADDRESS))
    new = link_in(fast_world, memory_mailer, Opens.NEW_ADDRESS)
    fast_world.act(ask, Opens.ERASE, fast_world.clock.now())  # its letter is still to go out
    assert found(fast_world, Opens.DATA, copy).state is State.OPEN
    assert confirm_at(fast_world, new) is Answer.CHANGED
    calls = len(memory_mailer.calls)
    fast_world.tick()
    assert len(memory_mailer.calls) == calls
    rows = fast_world.deliveries("anna@new.example", kind="fresh_link")
    assert [row.skip_reason for row in rows] == ["", "", "superseded"]
    assert found(fast_world, Opens.DATA, copy).state is State.USED
    assert confirm_at(fast_world, new) is State.USED


@sqlite_only
def test_an_address_that_cannot_be_used_gets_no_email_and_the_same_answer(fast_world: Any, memory_mailer: Any) -> None:
    """One's own, somebody's, one that waits for a confirmation, one that stays stopped."""
    fast_world.join()
    fast_world.join("known@example.org")
    fast_world.sign_up("pending@example.org")
    fast_world.tick()
    with store.writing(fast_world.services.engine) as session:
        hashed = email_hash(fast_world.services.config.suppression_key, "stopped@example.org")
        session.add(Suppression(email_hash=hashed, reason="complained", at=fast_world.clock.now().course))
    for name in ("anna", "known", "pending", "stopped"):
        press(fast_world, Opens.ADDRESS)
        calls, new = len(memory_mailer.calls), NewAddress(f"{name}@example.org", f"{name}@example.org")
        assert ask_for(fast_world, link_in(fast_world, memory_mailer, Opens.ADDRESS), new) is State.OPEN
        assert len(memory_mailer.calls) == calls
        fast_world.clock.move(minutes=11)
    rows = fast_world.deliveries(kind="new_address")
    assert [(row.status, row.skip_reason) for row in rows] == [("skipped", "address_taken")] * 4
    with store.reading(fast_world.services.engine) as session:
        assert not session.scalars(select(FreshLink).where(FreshLink.new_email != "")).all()


@sqlite_only
def test_an_address_that_somebody_takes_meanwhile_is_left_to_them(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    press(fast_world, Opens.ADDRESS)
    ask_for(fast_world, link_in(fast_world, memory_mailer, Opens.ADDRESS))
    new = link_in(fast_world, memory_mailer, Opens.NEW_ADDRESS)
    fast_world.sign_up("anna@new.example", name="Another")
    fast_world.tick()
    assert confirm_at(fast_world, new) is Answer.TAKEN
    assert fast_world.person().first_name == "Anna"
    assert fast_world.person("anna@new.example").first_name == "Another"


@sqlite_only
def test_a_link_works_once_for_an_hour_and_for_its_own_thing(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    press(fast_world, Opens.ADDRESS)
    link = link_in(fast_world, memory_mailer, Opens.ADDRESS)
    for other in set(Opens) - {Opens.ADDRESS}:
        assert found(fast_world, other, link).state is State.GONE
    fast_world.clock.move(minutes=60)
    assert found(fast_world, Opens.ADDRESS, link).state is State.OPEN
    fast_world.clock.move(minutes=1)
    assert found(fast_world, Opens.ADDRESS, link).state is State.OLD
    press(fast_world, Opens.ADDRESS)
    fresh = link_in(fast_world, memory_mailer, Opens.ADDRESS)
    assert ask_for(fast_world, fresh) is State.OPEN
    assert ask_for(fast_world, fresh) is State.USED
    assert [row.kind for row in fast_world.deliveries()].count("new_address") == 1


@sqlite_only
def test_the_hour_counts_from_the_letter_not_from_the_press(fast_world: Any, memory_mailer: Any) -> None:
    from leadmagnet.domain.message import MailError

    def down(_batch: Any) -> None:
        raise MailError("no answer", permanent=False)

    fast_world.join()
    memory_mailer.script = down
    press(fast_world, Opens.DATA)
    fast_world.clock.move(hours=3)
    memory_mailer.script = None
    fast_world.tick()
    assert found(fast_world, Opens.DATA, link_in(fast_world, memory_mailer, Opens.DATA)).state is State.OPEN


@sqlite_only
def test_one_link_of_a_kind_in_ten_minutes(fast_world: Any) -> None:
    fast_world.join()
    assert [press(fast_world, Opens.DATA) for _ in range(3)] == [True, False, False]
    assert press(fast_world, Opens.ERASE)
    fast_world.clock.move(minutes=10)
    assert press(fast_world, Opens.DATA)
    assert [row.text_slug for row in fast_world.deliveries(kind="fresh_link")] == [
        "fresh-data",
        "fresh-erase",
        "fresh-data",
    ]


@sqlite_only
def test_a_pause_and_pain_hold_no_answer(fast_world: Any) -> None:
    fast_world.join()
    now = fast_world.clock.now().course
    fast_world.act(lambda session, person: [setattr(person, name, now) for name in ("paused_at", "hurt_at")])
    press(fast_world, Opens.DATA)
    assert [row.status for row in fast_world.deliveries(kind="fresh_link")] == ["sent"]


@sqlite_only
def test_who_has_left_gets_a_copy_and_an_erasure_and_no_other_address(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    fast_world.act(leave, fast_world.clock.now(), "unsubscribe page")
    assert [press(fast_world, opens) for opens in (Opens.DATA, Opens.ERASE, Opens.ADDRESS)] == [True, True, False]
    assert newest(memory_mailer)[0] == "anna@example.org"
    assert [row.status for row in fast_world.deliveries(kind="fresh_link")] == ["sent", "sent"]


@sqlite_only
def test_who_leaves_after_asking_for_another_address_cannot_confirm_it(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    press(fast_world, Opens.ADDRESS)
    ask_for(fast_world, link_in(fast_world, memory_mailer, Opens.ADDRESS))
    new = link_in(fast_world, memory_mailer, Opens.NEW_ADDRESS)
    fast_world.act(leave, fast_world.clock.now(), "one-click")
    assert confirm_at(fast_world, new) is State.OLD
    assert fast_world.person().status == "unsubscribed"


@sqlite_only
@pytest.mark.parametrize(
    ("kind", "email", "status"),
    [
        ("new_address", "anna@new.example", "active"),
        ("video", "anna@example.org", "bounced"),
        ("video", "an-older@example.org", "active"),
    ],
)
def test_what_happens_at_another_address_stops_nobody(
    fast_world: Any, memory_mailer: Any, kind: str, email: str, status: str
) -> None:
    """A bounce of the letter to the new address, or a late one of the address before, is no word about this one."""
    fast_world.join()
    press(fast_world, Opens.ADDRESS)
    ask_for(fast_world, link_in(fast_world, memory_mailer, Opens.ADDRESS))
    row, now = fast_world.deliveries(kind=kind)[-1], fast_world.clock.now().real
    event = {"event_id": "1", "provider": "sendgrid", "public_id": row.public_id, "signal": str(Signal.BOUNCED_HARD)}
    event |= {"at": now, "received_at": now, "email": email, "detail": "no such user", "raw": "{}"}
    with store.writing(fast_world.services.engine) as session:
        store.events.add(session, [event])
    fast_world.tick()
    assert fast_world.person().status == status


@sqlite_only
def test_forms_follow_so_that_an_erasure_finds_them(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    assert move(fast_world, memory_mailer) is Answer.CHANGED
    now = fast_world.clock.now()
    with store.writing(fast_world.services.engine) as session:
        config = fast_world.services.config
        assert erase(session, NEW.email, now, config.suppression_key, clinic_zone=config.clinic_timezone)
    with store.reading(fast_world.services.engine) as session:
        assert session.query(SignUp).count() == session.query(FreshLink).count() == 0


def test_links_that_have_served_are_forgotten_and_those_with_a_waiting_letter_are_not(
    fast_world: Any, memory_mailer: Any
) -> None:
    fast_world.join()
    press(fast_world, Opens.DATA)
    fast_world.act(ask, Opens.ERASE, fast_world.clock.now())
    with store.writing(fast_world.services.engine) as session:
        store.halts.stop(
            session, "by hand", fast_world.clock.now().real, fast_world.clock.now().real + timedelta(days=4)
        )
    fast_world.clock.move(days=3)
    fast_world.tick()
    with store.reading(fast_world.services.engine) as session:
        assert [link.opens for link in session.query(FreshLink)] == ["erase"]
    fast_world.clock.move(days=2)
    fast_world.tick()
    assert found(fast_world, Opens.ERASE, link_in(fast_world, memory_mailer, Opens.ERASE)).state is State.OPEN
