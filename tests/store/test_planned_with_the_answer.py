"""What follows an email is planned in the transaction that writes its outcome down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

from sqlalchemy.exc import OperationalError

from leadmagnet import store
from leadmagnet.delivery.direct import send_due
from leadmagnet.delivery.settle import Tally
from leadmagnet.from_config import post_of
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
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
