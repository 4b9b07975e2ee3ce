"""The clinic pauses a whole sequence and lets it go on: held, not lost; one video each, and never a burst."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from leadmagnet import pauses, store
from leadmagnet.audience.timeline import timeline_of
from leadmagnet.delivery.again import Again, Left, try_again
from leadmagnet.delivery.send import claim_due, send_claim
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.message import Batch, Outcome, Result
from leadmagnet.editing.shipped import SLUG
from leadmagnet.enrollment.plan import plan_enrollments
from leadmagnet.feedback import steering
from leadmagnet.from_config import post_of
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.pauses import SequencePause
from leadmagnet.store.sequences import Sequence

VANCOUVER = ZoneInfo("America/Vancouver")


def pause(world: Any) -> pauses.Change:
    done = pauses.pause(world.services, SLUG, world.clock.course, "anna@clinic.example")
    assert done is not None
    return done


def resume(world: Any) -> pauses.Change:
    done = pauses.resume(world.services, SLUG, world.clock.course, "ben@clinic.example")
    assert done is not None
    return done


def videos(world: Any, address: str = "anna@example.org") -> list[datetime]:
    return [at for kind, at in world.sent(address) if kind == "video"]


def held(world: Any, address: str = "anna@example.org") -> list[str | None]:
    return [row.held for row in world.deliveries(address, status="due")]


def until_due(world: Any, kind: str = "video") -> Delivery:
    """Move the clock, with no tick, to the instant at which a person's next email is due."""
    (row,) = world.deliveries(status="due", kind=kind)
    world.clock.to(row.due_at)
    return row


