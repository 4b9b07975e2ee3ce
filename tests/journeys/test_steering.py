"""Pausing, leaving, hurting, choosing days: the person steers, and nothing ever comes in a burst."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from leadmagnet import store
from leadmagnet.delivery import send
from leadmagnet.delivery.desk import Desk
from leadmagnet.delivery.letters import batches
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.schedule import local_day
from leadmagnet.domain.zones import zone
from leadmagnet.feedback import steering
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.feedback.leaving import leave
from leadmagnet.from_config import post_of
from leadmagnet.store.deliveries import Delivery


def videos(world: Any) -> list[Any]:
    return [at for kind, at in world.sent() if kind == "video"]


def test_a_pause_holds_everything_and_ends_without_a_burst(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(24)
    now = fast_world.clock.now().course
    fast_world.act(steering.pause, now, now + timedelta(days=14))
    fast_world.live(24 * 14 - 1)
    assert len(fast_world.sent()) == 2
    fast_world.live(24 * 8)
    after = [at for kind, at in fast_world.sent() if kind == "video"][1:]
    assert len(after) in (2, 3)
    assert after[1] - after[0] >= timedelta(days=2, hours=20)


def test_a_pause_without_end_lasts_until_the_person_comes_back(fast_world: Any) -> None:
    fast_world.join()
    fast_world.act(steering.pause, fast_world.clock.now().course, None)
    fast_world.live(24 * 40, step=6)
    assert len(videos(fast_world)) == 1
    fast_world.act(steering.resume, fast_world.clock.now().course)
    fast_world.live(24 * 2)
    assert len(videos(fast_world)) == 2


def test_leaving_stops_what_is_due(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(24 * 2)
    assert fast_world.act(leave, fast_world.clock.now(), "unsubscribe page") is True
    sent = fast_world.sent()
    fast_world.live(24 * 10, step=3)
    assert fast_world.sent() == sent
    assert fast_world.act(leave, fast_world.clock.now(), "unsubscribe page") is False
    assert [row.skip_reason for row in fast_world.deliveries(status="skipped")] == ["not_active"]


def test_leaving_between_claim_and_call_wins(fast_world: Any, memory_mailer: Any) -> None:
    """The letter is claimed and written; before the call begins the person leaves. Nothing goes out."""
    fast_world.join()
    fast_world.clock.move(days=3, hours=3)
    post = post_of(fast_world.services)
    with store.writing(fast_world.services.engine) as session:
        now = fast_world.clock.now()
        ids = store.claims.claim(
            session,
            now=now.course,
            real_now=now.real,
            lease_until=now.real + timedelta(minutes=2),
            claim_id="claim",
            lane=1,
            limit=10,
        )
    assert len(ids) == 1
    with store.reading(fast_world.services.engine) as session:
        rows = store.in_hand.claimed(session, "claim", ids)
        desk = Desk(session, rows)
    parts = fast_world.services
    (written,) = batches(desk, rows, fast_world.clock.now(), clinic=parts.clinic, links=parts.links, most=10)
    fast_world.act(leave, fast_world.clock.now(), "one-click")
    calls, tally = len(memory_mailer.calls), Tally()
    send.call(post, fast_world.clock.now, "claim", written, tally)
    assert len(memory_mailer.calls) == calls
    assert dict(tally.skipped) == {"not_active": 1}
    assert [row.status for row in fast_world.deliveries(kind="video")] == ["sent", "skipped"]


def test_it_hurt_stops_reminders_and_holds_the_next_video_until_go_on(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(3)
    now = fast_world.clock.now().course
    fast_world.act(check_in, "breathing-and-bracing", Felt.HURT, now, note="a pull on the left")
    fast_world.live(24 * 12, step=2)
    assert [kind for kind, _ in fast_world.sent()] == ["confirmation", "video"]
    reasons = {run.reason for run in decisions(fast_world)}
    assert reasons >= {"hurt"}
    fast_world.act(steering.go_on, fast_world.clock.now().course)
    fast_world.live(24 * 2)
    assert len(videos(fast_world)) == 2


def decisions(world: Any) -> list[Any]:
    with store.reading(world.services.engine) as session:
        return store.decisions.of_subscriber(session, world.person().id)


def test_a_check_in_today_keeps_the_reminder_away(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(30)
    # 4 March 2026 is a Wednesday: an exercise day without a video.
    fast_world.live(12)
    fast_world.act(check_in, "breathing-and-bracing", Felt.RIGHT, fast_world.clock.now().course)
    fast_world.live(12)
    assert "reminder" not in [kind for kind, _ in fast_world.sent()]
    assert decisions(fast_world)[-1].reason == "done_today"


def test_unanswered_reminders_thin_out_and_an_answer_brings_them_back(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(24 * 70, step=2)
    reminders = [at for kind, at in fast_world.sent() if kind == "reminder"]
    assert len(reminders) == 7
    assert fast_world.deliveries(kind="reminder")[-1].text_slug == "reminder-last-question"
    assert all(b - a >= timedelta(days=7) for a, b in pairwise(reminders[2:]))
    fast_world.act(check_in, "dead-bug", Felt.EASY, fast_world.clock.now().course)
    fast_world.live(24 * 7)
    assert len([at for kind, at in fast_world.sent() if kind == "reminder"]) > 7


def test_choosing_days_in_the_afternoon_brings_no_reminder_that_moment(fast_world: Any) -> None:
    fast_world.join()
    # Tuesday, 3 March, three in the afternoon in Vancouver: today becomes an exercise day.
    fast_world.live(32)
    now = fast_world.clock.now().course
    fast_world.act(steering.set_rhythm, now, days=frozenset({1}), hour=None, timezone=None)
    fast_world.live(4)
    assert "reminder" not in [kind for kind, _ in fast_world.sent()]
    assert not decisions(fast_world) or decisions(fast_world)[-1].last_day < local_day(now, zone("America/Vancouver"))


def test_yes_on_the_own_page_brings_reminders_back(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(24 * 63, step=3)
    before = len([kind for kind, _ in fast_world.sent() if kind == "reminder"])
    assert fast_world.person().unanswered == 7
    fast_world.act(steering.keep_reminding, fast_world.clock.now().course)
    fast_world.live(24 * 4, step=3)
    assert len([kind for kind, _ in fast_world.sent() if kind == "reminder"]) > before


def test_wordings_rotate_and_never_come_twice_running(fast_world: Any) -> None:
    fast_world.join()
    for day in range(40):
        fast_world.live(24, step=2)
        if day % 4 == 0:
            fast_world.act(check_in, "bird-dog", Felt.RIGHT, fast_world.clock.now().course)
    slugs = [row.text_slug for row in fast_world.deliveries(kind="reminder", status="sent")]
    assert len(slugs) >= 8
    assert all(a != b for a, b in pairwise(slugs))
    assert len(set(slugs)) >= 4


def test_chosen_days_hour_and_zone_move_the_next_email(fast_world: Any) -> None:
    fast_world.join()
    now = fast_world.clock.now().course
    fast_world.act(steering.set_rhythm, now, days=frozenset({1, 5}), hour=6, timezone="Asia/Tokyo")
    fast_world.live(24 * 20)
    where = zone("Asia/Tokyo")
    course = [at.astimezone(where) for kind, at in fast_world.sent() if kind in ("video", "finished")][1:]
    assert {(at.hour, at.minute) for at in course} == {(6, 0)}
    reminders = [at.astimezone(where) for kind, at in fast_world.sent() if kind == "reminder"]
    assert {at.weekday() for at in reminders} <= {1, 5}


def test_a_day_that_had_its_email_in_another_zone_brings_no_reminder_and_stops_nobody(fast_world: Any) -> None:
    """Video 2 comes on Friday in Auckland; it is Thursday still in Vancouver, where the person lives from then on."""
    fast_world.join(zone="Pacific/Auckland")
    fast_world.live(24 * 3 + 6)
    assert len(videos(fast_world)) == 2
    now = fast_world.clock.now().course
    fast_world.act(steering.set_rhythm, now, days=frozenset({4}), hour=None, timezone="America/Vancouver")
    before = fast_world.sent()
    fast_world.live(24)
    assert fast_world.sent() == before
    assert [run.reason for run in decisions(fast_world)][-1] == "mailed_today"


def test_next_video_now_is_not_put_off_by_what_the_planner_has_still_to_see(fast_world: Any) -> None:
    """A pause has just ended and another hour was chosen, both before the worker's next pass."""
    fast_world.join()
    fast_world.live(5)
    now = fast_world.clock.now().course
    fast_world.act(steering.pause, now, None)
    fast_world.tick()
    assert [row.held for row in fast_world.deliveries(status="due")] == ["paused"]
    fast_world.act(steering.resume, now)
    fast_world.act(steering.set_rhythm, now, days=frozenset({1}), hour=6, timezone=None)
    assert fast_world.act(steering.next_now, now) is True
    fast_world.tick()
    assert len(videos(fast_world)) == 2
    fast_world.live(24 * 4)
    assert len(videos(fast_world)) == 3


