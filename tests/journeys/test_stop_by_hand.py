"""Somebody stops all sending, and lets it go on; and emails that failed are tried again."""

from __future__ import annotations

from collections import Counter
from typing import Any

from leadmagnet import store
from leadmagnet.delivery.again import Again, Left, try_again
from leadmagnet.domain.message import Batch, MailError, Outcome, Result
from leadmagnet.store.deliveries import Delivery


def stop(world: Any) -> None:
    with store.writing(world.services.engine) as session:
        store.halts.stop_by_hand(session, "wrong video", "anna@clinic.example", world.clock.real)


def go(world: Any) -> bool:
    with store.writing(world.services.engine) as session:
        return store.halts.go(session)


def test_nothing_goes_out_until_somebody_says_so(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    stop(fast_world)
    fast_world.sign_up("ben@example.org")
    calls = len(memory_mailer.calls)
    fast_world.live(24 * 10)
    assert len(memory_mailer.calls) == calls
    assert go(fast_world)
    assert not go(fast_world), "nothing stands in the way any more"
    fast_world.live(24 * 3)
    videos = [at for kind, at in fast_world.sent() if kind == "video"]
    assert len(videos) == 2, "one overdue video, and no burst"
    assert [kind for kind, _ in fast_world.sent("ben@example.org")] == ["confirmation"]


def test_a_stop_in_the_middle_of_a_claim_gives_the_rest_back(fast_world: Any, memory_mailer: Any) -> None:
    """Two contents make two calls of one claim; the stop comes during the first."""
    fast_world.join("one@example.org")
    fast_world.live(24)
    fast_world.join("two@example.org")
    with store.writing(fast_world.services.engine) as session:
        session.query(Delivery).filter_by(status="due").update({"due_at": fast_world.clock.course, "closes_at": None})
        first, second = session.query(Delivery).filter_by(status="due").order_by(Delivery.id)
        first.step_id, second.step_id = first.step_id + 1, second.step_id

    def script(_batch: Batch) -> None:
        stop(fast_world)

    memory_mailer.script = script
    calls = len(memory_mailer.calls)
    fast_world.tick()
    assert len(memory_mailer.calls) == calls + 1
    rows = fast_world.deliveries("one@example.org", kind="video") + fast_world.deliveries(
        "two@example.org", kind="video"
    )
    waiting = [row for row in rows if row.status == "due" and row.due_at <= fast_world.clock.course]
    assert [(row.attempts, row.claim_id, row.call_begun_at) for row in waiting] == [(0, None, None)]
    with store.reading(fast_world.services.engine) as session:
        assert store.halts.by_hand(session), "a call that went well does not lift it"
    memory_mailer.script = None
    go(fast_world)
    fast_world.tick()
    assert len(memory_mailer.calls) == calls + 2


def test_the_providers_refusal_does_not_replace_a_stop_by_hand(fast_world: Any) -> None:
    stop(fast_world)
    clock = fast_world.clock
    with store.writing(fast_world.services.engine) as session:
        store.halts.stop(session, "401", clock.real, clock.real)
        store.halts.lift(session)
        halt = store.halts.current(session)
        assert halt is not None
        assert (halt.reason, halt.by, halt.blocks(clock.real)) == ("wrong video", "anna@clinic.example", True)


def refuse(batch: Batch) -> list[Result]:
    return [Result(letter.delivery_id, Outcome.REJECTED, "memory", "550 no such user") for letter in batch.letters]


def test_a_failed_video_goes_out_again_when_the_clinic_says_so(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    memory_mailer.script = refuse
    fast_world.live(24 * 3 + 3)
    (failed,) = fast_world.deliveries(status="failed", kind="video")
    with store.reading(fast_world.services.engine) as session:
        assert [row.detail for row in store.dead_letters.failed(session, 10)][:1] == ["550 no such user"]
        assert store.dead_letters.queue(session, fast_world.clock.course).failed >= 1
        assert (failed.id, "550 no such user") in store.dead_letters.walk(session, 10)
    memory_mailer.script = None
    answers = []
    for _ in range(4):
        fast_world.live(24)
        with store.writing(fast_world.services.engine) as session:
            answers.append(try_again(session, [failed.id], fast_world.clock.now()))
        if answers[-1].due:
            break
    assert answers[-1] == Again(due=1), "on a day without another email"
    assert all(answer.left == {Left.DAY_TAKEN: 1} for answer in answers[:-1])
    with store.writing(fast_world.services.engine) as session:
        assert try_again(session, [failed.id], fast_world.clock.now()) == Again(left=Counter({Left.GONE_ON: 1})), (
            "it is due already"
        )
    fast_world.tick()
    assert fast_world.deliveries(status="sent", step_id=failed.step_id)
    days = [row.day for row in fast_world.deliveries(status="sent") if row.day]
    assert len(days) == len(set(days))


def test_reminders_and_taken_days_are_left(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    memory_mailer.script = refuse
    fast_world.live(24 * 3 + 3)
    (video,) = fast_world.deliveries(status="failed", kind="video")
    memory_mailer.script = None
    person = fast_world.person()
    with store.writing(fast_world.services.engine) as session:
        at = fast_world.clock.course
        common = {"subscriber_id": person.id, "kind": "reminder", "created_at": at, "due_at": at}
        session.add(Delivery(**common, status="failed", public_id="failed-reminder"))
        session.add(Delivery(**common, status="sent", day=video.day, public_id="today"))
    reminder = next(row for row in fast_world.deliveries() if row.public_id == "failed-reminder")
    with store.writing(fast_world.services.engine) as session:
        done = try_again(session, [video.id, reminder.id, 10**9], fast_world.clock.now())
    assert (done.due, done.left) == (0, {Left.DAY_TAKEN: 1, Left.REMINDER: 1, Left.GONE_ON: 1})


def test_a_stop_reaches_a_provider_that_refuses(fast_world: Any, memory_mailer: Any) -> None:
    def script(_batch: Batch) -> None:
        stop(fast_world)
        raise MailError("503", permanent=False)

    fast_world.sign_up()
    memory_mailer.script = script
    fast_world.tick()
    calls = len(memory_mailer.calls)
    fast_world.live(2)
    assert len(memory_mailer.calls) == calls
