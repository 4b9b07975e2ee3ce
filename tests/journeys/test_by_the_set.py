"""What many do at one moment is handled by the set, and comes to the same as one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.domain.status import SkipReason
from leadmagnet.domain.zones import local_day, to_utc, zone
from leadmagnet.feedback import steering
from leadmagnet.feedback.check_ins import Exercised, check_in_all
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.watching import Progress, watched_all
from leadmagnet.signup.confirm import Answer, Origin, Press, confirm_all
from leadmagnet.store.check_ins import Felt
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.signups import SignUp

NAMES = ("anna", "ben", "cleo", "dora", "emil", "fritz")
ANNA, BEN, CLEO, DORA, EMIL, FRITZ = (f"{name}@example.org" for name in NAMES)


def outcomes(world: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with store.reading(world.services.engine) as session:
        for row in session.query(SignUp).filter(SignUp.handled_at == world.clock.now().real).order_by(SignUp.id):
            found.setdefault(row.email_canonical, []).append(row.outcome)
    return found


def test_sign_ups_of_one_moment_each_get_their_answer(fast_world: Any) -> None:
    for address in (BEN, CLEO, DORA):
        fast_world.join(address)
    fast_world.act(leave, fast_world.clock.now(), "unsubscribe page", address=CLEO)
    fast_world.act(lambda _, person: setattr(person, "status", "complained"), address=DORA)
    key = fast_world.services.config.suppression_key
    with store.writing(fast_world.services.engine) as session:
        hashed = store.suppressions.email_hash(key, EMIL)
        session.add(
            store.suppressions.Suppression(email_hash=hashed, reason="complained", at=fast_world.clock.now().real)
        )
    fast_world.clock.move(hours=1)
    for address in (ANNA, ANNA, BEN, CLEO, DORA, EMIL, FRITZ, ANNA):
        fast_world.sign_up(address)
    fast_world.tick()
    assert outcomes(fast_world) == {
        ANNA: ["confirmation", "confirmation cool-down", "confirmation cool-down"],
        BEN: ["already_subscribed"],
        CLEO: ["confirmation"],
        DORA: ["stopped"],
        EMIL: ["suppressed"],
        FRITZ: ["confirmation"],
    }
    assert [kind for kind, _ in fast_world.sent(ANNA)] == ["confirmation"]
    with store.reading(fast_world.services.engine) as session:
        asked = store.consents.events_of(session, fast_world.person(ANNA).id)
        assert store.subscribers.by_canonical(session, EMIL) is None
    assert [event.kind for event in asked] == ["requested"] * 3


def test_buttons_pressed_at_one_moment_each_find_what_is_theirs(fast_world: Any) -> None:
    fast_world.join(BEN)
    fast_world.join(CLEO)
    fast_world.act(leave, fast_world.clock.now(), "unsubscribe page", address=CLEO)
    fast_world.clock.move(hours=1)
    for address in (ANNA, CLEO, DORA):
        fast_world.sign_up(address)
    fast_world.tick()
    now = fast_world.clock.now()
    ids = {address: fast_world.person(address).id for address in (ANNA, BEN, CLEO, DORA)}
    presses = [Press(ids[address], now.real) for address in (ANNA, BEN, CLEO)]
    presses += [Press(ids[DORA], now.real - timedelta(days=8)), Press(10_000, now.real)]
    with store.writing(fast_world.services.engine) as session:
        found = confirm_all(session, presses, now, Origin("127.0.0.1", "test"))
    assert [found[press.subscriber_id][0] for press in presses] == [
        Answer.CONFIRMED,
        Answer.ALREADY,
        Answer.CONFIRMED,
        Answer.EXPIRED,
        Answer.GONE,
    ]
    with store.reading(fast_world.services.engine) as session:
        rows = session.query(Enrollment).order_by(Enrollment.subscriber_id).all()
        consent = store.consents.events_of(session, ids[ANNA])
    stands = {address: [row.status for row in rows if row.subscriber_id == one] for address, one in ids.items()}
    assert stands == {ANNA: ["active"], BEN: ["active"], CLEO: ["active"], DORA: []}
    assert [event.kind for event in consent] == ["requested", "confirmed"]
    assert consent[0].wording_id == consent[1].wording_id
    fast_world.tick()
    assert [kind for kind, _ in fast_world.sent(ANNA)] == ["confirmation", "video"]


def test_what_several_watch_and_do_is_written_for_each(fast_world: Any) -> None:
    for address in (ANNA, BEN):
        fast_world.join(address)
    fast_world.clock.move(hours=2)
    now = fast_world.clock.now().course
    with store.writing(fast_world.services.engine) as session:
        anna, ben = (store.subscribers.by_canonical(session, address) for address in (ANNA, BEN))
        assert anna is not None
        assert ben is not None
        watched_all(session, [Progress(anna, "dead-bug", 20), Progress(ben, "dead-bug", 140)], now)
        watched_all(session, [Progress(anna, "dead-bug", 10), Progress(ben, "bird-dog", 30)], now)
        check_in_all(
            session, [Exercised(anna, "dead-bug", Felt.EASY, "fine"), Exercised(ben, "dead-bug", Felt.HURT)], now
        )
        check_in_all(session, [Exercised(anna, "dead-bug", Felt.HARD)], now)
    with store.reading(fast_world.services.engine) as session:
        seen = {
            address: {row.step_slug: row.percent for row in store.watching.of_subscriber(session, person.id)}
            for address, person in ((ANNA, anna), (BEN, ben))
        }
        done = [(row.felt, row.note) for row in store.check_ins.of_subscriber(session, anna.id)]
    assert seen == {ANNA: {"dead-bug": 20}, BEN: {"dead-bug": 100, "bird-dog": 30}}
    assert done == [("hard", "fine")]
    assert fast_world.person(ANNA).hurt_at is None
    assert fast_world.person(ANNA).started_at == fast_world.person(BEN).hurt_at == now
    fast_world.tick()
    assert [row.held for row in fast_world.deliveries(BEN, status="due")] == ["hurt"]


@pytest.mark.parametrize("place", ["Pacific/Honolulu", "Asia/Tokyo"])
def test_a_snooze_lasts_to_its_end_although_one_moves(fast_world: Any, place: str) -> None:
    fast_world.join(ANNA, zone="Europe/Zurich")
    now, home = fast_world.clock.now().course, zone("Europe/Zurich")
    until = to_utc(local_day(now, home) + timedelta(days=7), 0, home)
    fast_world.act(steering.snooze, now, until, address=ANNA)
    every = frozenset(range(7))
    fast_world.act(steering.set_rhythm, now, days=every, hour=15, timezone=place, address=ANNA)
    fast_world.live(24 * 10)
    reminded = [at for kind, at in fast_world.sent(ANNA) if kind == "reminder"]
    assert reminded
    assert min(reminded) >= until
    with store.reading(fast_world.services.engine) as session:
        reasons = {run.reason for run in store.decisions.of_subscriber(session, fast_world.person(ANNA).id)}
    assert SkipReason.SNOOZED in reasons