def test_a_pause_takes_back_what_was_asked_for_now(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(5)
    now = fast_world.clock.now().course
    assert fast_world.act(steering.next_now, now) is True
    fast_world.act(steering.pause, now, None)
    fast_world.tick()
    fast_world.act(steering.resume, now)
    fast_world.tick()
    assert len(videos(fast_world)) == 1, "it comes on its day"


def test_next_video_now_comes_at_once_and_the_following_a_full_delay_later(fast_world: Any) -> None:
    fast_world.join()
    fast_world.live(5)
    assert fast_world.act(steering.next_now, fast_world.clock.now().course) is True
    fast_world.tick()
    assert len(videos(fast_world)) == 2
    fast_world.live(24 * 3 + 12)
    third = videos(fast_world)[2]
    assert local_day(third, zone("America/Vancouver")) - local_day(
        videos(fast_world)[1], zone("America/Vancouver")
    ) == timedelta(days=3)


def test_starting_again_is_a_new_enrollment_with_all_six(fast_world: Any) -> None:
    fast_world.join()
    assert fast_world.act(steering.restart, fast_world.clock.now().course) is False
    fast_world.live(24 * 20, step=2)
    assert fast_world.act(steering.restart, fast_world.clock.now().course) is True
    fast_world.live(24 * 20, step=2)
    counted = Counter(row.enrollment_id for row in fast_world.deliveries(kind="video", status="sent"))
    assert sorted(counted.values()) == [6, 6]


def test_snoozing_keeps_reminders_away_and_videos_coming(fast_world: Any) -> None:
    fast_world.join()
    now = fast_world.clock.now().course
    fast_world.act(steering.snooze, now, now + timedelta(days=14))
    fast_world.live(24 * 13, step=2)
    assert "reminder" not in [kind for kind, _ in fast_world.sent()]
    assert len(videos(fast_world)) == 5
    fast_world.live(24 * 14, step=2)
    assert "reminder" in [kind for kind, _ in fast_world.sent()]


def test_a_provider_outage_keeps_the_queue_and_brings_no_burst(fast_world: Any, memory_mailer: Any) -> None:
    from leadmagnet.domain.message import MailError

    fast_world.join()

    def down(_batch: Any) -> None:
        raise MailError("no answer", permanent=False)

    memory_mailer.script = down
    fast_world.live(24 * 9)
    assert len(videos(fast_world)) == 1
    memory_mailer.script = None
    fast_world.live(24 * 8)
    later = videos(fast_world)[1:]
    assert later
    assert all(b - a >= timedelta(days=2, hours=12) for a, b in pairwise(later))
    days = Counter(local_day(at, zone("America/Vancouver")) for kind, at in fast_world.sent() if kind != "confirmation")
    assert max(days.values()) == 1


def test_a_refused_key_halts_the_queue_and_fails_nobody(fast_world: Any, memory_mailer: Any) -> None:
    from leadmagnet.domain.message import MailError

    fast_world.sign_up()

    def refuse(_batch: Any) -> None:
        raise MailError("401 the key is wrong", permanent=True)

    memory_mailer.script = refuse
    fast_world.tick()
    fast_world.tick()
    assert len(memory_mailer.calls) == 1, "halted: no second try within the minute"
    assert [(row.status, row.attempts) for row in fast_world.deliveries()] == [("due", 0)]
    memory_mailer.script = None
    fast_world.clock.move(seconds=61)
    fast_world.tick()
    assert [row.status for row in fast_world.deliveries()] == ["sent"]
    with store.reading(fast_world.services.engine) as session:
        assert store.halts.current(session) is None


def test_an_answer_nobody_heard_is_sent_again_and_at_last_needs_a_person(fast_world: Any, memory_mailer: Any) -> None:
    from leadmagnet.domain.message import Outcome, Result

    fast_world.sign_up()
    memory_mailer.script = lambda batch: [
        Result(letter.delivery_id, Outcome.UNKNOWN, "memory") for letter in batch.letters
    ]
    fast_world.tick()
    assert [row.status for row in fast_world.deliveries()] == ["unknown"]
    for _ in range(6):
        fast_world.clock.move(minutes=20)
        fast_world.tick()
        # What goes out once more does so a few seconds later.
        fast_world.clock.move(minutes=1)
        fast_world.tick()
    rows = fast_world.deliveries()
    assert [(row.status, row.resent) for row in rows] == [("failed", 5)]
    ids = {letter.message_id for call in memory_mailer.calls for letter in call.letters}
    assert len(memory_mailer.calls) == 6
    assert len(ids) == 1


def test_one_rejected_address_fails_alone(fast_world: Any, memory_mailer: Any) -> None:
    from leadmagnet.domain.message import Outcome, Result

    def answer(batch: Any) -> list[Result]:
        return [
            Result(
                letter.delivery_id,
                Outcome.REJECTED if letter.to_email.startswith("ben") else Outcome.SENT,
                "memory",
                "550 no such user",
            )
            for letter in batch.letters
        ]

    memory_mailer.script = answer
    fast_world.sign_up()
    fast_world.sign_up("ben@example.org")
    fast_world.tick()
    assert [row.status for row in fast_world.deliveries()] == ["sent"]
    assert [(row.status, row.detail) for row in fast_world.deliveries("ben@example.org")] == [
        ("failed", "550 no such user")
    ]


def test_a_crash_before_the_call_costs_a_lease_and_nothing_else(fast_world: Any) -> None:
    fast_world.sign_up()
    with store.writing(fast_world.services.engine) as session:
        from leadmagnet.signup.process import process_sign_ups

        now = fast_world.clock.now()
        process_sign_ups(session, now, clinic_zone="UTC", suppression_key="k" * 32)
        session.flush()
        store.claims.claim(
            session,
            now=now.course,
            real_now=now.real,
            lease_until=now.real + timedelta(seconds=120),
            claim_id="dead",
            lane=0,
            limit=5,
        )
    fast_world.tick()
    assert [row.status for row in fast_world.deliveries()] == ["claimed"]
    fast_world.clock.move(seconds=121)
    fast_world.tick()
    assert [(row.status, row.attempts) for row in fast_world.deliveries()] == [("sent", 0)]


def test_settling_after_the_lease_was_lost_changes_nothing(fast_world: Any) -> None:
    fast_world.join()
    with store.writing(fast_world.services.engine) as session:
        row = session.query(Delivery).filter_by(kind="video").first()
        assert store.claims.settle(session, "another claim", [row.id], status="failed") == set()


def test_worlds_share_no_clock(fast_world: Any) -> None:
    other = replace(fast_world, clock=type(fast_world.clock)())
    fast_world.clock.move(days=1)
    assert other.clock.now() != fast_world.clock.now()


def test_an_answer_outlives_a_database_that_is_away_for_a_moment(fast_world: Any, memory_mailer: Any) -> None:
    """The provider has taken the letter; the first tries to write that down fail. It is not sent again."""
    from sqlalchemy import event
    from sqlalchemy.exc import OperationalError

    fast_world.sign_up()
    engine, failures = fast_world.services.engine, [0]

    def away(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if memory_mailer.calls and "UPDATE delivery" in statement and failures[0] < 2:
            failures[0] += 1
            raise OperationalError(statement, {}, Exception("the database is away"))

    event.listen(engine, "before_cursor_execute", away)
    fast_world.tick()
    event.remove(engine, "before_cursor_execute", away)
    assert failures == [2]
    assert [row.status for row in fast_world.deliveries()] == ["sent"]
    assert len(memory_mailer.calls) == 1