def test_a_pause_over_a_week_ends_with_one_video_and_then_a_full_delay(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(24 * 3 + 2)
    assert len(videos(fast_world)) == 2
    third = until_due(fast_world)
    assert pause(fast_world) == pauses.Change(True, 1)
    before = len(fast_world.deliveries())
    fast_world.live(24 * 9 + 20)
    assert len(videos(fast_world)) == 2
    assert len(fast_world.deliveries()) == before, "held, nothing in its place, and no reminder"
    assert held(fast_world) == ["sequence_paused"]
    assert resume(fast_world) == pauses.Change(True, 1)
    resumed = fast_world.clock.course
    assert resumed.astimezone(VANCOUVER).hour < 8, "in the night: the window is closed"
    fast_world.live(24 * 4)
    _, _, late, after = videos(fast_world)
    assert [row.status for row in fast_world.deliveries(step_id=third.step_id)] == ["sent"]
    opened, following = late.astimezone(VANCOUVER), after.astimezone(VANCOUVER)
    assert (opened.date(), opened.hour) == (resumed.astimezone(VANCOUVER).date(), 8), "when its window opens"
    assert (following.date() - opened.date(), following.hour) == (timedelta(days=3), 9)
    fast_world.live(24 * 14)
    rows = fast_world.deliveries(status="sent")
    steps = [row.step_id for row in rows if row.step_id]
    assert len(steps) == len(set(steps)) == 7, "six videos and the last email, nobody gets one twice"
    days = [row.day for row in rows if row.day]
    assert len(days) == len(set(days)), "one automatic email a day"
    assert all(two - one > timedelta(hours=20) for one, two in pairwise(videos(fast_world)))


def test_who_confirms_meanwhile_gets_video_1_when_it_goes_on(fast_world: Any) -> None:
    pause(fast_world)
    fast_world.join()
    assert [kind for kind, _ in fast_world.sent()] == ["confirmation"]
    assert held(fast_world) == ["sequence_paused"]
    fast_world.sign_up()
    fast_world.tick()
    assert [kind for kind, _ in fast_world.sent()] == ["confirmation", "already_subscribed"]
    fast_world.live(24 * 2)
    assert videos(fast_world) == []
    assert resume(fast_world).waiting == 1
    fast_world.tick()
    assert videos(fast_world) == [fast_world.clock.course]


def test_a_pause_after_the_claim_still_keeps_the_email_back(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    video = until_due(fast_world)
    post = post_of(fast_world.services)
    claim = claim_due(post, fast_world.clock.now, 1)
    assert claim is not None
    calls, tally = len(memory_mailer.calls), Tally()
    assert pause(fast_world).waiting == 0, "it is in a worker's hands"
    assert send_claim(post, fast_world.clock.now, claim, tally) == 1
    assert (len(memory_mailer.calls), dict(tally.skipped)) == (calls, {"sequence_paused": 1})
    (row,) = fast_world.deliveries(id=video.id)
    assert (row.status, row.held, row.attempts, row.claim_id) == ("due", "sequence_paused", 0, None)
    fast_world.live(24)
    assert len(memory_mailer.calls) == calls
    resume(fast_world)
    fast_world.live(24)
    assert len(videos(fast_world)) == 2


def test_a_pause_between_letter_and_call_wins(fast_world: Any, memory_mailer: Any) -> None:
    """Two contents make two calls of one claim; the pause comes during the first."""
    fast_world.join("one@example.org")
    fast_world.live(24)
    fast_world.join("two@example.org")
    with store.writing(fast_world.services.engine) as session:
        session.query(Delivery).filter_by(status="due").update({"due_at": fast_world.clock.course, "closes_at": None})
        first, second = session.query(Delivery).filter_by(status="due").order_by(Delivery.id)
        first.step_id, second.step_id = first.step_id + 1, second.step_id

    def script(_batch: Batch) -> None:
        memory_mailer.script = None
        pause(fast_world)

    memory_mailer.script = script
    calls = len(memory_mailer.calls)
    fast_world.tick()
    assert len(memory_mailer.calls) == calls + 1, "the call that had begun is the last one"
    everybody = [row for one in ("one", "two") for row in fast_world.deliveries(f"{one}@example.org", kind="video")]
    assert [row.held for row in everybody if row.status == "due"] == ["sequence_paused"] * 2
    assert {row.attempts for row in everybody} == {0}


def test_what_comes_back_from_the_provider_is_held_too(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    until_due(fast_world)

    def busy(batch: Batch) -> list[Result]:
        memory_mailer.script = None
        pause(fast_world)
        return [Result(letter.delivery_id, Outcome.RETRY, "memory", "busy") for letter in batch.letters]

    memory_mailer.script = busy
    fast_world.tick()
    assert held(fast_world) == ["sequence_paused"]
    calls = len(memory_mailer.calls)
    fast_world.live(24)
    assert len(memory_mailer.calls) == calls
    resume(fast_world)
    fast_world.live(24)
    assert len(videos(fast_world)) == 2


def test_a_claim_of_a_dead_worker_comes_back_held(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    until_due(fast_world)
    assert claim_due(post_of(fast_world.services), fast_world.clock.now, 1) is not None
    pause(fast_world)
    calls = len(memory_mailer.calls)
    fast_world.live(2)
    assert held(fast_world) == ["sequence_paused"]
    assert len(memory_mailer.calls) == calls


def test_a_second_worker_finds_nothing_to_claim(fast_world: Any, memory_mailer: Any) -> None:
    """One worker holds a claim of yesterday's plan, another one comes anew; neither sends."""
    for number in range(3):
        fast_world.join(f"p{number}@example.org")
    (row, *_) = fast_world.deliveries("p0@example.org", status="due")
    fast_world.clock.to(row.due_at)
    one, two = post_of(fast_world.services), post_of(replace(fast_world.services, mailer=type(memory_mailer)()))
    claim = claim_due(one, fast_world.clock.now, 1, limit=1)
    assert claim is not None
    assert pause(fast_world).waiting == 2
    assert claim_due(two, fast_world.clock.now, 1) is None
    calls = len(memory_mailer.calls)
    send_claim(one, fast_world.clock.now, claim, Tally())
    assert claim_due(two, fast_world.clock.now, 1) is None
    assert (len(memory_mailer.calls), two.mailer.calls) == (calls, [])
    with store.reading(fast_world.services.engine) as session:
        assert [one.waiting for one in store.pauses.standing(session)] == [3]


@pytest.mark.parametrize("person_first", [True, False])
def test_a_persons_own_pause_and_the_sequences_do_not_undo_one_another(fast_world: Any, person_first: bool) -> None:
    fast_world.join()
    fast_world.join("ben@example.org")
    if person_first:
        fast_world.act(steering.pause, fast_world.clock.course, None)
        fast_world.tick()
    pause(fast_world)
    if not person_first:
        fast_world.act(steering.pause, fast_world.clock.course, None)
    fast_world.live(24 * 5)
    assert (held(fast_world), held(fast_world, "ben@example.org")) == (["paused"], ["sequence_paused"])
    with store.reading(fast_world.services.engine) as session:
        assert [one.waiting for one in store.pauses.standing(session)] == [1], "a person's own pause is counted apart"
    if person_first:
        fast_world.act(steering.resume, fast_world.clock.course)
        fast_world.live(24)
        assert held(fast_world) == ["sequence_paused"], "back, and still the sequence rests"
        resume(fast_world)
    else:
        resume(fast_world)
        fast_world.live(24)
        assert held(fast_world) == ["paused"], "the sequence goes on, and the person still rests"
        assert len(videos(fast_world, "ben@example.org")) == 2
        fast_world.act(steering.resume, fast_world.clock.course)
    fast_world.live(24)
    assert len(videos(fast_world)) == 2


def test_it_hurts_keeps_holding_when_the_sequence_goes_on(fast_world: Any) -> None:
    fast_world.join()
    pause(fast_world)
    with store.writing(fast_world.services.engine) as session:
        session.get(store.subscribers.Subscriber, fast_world.person().id).hurt_at = fast_world.clock.course
    resume(fast_world)
    fast_world.live(24 * 5)
    assert held(fast_world) == ["hurt"]
    assert len(videos(fast_world)) == 1


def test_reminders_rest_for_those_on_the_way_and_go_on_for_those_who_finished(fast_world: Any) -> None:
    fast_world.join("done@example.org")
    fast_world.live(24 * 20, step=3)
    (enrollment,) = enrollments(fast_world, "done@example.org")
    assert enrollment.status == "finished"
    fast_world.join()
    pause(fast_world)
    begun = fast_world.clock.course
    fast_world.act(steering.keep_reminding, begun, address="done@example.org")
    fast_world.live(24 * 8)
    assert [kind for kind, at in fast_world.sent() if at > begun] == []
    assert "reminder" in [kind for kind, at in fast_world.sent("done@example.org") if at > begun]
    with store.reading(fast_world.services.engine) as session:
        runs = store.decisions.of_subscriber(session, fast_world.person().id)
        assert [run.reason for run in runs] == ["sequence_paused"]
        assert runs[0].times >= 2
    resume(fast_world)
    fast_world.live(24 * 7)
    assert "reminder" in [kind for kind, at in fast_world.sent() if at > begun]


def test_who_is_on_the_way_through_another_sequence_too_is_reminded(fast_world: Any) -> None:
    fast_world.join()
    with store.writing(fast_world.services.engine) as session:
        course = store.sequences.by_slug(session, SLUG)
        columns = {key: getattr(course, key) for key in ("hour", "opens", "closes", "weekdays", "spread_minutes")}
        other = Sequence(slug="other", title="Other", **columns)
        session.add(other)
        session.flush()
        values = {"subscriber_id": fast_world.person().id, "started_at": fast_world.clock.course}
        session.add(Enrollment(sequence_id=other.id, wants_plan=False, **values))
    pause(fast_world)
    fast_world.live(24 * 4)
    assert "reminder" in [kind for kind, _ in fast_world.sent()]


def enrollments(world: Any, address: str) -> list[Enrollment]:
    with store.reading(world.services.engine) as session:
        return session.query(Enrollment).filter_by(subscriber_id=world.person(address).id).all()


def test_a_reminder_due_this_moment_is_dropped_and_one_of_somebody_else_is_not(fast_world: Any) -> None:
    fast_world.join()
    fast_world.sign_up("ben@example.org")
    fast_world.tick()
    at = fast_world.clock.course
    with store.writing(fast_world.services.engine) as session:
        for address in ("anna@example.org", "ben@example.org"):
            common = {"kind": "reminder", "text_slug": "reminder-active-1", "created_at": at, "due_at": at}
            session.add(Delivery(subscriber_id=fast_world.person(address).id, **common))
    pause(fast_world)
    (mine,) = fast_world.deliveries(kind="reminder")
    (other,) = fast_world.deliveries("ben@example.org", kind="reminder")
    assert (mine.status, mine.skip_reason, other.status) == ("skipped", "sequence_paused", "due")


def test_nobody_hastens_a_video_past_the_pause(fast_world: Any) -> None:
    fast_world.join()
    pause(fast_world)
    assert fast_world.act(steering.next_now, fast_world.clock.course) is False
    fast_world.tick()
    assert len(videos(fast_world)) == 1


def test_a_second_try_waits_among_the_failed(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    memory_mailer.script = lambda batch: [
        Result(letter.delivery_id, Outcome.REJECTED, "memory", "550 full") for letter in batch.letters
    ]
    row = until_due(fast_world)
    fast_world.tick()
    memory_mailer.script = None
    due = 0
    while not due:  # a day without another email
        fast_world.live(24)
        now = fast_world.clock.now()
        with store.writing(fast_world.services.engine) as session:
            due = try_again(session, [row.id], now).due
    pause(fast_world)
    (failed,) = fast_world.deliveries(id=row.id)
    assert (failed.status, failed.detail, failed.held) == ("failed", "550 full", None)
    with store.writing(fast_world.services.engine) as session:
        assert try_again(session, [row.id], now).left == {Left.PAUSED: 1}, "not while its sequence is paused"
    resume(fast_world)
    fast_world.tick()
    with store.writing(fast_world.services.engine) as session:
        assert try_again(session, [row.id], now) == Again(due=1)
    fast_world.tick()
    assert [one.status for one in fast_world.deliveries(id=row.id)] == ["sent"]


def test_the_record_says_who_and_the_timeline_says_why(fast_world: Any) -> None:
    fast_world.join()
    began = fast_world.clock.course
    pause(fast_world)
    assert pause(fast_world) == pauses.Change(False, 1), "twice changes nothing"
    fast_world.tick()
    with store.reading(fast_world.services.engine) as session:
        events = timeline_of(session, fast_world.person(), VANCOUVER)
        (waiting,) = [event for event in events if event.status == "due"]
        assert waiting.reason.endswith("Held: The clinic has paused the sequence for everybody.")
        assert [(one.since, one.by) for one in store.pauses.standing(session)] == [(began, "anna@clinic.example")]
    fast_world.clock.move(hours=1)
    resume(fast_world)
    assert resume(fast_world) == pauses.Change(False, 0)
    with store.reading(fast_world.services.engine) as session:
        (record,) = session.query(SequencePause)
        assert (record.began_by, record.ended_by) == ("anna@clinic.example", "ben@clinic.example")
        assert (record.began_at, record.ended_at) == (began, began + timedelta(hours=1))
        assert store.pauses.standing(session) == []


def test_there_is_nothing_to_pause_by_another_name(fast_world: Any) -> None:
    assert pauses.pause(fast_world.services, "nothing", fast_world.clock.course, "x") is None
    assert pauses.resume(fast_world.services, "nothing", fast_world.clock.course, "x") is None


def test_cut_short_after_the_mark_nothing_leaves_all_the_same(fast_world: Any, memory_mailer: Any) -> None:
    """The program died between marking the sequence and holding its queue: what is claimed is held then."""
    fast_world.join()
    until_due(fast_world)
    with store.writing(fast_world.services.engine) as session:
        course = store.sequences.by_slug(session, SLUG)
        assert store.pauses.begin(session, course.id, fast_world.clock.course, "x")
    calls = len(memory_mailer.calls)
    fast_world.live(24)
    assert len(memory_mailer.calls) == calls
    assert held(fast_world) == ["sequence_paused"]
    resume(fast_world)
    fast_world.live(24)
    assert len(videos(fast_world)) == 2


@pytest.mark.postgres
def test_a_pause_waits_for_a_plan_that_does_not_know_of_it(
    postgres_url: str, new_config: Callable[..., Any], make_world: Callable[..., Any], hand_clock: Any
) -> None:
    """A planner has read the sequence as running and has not committed yet: the mark cannot slip in between."""
    world = make_world(new_config(database_url=postgres_url), hand_clock.course)
    world.join()
    with store.writing(world.services.engine) as session:
        session.query(Delivery).filter_by(status="due").delete()
        session.query(Enrollment).update({"wants_plan": True})
    done = threading.Event()

    def work() -> None:
        pause(world)
        done.set()

    thread = threading.Thread(target=work)
    with store.writing(world.services.engine) as session:
        assert plan_enrollments(session, world.clock.course) == 1
        thread.start()
        assert not done.wait(0.5), "the pause waits"
    thread.join(timeout=20)
    assert done.is_set()
    assert held(world) == ["sequence_paused"], "and then holds what that planner wrote"
    with store.reading(world.services.engine) as session:
        assert session.scalar(select(func.count()).select_from(SequencePause)) == 1
