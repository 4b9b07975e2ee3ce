"""What comes back decides who is written to: full mailboxes, blocks, complaints, the brake, the stopped list."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.send import claim_due, send_claim
from leadmagnet.delivery.settle import Tally
from leadmagnet.enrollment.plan import plan_enrollments
from leadmagnet.feedback.reach import lift
from leadmagnet.from_config import post_of
from leadmagnet.hearing import came_lately, hear
from leadmagnet.services import Services
from leadmagnet.store.activities import Activity
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.halts import BRAKE
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression, email_hash
from leadmagnet.tick import tick

SOFT = {"event": "bounce", "status": "5.2.2", "reason": "552 mailbox full"}
BLOCKED = {"event": "bounce", "type": "blocked", "status": "5.7.1", "reason": "550 5.7.1 listed, ask a@b.example"}
HARD = {"event": "bounce", "status": "5.1.1"}


class Clinic:
    """People with emails out, and what is told of them."""

    def __init__(self, services: Services, now: Now) -> None:
        self.services, self.engine, self.now = services, services.engine, now
        self.number = itertools.count()

    def person(self, *public_ids: str, provider: str = "sendgrid", status: str = "sent") -> int:
        """Somebody to whom these went out, in this order."""
        address = f"p{next(self.number)}@example.org"
        with store.writing(self.engine) as session:
            sequence = store.sequences.by_slug(session, "six-core-videos")
            assert sequence is not None
            columns = {"email": address, "email_canonical": address, "status": "active", "timezone": "UTC"}
            person = Subscriber(**columns, created_at=self.now.course, confirmed_at=self.now.course)
            session.add(person)
            session.flush()
            enrollment = Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=self.now.course)
            enrollment.last_settled_at = self.now.course
            session.add(enrollment)
            session.flush()
            at = self.now.course - timedelta(days=9)
            first = {"created_at": at, "due_at": at, "sent_at": at, "settled_at": at, "status": "sent"}
            step = store.sequences.steps_of(session, sequence.id)[0].id
            course = {"subscriber_id": person.id, "enrollment_id": enrollment.id, "step_id": step, "kind": "video"}
            session.add(Delivery(**course, **first))
            for public_id in public_ids:
                session.add(
                    Delivery(
                        public_id=public_id, subscriber_id=person.id, kind="reminder", status=status,
                        created_at=self.now.course, due_at=self.now.course, sent_at=self.now.course,
                        settled_at=self.now.real, provider=provider,
                    )
                )  # fmt: skip
                session.flush()
            return person.id

    def tell(self, *events: tuple[str, dict[str, Any]]) -> None:
        """Let the provider tell something of each delivery."""
        told = [event | {"lm_delivery": public_id} for public_id, event in events]
        with store.writing(self.engine) as session:
            store.event_batches.add(session, "sendgrid", orjson.dumps(told), self.now.real)
        hear(self.services, self.now)

    def get(self, person_id: int) -> Subscriber:
        with store.reading(self.engine) as session:
            return session.get_one(Subscriber, person_id)

    def next_email(self, person_id: int) -> tuple[str, str | None]:
        """The state of what comes next, once it is planned, and why it is held."""
        with store.writing(self.engine) as session:
            plan_enrollments(session, self.now.course)
        with store.reading(self.engine) as session:
            row = session.query(Delivery).filter_by(subscriber_id=person_id, kind="video", status="due").one()
            return row.status, row.held

    def halt(self) -> store.halts.Halt | None:
        with store.reading(self.engine) as session:
            return store.halts.current(session)

    def left(self, count: int) -> None:
        """So many emails left just now."""
        with store.writing(self.engine) as session:
            store.outcomes.sent(session, count, self.now.real)


@pytest.fixture
def clinic(services: Services, hand_clock: Any) -> Clinic:
    return Clinic(services, hand_clock.now())


def test_five_soft_bounces_in_a_row_hold_the_emails_and_one_that_arrives_lets_them_go(clinic: Clinic) -> None:
    ids = [f"d{number}" for number in range(6)]
    person = clinic.person(*ids)
    clinic.tell(*((public_id, SOFT) for public_id in ids[:4]))
    assert clinic.get(person).unreachable_at is None
    clinic.tell((ids[4], SOFT), (ids[4], SOFT | {"sg_event_id": "again"}))
    assert clinic.get(person).unreachable_at == clinic.now.real
    assert clinic.get(person).status == "active"
    assert clinic.next_email(person) == ("due", "unreachable")
    clinic.tell((ids[5], {"event": "delivered"}))
    assert clinic.get(person).unreachable_at is None
    assert clinic.next_email(person) == ("due", None)
    with store.reading(clinic.engine) as session:
        kinds = [row.kind for row in session.query(Activity).order_by(Activity.id)]
        assert kinds == ["unreachable", "reachable again"]
        assert session.query(Suppression).count() == 0


def test_the_order_in_which_soft_bounces_are_told_makes_no_difference(clinic: Clinic) -> None:
    # One that arrived lies in the middle: three came back since.
    ends = set()
    for turn, order in enumerate(
        ((0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0), (3, 0, 6, 1, 5, 2, 4), (0, 1, 2, 4, 5, 6, 3))
    ):
        ids = [f"t{turn}-{number}" for number in range(7)]
        person = clinic.person(*ids)
        for number in map(int, order):
            clinic.tell((ids[number], {"event": "delivered"} if number == 3 else SOFT))
        ends.add(clinic.get(person).unreachable_at)
    assert ends == {None}


def test_over_smtp_an_email_that_did_not_come_back_breaks_the_row(clinic: Clinic) -> None:
    ids = [f"s{number}" for number in range(7)]
    person = clinic.person(*ids, provider="smtp")
    clinic.tell(*((public_id, SOFT) for public_id in (*ids[:2], *ids[3:6])))
    assert clinic.get(person).unreachable_at is None, "the third one did not come back"
    clinic.tell((ids[2], SOFT))
    assert clinic.get(person).unreachable_at is not None, "the newest may still come back"


def test_the_clinic_may_write_again_all_the_same(clinic: Clinic) -> None:
    ids = [f"l{number}" for number in range(5)]
    person = clinic.person(*ids)
    clinic.tell(*((public_id, SOFT) for public_id in ids))
    with store.writing(clinic.engine) as session:
        assert lift(session, person, clinic.now, "Dana")
        assert not lift(session, person + 1, clinic.now, "Dana")
    assert clinic.next_email(person) == ("due", None)


def test_a_claimed_video_to_a_full_mailbox_is_held_and_a_confirmation_goes(clinic: Clinic) -> None:
    person = clinic.person()
    assert clinic.next_email(person) == ("due", None)
    with store.writing(clinic.engine) as session:
        due = {"due_at": clinic.now.course, "closes_at": None, "lane": 1}
        session.execute(update(Delivery).where(Delivery.status == "due").values(**due))
        session.execute(update(Subscriber).values(unreachable_at=clinic.now.real))
    post, tally = post_of(clinic.services), Tally()
    claim = claim_due(post, lambda: clinic.now, 1)
    assert claim is not None
    send_claim(post, lambda: clinic.now, claim, tally)
    assert clinic.next_email(person) == ("due", "unreachable")
    assert dict(tally.skipped) == {"unreachable": 1}


def test_blocks_are_the_senders_and_nobody_is_stopped(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [f"b{number}" for number in range(30)]
    person = clinic.person(*ids)
    clinic.left(30)
    clinic.tell(*((public_id, BLOCKED) for public_id in ids))
    assert (clinic.get(person).status, clinic.get(person).unreachable_at, clinic.halt()) == ("active", None, None)
    with store.reading(clinic.engine) as session:
        told = store.outcomes.since(session, clinic.now.real - timedelta(hours=1))
        assert (told["blocked"].number, session.query(Suppression).count()) == (30, 0)
    said = capsys.readouterr().err
    assert "refused for the sender's sake" in said
    assert "a@b.example" not in said


def test_too_many_complaints_stop_sending_until_a_person_lets_it_go_on(clinic: Clinic) -> None:
    ids = [f"c{number}" for number in range(6)]
    for public_id in ids:
        clinic.person(public_id)
    clinic.left(2900)
    clinic.tell(*((public_id, {"event": "spamreport"}) for public_id in ids[:2]))
    assert clinic.halt() is None
    clinic.tell((ids[2], {"event": "spamreport"}), (ids[2], {"event": "spamreport", "sg_event_id": "x"}))
    halt = clinic.halt()
    assert halt is not None
    assert (halt.by, halt.reason) == (BRAKE, "4 of 2,900 emails (0.14%) of the last 24 hours were marked as spam.")
    assert claim_due(post_of(clinic.services), lambda: clinic.now, 0) is None
    with store.writing(clinic.engine) as session:
        assert store.halts.go(session)
    # Of emails from before, nothing counts any more.
    clinic.tell((ids[3], {"event": "spamreport"}))
    assert clinic.halt() is None
    with store.reading(clinic.engine) as session:
        assert came_lately(session, clinic.now.real).sent == 0


def test_too_many_hard_bounces_stop_sending_and_a_stop_by_hand_stays(clinic: Clinic) -> None:
    ids = [f"h{number}" for number in range(25)]
    for public_id in ids:
        clinic.person(public_id)
    clinic.left(300)
    clinic.tell(*((public_id, HARD) for public_id in ids[:19]))
    assert clinic.halt() is None
    with store.writing(clinic.engine) as session:
        store.halts.stop_by_hand(session, "holidays", "Dana", clinic.now.real)
    clinic.tell((ids[19], HARD))
    halt = clinic.halt()
    assert halt is not None and halt.by == "Dana"
    with store.writing(clinic.engine) as session:
        store.halts.go(session)
    clinic.tell((ids[20], HARD))
    halt = clinic.halt()
    assert halt is not None and halt.by == BRAKE


def test_an_event_that_comes_again_stops_nobody_who_has_come_back(clinic: Clinic) -> None:
    person = clinic.person("again")
    left = {"event": "unsubscribe", "sg_event_id": "once"}
    clinic.tell(("again", left))
    assert clinic.get(person).status == "unsubscribed"
    with store.writing(clinic.engine) as session:
        session.execute(update(Subscriber).values(status="active"))
    clinic.tell(("again", left), ("again", {"event": "delivered"}))
    assert clinic.get(person).status == "active"


def test_letters_that_leave_are_counted(clinic: Clinic) -> None:
    clinic.person("u", status="unknown")
    clinic.tell(("u", {"event": "processed"}))
    with store.reading(clinic.engine) as session:
        assert came_lately(session, clinic.now.real).sent == 1


def test_a_complaint_about_an_email_to_somebody_who_is_erased_keeps_the_address_stopped(clinic: Clinic) -> None:
    clinic.tell(("long-gone", {"event": "spamreport", "email": "Gone@example.org"}))
    clinic.tell(("", {"event": "spamreport", "email": "stranger@example.org"}))
    with store.reading(clinic.engine) as session:
        (row,) = session.query(Suppression)
        assert row.email_hash == email_hash(clinic.services.config.suppression_key, "gone@example.org")
        assert row.reason == "complained"


def test_an_address_on_the_list_gets_nothing_though_its_person_is_active(clinic: Clinic) -> None:
    one, other = clinic.person(), clinic.person()
    for person in (one, other):
        clinic.next_email(person)
    with store.writing(clinic.engine) as session:
        due = {"due_at": clinic.now.course, "closes_at": None, "lane": 1}
        session.execute(update(Delivery).where(Delivery.status == "due").values(**due))
        session.execute(update(Enrollment).values(wants_plan=False))
        address = session.get_one(Subscriber, one).email_canonical
        store.suppressions.add(session, clinic.services.config.suppression_key, {address: "imported"}, clinic.now.real)
    done = tick(clinic.services, lambda: clinic.now)
    assert (done["sent"], done["skipped"]) == (1, {"suppressed": 1})
    assert (clinic.get(one).status, clinic.get(other).status) == ("unsubscribed", "active")
    with store.reading(clinic.engine) as session:
        row = session.query(Delivery).filter_by(subscriber_id=one, status="skipped").one()
        assert row.skip_reason == "suppressed"
        assert session.query(Enrollment).filter_by(subscriber_id=one).one().status == "stopped"
