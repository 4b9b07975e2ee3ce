"""What follows an email is planned in the transaction that writes its outcome down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn

from sqlalchemy.exc import OperationalError

from leadmagnet import store
from leadmagnet.delivery.again import try_again
from leadmagnet.delivery.direct import send_due
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.message import Batch, Outcome, Result
from leadmagnet.enrollment.plan import plan_enrollments
from leadmagnet.from_config import post_of
from leadmagnet.purge import PENDING_LIVES
from leadmagnet.store.deliveries import ASKED_FOR, TRIED_AGAIN, Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.sequences import Sequence
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick


def second_video(ledger: Any) -> int:
    """Write somebody whose second video is due; return the enrollment."""
    [person] = ledger.people(1, leave_id="l", confirmed_at=ledger.at)
    with store.reading(ledger.engine) as session:
        enrollment = session.query(Enrollment).filter_by(subscriber_id=person).one().id
    first, second, *_ = ledger.steps()
    for step, status in ((first, "sent"), (second, "due")):
        ledger.due(person, enrollment_id=enrollment, step_id=step, status=status)
    return int(enrollment)


class Refusing:
    """A provider that takes no letter."""

    name, batch_size, has_evidence = "refusing", 1000, False

    def send(self, batch: Batch) -> list[Result]:
        return [Result(letter.delivery_id, Outcome.REJECTED, self.name, "550") for letter in batch.letters]

    def taken(self, delivery_id: str) -> None:
        return None

    def close(self) -> None:
        pass


def newest(ledger: Any) -> Delivery:
    with store.reading(ledger.engine) as session:
        return session.query(Delivery).filter_by(kind="video").order_by(Delivery.id.desc()).first()


def standing(ledger: Any) -> tuple[list[tuple[int | None, str]], bool]:
    with store.reading(ledger.engine) as session:
        rows = [
            (row.step_id, row.status) for row in session.query(Delivery).filter_by(kind="video").order_by(Delivery.id)
        ]
        return rows, session.query(Enrollment).one().wants_plan


def test_the_next_video_is_due_as_soon_as_the_last_is_sent(ledger: Any, hand_clock: Any) -> None:
    second_video(ledger)
    first, second, third, *_ = ledger.steps()
    tally = Tally()
    assert send_due(post_of(ledger.services), hand_clock.now, 1, tally) == 1
    assert (tally.sent, tally.planned) == (1, 1)
    assert standing(ledger) == ([(first, "sent"), (second, "sent"), (third, "due")], False)


def test_a_plan_that_fails_costs_no_answer(ledger: Any, hand_clock: Any) -> None:
    enrollment = second_video(ledger)
    first, second, third, *_ = ledger.steps()

    def fails(session: Any, ids: Any, now: Any) -> NoReturn:
        session.get(Enrollment, enrollment).wants_plan = False
        session.flush()
        raise ValueError("a sequence nobody can plan for")

    post, tally = replace(post_of(ledger.services), plan_next=fails), Tally()
    assert send_due(post, hand_clock.now, 1, tally) == 1
    assert (tally.sent, tally.planned) == (1, 0)
    assert standing(ledger) == ([(first, "sent"), (second, "sent")], True)
    tick(ledger.services, hand_clock.now)
    assert standing(ledger) == ([(first, "sent"), (second, "sent"), (third, "due")], False)


def test_a_database_that_stumbles_over_the_plan_is_asked_again(ledger: Any, hand_clock: Any) -> None:
    second_video(ledger)
    post, tries = post_of(ledger.services), []

    def stumbles(session: Any, ids: Any, now: Any) -> int:
        tries.append(ids)
        if len(tries) < 3:
            raise OperationalError("UPDATE", {}, Exception("deadlock detected"))
        return post.plan_next(session, ids, now)

    tally = Tally()
    assert send_due(replace(post, plan_next=stumbles), hand_clock.now, 1, tally) == 1
    assert (tally.sent, tally.planned, len(tries)) == (1, 1, 3)


def enrollment_of(ledger: Any, enrollment: int) -> Enrollment:
    with store.reading(ledger.engine) as session:
        return session.get_one(Enrollment, enrollment)


def test_an_email_that_is_sent_writes_nothing_on_its_enrollment(ledger: Any, hand_clock: Any) -> None:
    enrollment = second_video(ledger)
    before = enrollment_of(ledger, enrollment).last_settled_at
    assert send_due(post_of(ledger.services), hand_clock.now, 1, Tally()) == 1
    after = enrollment_of(ledger, enrollment)
    assert (after.last_settled_at, after.wants_plan) == (before, False)


def test_what_follows_counts_from_the_email_that_was_sent_last(ledger: Any, hand_clock: Any) -> None:
    """Also for a plan that is made later and knows no more than what stands in the ledger."""
    enrollment = second_video(ledger)
    hand_clock.course += timedelta(hours=1)
    send_due(post_of(ledger.services), hand_clock.now, 1, Tally())
    third = newest(ledger)
    hand_clock.course += timedelta(hours=5)
    ledger.do(store.enrollments.want_plan, [enrollment])
    with store.writing(ledger.engine) as session:
        assert plan_enrollments(session, hand_clock.course) == 1
    again = newest(ledger)
    assert (again.id, again.due_at, again.day) == (third.id, third.due_at, third.day)


def test_what_follows_counts_from_the_refusal_of_an_email(ledger: Any, hand_clock: Any) -> None:
    enrollment = second_video(ledger)
    send_due(replace(post_of(ledger.services), mailer=Refusing()), hand_clock.now, 1, Tally())
    assert [status for _, status in standing(ledger)[0]] == ["sent", "failed", "due"]
    assert enrollment_of(ledger, enrollment).last_settled_at == hand_clock.course
    third = newest(ledger)
    ledger.do(store.enrollments.want_plan, [enrollment])
    with store.writing(ledger.engine) as session:
        plan_enrollments(session, hand_clock.course + timedelta(hours=5))
    assert newest(ledger).due_at == third.due_at


def test_a_step_that_was_sent_before_is_passed_over(ledger: Any, hand_clock: Any) -> None:
    """The steps were moved after some had gone out: the ledger knows, and the planner is asked."""
    enrollment = second_video(ledger)
    first, second, third, fourth, *_ = ledger.steps()
    with store.reading(ledger.engine) as session:
        person = session.get_one(Enrollment, enrollment).subscriber_id
    ledger.due(person, enrollment_id=enrollment, step_id=third, status="sent")
    # The newest email is the one that goes out: its row comes last.
    with store.writing(ledger.engine) as session:
        row = session.query(Delivery).filter_by(step_id=second).one()
        session.delete(row)
    ledger.due(person, enrollment_id=enrollment, step_id=second, status="due")
    assert send_due(post_of(ledger.services), hand_clock.now, 1, Tally()) == 1
    assert standing(ledger) == ([(first, "sent"), (third, "sent"), (second, "sent")], True)
    tick(ledger.services, hand_clock.now)
    assert standing(ledger) == ([(first, "sent"), (third, "sent"), (second, "sent"), (fourth, "due")], False)


def test_a_day_that_has_its_email_is_passed_over(ledger: Any, hand_clock: Any) -> None:
    enrollment = second_video(ledger)
    send_due(post_of(ledger.services), hand_clock.now, 1, Tally())
    wanted, person = newest(ledger).day, newest(ledger).subscriber_id
    # The same once more, but that day is taken.
    with store.writing(ledger.engine) as session:
        session.delete(session.get_one(Delivery, newest(ledger).id))
        session.query(Delivery).filter_by(step_id=ledger.steps()[1]).one().status = "due"
    ledger.due(person, kind="reminder", day=wanted, due_at=hand_clock.course + timedelta(days=30), text_slug="x")
    assert send_due(post_of(ledger.services), hand_clock.now, 1, Tally()) == 1
    assert enrollment_of(ledger, enrollment).wants_plan
    tick(ledger.services, hand_clock.now)
    third = ledger.do(lambda session: session.query(Delivery).filter_by(step_id=ledger.steps()[2]).one().day)
    assert wanted < third <= wanted + timedelta(days=2)


def test_behind_an_email_that_is_tried_again_nothing_is_planned_twice(ledger: Any, hand_clock: Any) -> None:
    """It had failed, the course went on, and the clinic sends it once more: the one ahead stays the only one."""
    enrollment = second_video(ledger)
    first, second, third, *_ = ledger.steps()
    with store.writing(ledger.engine) as session:
        row = session.query(Delivery).filter_by(step_id=second).one()
        row.status, row.reason = "failed", ""
        failed, person = row.id, row.subscriber_id
    ahead = ledger.due(
        person, enrollment_id=enrollment, step_id=third, due_at=hand_clock.course + timedelta(days=3), lane=1
    )
    assert ledger.do(try_again, [failed], hand_clock.now()).due == 1
    assert send_due(post_of(ledger.services), hand_clock.now, 1, Tally()) == 1
    assert standing(ledger) == ([(first, "sent"), (second, "sent"), (third, "due")], False)
    assert newest(ledger).id == ahead


def test_a_wish_that_comes_while_an_email_is_in_hand_is_not_lost(ledger: Any, hand_clock: Any) -> None:
    """Whoever settles it plans by what was read a moment ago; the wish may be newer, so the planner leaves it."""
    enrollment = second_video(ledger)
    [row] = ledger.claim()
    ledger.do(store.enrollments.want_plan, [enrollment])
    with store.writing(ledger.engine) as session:
        assert plan_enrollments(session, hand_clock.course) == 0
    now = hand_clock.now()
    with store.reading(ledger.engine) as session:
        stale = now.course - PENDING_LIVES
        assert not store.agenda.agenda(session, now.course, now.real, stale).plans
    assert enrollment_of(ledger, enrollment).wants_plan
    ledger.do(store.claims.give_back, "mine", [row])
    with store.writing(ledger.engine) as session:
        assert plan_enrollments(session, hand_clock.course) == 1
    assert not enrollment_of(ledger, enrollment).wants_plan


def test_one_who_meets_another_row_costs_nobody_else_the_plan(ledger: Any, hand_clock: Any) -> None:
    """Of a batch, one has a day that is taken: that one is planned anew, and all others with the answer."""
    people = ledger.people(5, confirmed_at=ledger.at)
    first, second, third, *_ = ledger.steps()
    with store.reading(ledger.engine) as session:
        mine = {row.subscriber_id: row.id for row in session.query(Enrollment)}
    for person in people:
        ledger.due(person, enrollment_id=mine[person], step_id=first, status="sent")
        ledger.due(person, enrollment_id=mine[person], step_id=second)
    for days in range(1, 6):
        taken = (hand_clock.course + timedelta(days=days)).date()
        ledger.due(people[0], kind="reminder", day=taken, due_at=hand_clock.course + timedelta(days=30))
    tally = Tally()
    send_due(post_of(ledger.services), hand_clock.now, 1, tally)
    assert (tally.sent, tally.planned) == (5, 4)
    with store.reading(ledger.engine) as session:
        wishing = [row.subscriber_id for row in session.query(Enrollment).filter_by(wants_plan=True)]
        due = [row.subscriber_id for row in session.query(Delivery).filter_by(step_id=third, status="due")]
    assert (wishing, sorted(due)) == ([people[0]], sorted(people[1:]))


def test_an_event_that_comes_late_moves_no_date(ledger: Any, hand_clock: Any) -> None:
    """What had failed was delivered after all, as is heard two days later; the next email stays where it is."""
    enrollment = second_video(ledger)
    send_due(replace(post_of(ledger.services), mailer=Refusing()), hand_clock.now, 1, Tally())
    third = newest(ledger)
    hand_clock.course += timedelta(days=2)
    with store.writing(ledger.engine) as session:
        late = session.query(Delivery).filter_by(status="failed").one()
        late.status, late.sent_at, late.day = "delivered", hand_clock.course, None
    ledger.do(store.enrollments.want_plan, [enrollment])
    with store.writing(ledger.engine) as session:
        plan_enrollments(session, hand_clock.course)
    assert newest(ledger).due_at == third.due_at


def test_an_email_that_is_tried_again_keeps_no_planner_for_ever(ledger: Any, hand_clock: Any) -> None:
    """Later ones are out and one is ahead: a wish that comes before it has gone out waits for its end."""
    enrollment = second_video(ledger)
    first, second, third, fourth, *_ = ledger.steps()
    with store.writing(ledger.engine) as session:
        row = session.query(Delivery).filter_by(step_id=second).one()
        row.status = "failed"
        failed, person = row.id, row.subscriber_id
    ledger.due(person, enrollment_id=enrollment, step_id=third, status="sent")
    ahead = ledger.due(person, enrollment_id=enrollment, step_id=fourth, due_at=hand_clock.course + timedelta(days=2))
    ledger.do(try_again, [failed], hand_clock.now())
    ledger.do(store.enrollments.want_plan, [enrollment])
    asked = iter(range(50))
    done = tick(ledger.services, hand_clock.now, going=lambda: next(asked, None) is not None)
    assert (done["sent"], next(asked, None) is not None) == (1, True)
    rows = [(first, "sent"), (second, "sent"), (third, "sent"), (fourth, "due")]
    assert standing(ledger) == (rows, False)
    assert newest(ledger).id == ahead


def test_a_second_try_that_a_pause_has_held_gives_way_to_the_one_ahead(ledger: Any, hand_clock: Any) -> None:
    enrollment = second_video(ledger)
    first, second, third, *_ = ledger.steps()
    with store.writing(ledger.engine) as session:
        row = session.query(Delivery).filter_by(step_id=second).one()
        row.reason, row.held = TRIED_AGAIN, "paused"
        person = row.subscriber_id
    ledger.due(person, enrollment_id=enrollment, step_id=third, due_at=hand_clock.course + timedelta(days=2))
    ledger.do(store.enrollments.want_plan, [enrollment])
    with store.writing(ledger.engine) as session:
        assert plan_enrollments(session, hand_clock.course) == 1
    assert standing(ledger) == ([(first, "sent"), (second, "failed"), (third, "due")], False)


def test_a_video_that_was_asked_for_is_let_go_when_the_pause_is_over(ledger: Any, hand_clock: Any) -> None:
    enrollment = second_video(ledger)
    with store.writing(ledger.engine) as session:
        row = session.query(Delivery).filter_by(status="due").one()
        row.reason, row.held, row.lane, row.day = ASKED_FOR, "sequence_paused", 0, None
        due_at = row.due_at
    ledger.do(store.enrollments.want_plan, [enrollment])
    with store.writing(ledger.engine) as session:
        plan_enrollments(session, hand_clock.course)
    row = newest(ledger)
    assert (row.held, row.due_at, row.reason) == (None, due_at, ASKED_FOR)


def test_people_of_one_batch_get_each_their_own_plan(ledger: Any, hand_clock: Any) -> None:
    """The short way reads what many share once; it says of everybody what the planner says by all there is to know."""
    own: list[dict[str, Any]] = [
        {},
        {"chosen_hour": 19},
        {"timezone": "Pacific/Auckland"},
        {"timezone": "America/St_Johns", "pace": "slower"},
        {"paused_at": hand_clock.course},
        {"hurt_at": hand_clock.course},
        {"wants_videos": False},
        {"status": "unsubscribed"},
    ]
    # Each has a minute of their own in the spread, always the same.
    people = [ledger.people(1, confirmed_at=ledger.at, leave_id=f"one-{number}")[0] for number in range(len(own))]
    first, second, third, *_ = ledger.steps()
    with store.writing(ledger.engine) as session:
        session.query(Sequence).update({"spread_minutes": 45})
        mine = {row.subscriber_id: row.id for row in session.query(Enrollment)}
    for person in people:
        ledger.due(person, enrollment_id=mine[person], step_id=first, status="sent")
        ledger.due(person, enrollment_id=mine[person], step_id=second, day=hand_clock.course.date())

    class Slow(Refusing):
        """While it works, people make up their minds."""

        def send(self, batch: Batch) -> list[Result]:
            with store.writing(ledger.engine) as session:
                for person, columns in zip(people[1:], own[1:], strict=True):
                    session.query(Subscriber).filter_by(id=person).update(columns)
            return [Result(letter.delivery_id, Outcome.SENT, self.name) for letter in batch.letters]

    def planned() -> list[tuple[Any, ...]]:
        with store.reading(ledger.engine) as session:
            rows = session.query(Delivery).filter_by(status="due").order_by(Delivery.subscriber_id)
            return [(row.subscriber_id, row.step_id, row.due_at, row.closes_at, row.day, row.held) for row in rows]

    tally = Tally()
    send_due(replace(post_of(ledger.services), mailer=Slow()), hand_clock.now, 1, tally)
    assert (tally.sent, tally.planned) == (8, 8)
    at_once = planned()
    assert [held for *_, held in at_once] == [None, None, None, None, "paused", "hurt", "no_consent"]
    assert {step for _, step, *_ in at_once} == {third}
    assert len({due_at for _, _, due_at, *_ in at_once}) == 7
    ledger.do(store.enrollments.want_plan, [mine[person] for person in people])
    with store.writing(ledger.engine) as session:
        plan_enrollments(session, hand_clock.course)
    assert planned() == at_once
