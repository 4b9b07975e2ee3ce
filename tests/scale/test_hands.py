"""What the leader hands out and what a thread makes of a message, on both databases and without a broker."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from leadmagnet import store
from leadmagnet.delivery.send import claim_due
from leadmagnet.editing.shipped import SLUG
from leadmagnet.from_config import post_of
from leadmagnet.queueing.broker import BrokerAway
from leadmagnet.queueing.hand_out import AHEAD, MOST_PLANS, PLAN_LEASE, HandOut
from leadmagnet.queueing.hands import Hands
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

BATCH = 10


@dataclass
class Tray:
    """A queue that keeps what is put in, or is away."""

    away: bool = False
    messages: list[tuple[str, ...]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def put(self, kind: str, *args: str) -> None:
        if self.away:
            raise BrokerAway("ConnectionError")
        self.messages.append((kind, *args))

    def serve(self, kind: str, work: Any, priority: int = 0) -> None:
        self.kinds.append(kind)

    def worker(self, threads: int) -> None:
        return None


class SmallBatches:
    """The outbox, ten letters at a time."""

    batch_size = BATCH

    def __init__(self, mailer: Any) -> None:
        self._mailer = mailer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mailer, name)


@dataclass
class Office:
    services: Any
    clock: Any
    answers: Tray = field(default_factory=Tray)
    letters: Tray = field(default_factory=Tray)

    def due(self, count: int, **columns: Any) -> None:
        at = self.clock.course
        with store.writing(self.services.engine) as session:
            course = store.sequences.by_slug(session, SLUG)
            step = store.sequences.steps_of(session, course.id)[0].id
            first = session.query(Subscriber).count()
            people = [
                {"email": f"p{n}@example.org", "email_canonical": f"p{n}@example.org", "status": "active"}
                | {"timezone": "Europe/Zurich", "created_at": at, "confirmed_at": at}
                for n in range(first, first + count)
            ]
            for one in session.scalars(insert(Subscriber).returning(Subscriber.id), people).all():
                enrollment = Enrollment(subscriber_id=one, sequence_id=course.id, started_at=at, wants_plan=False)
                session.add(enrollment)
                session.flush()
                values = {"kind": "video", "step_id": step, "created_at": at, "due_at": at} | columns
                session.add(Delivery(subscriber_id=one, enrollment_id=enrollment.id, **values))

    def alive(self, *threads: int) -> None:
        with store.writing(self.services.engine) as session:
            for number, count in enumerate(threads):
                store.workers.beat(session, f"worker-{number}", count, self.clock.real)

    def hand_out(self) -> list[tuple[str, ...]]:
        """Hand out once; return the new messages of both queues."""
        before = len(self.answers.messages), len(self.letters.messages)
        HandOut(self.services, self.answers, self.letters)(self.clock.now)
        return [*self.answers.messages[before[0] :], *self.letters.messages[before[1] :]]

    def states(self) -> dict[str, int]:
        with store.reading(self.services.engine) as session:
            return dict(session.execute(select(Delivery.status, func.count()).group_by(Delivery.status)).all())

    def claim(self) -> str:
        claim = claim_due(post_of(self.services), self.clock.now, 1)
        assert claim is not None
        return claim.id

    def hands(self) -> Hands:
        return Hands(self.services, Tray(), Tray(), threads=1)

    def letters_out(self) -> int:
        folder = self.services.config.outbox_dir / "new"
        return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


@pytest.fixture
def office(services: Any, hand_clock: Any) -> Office:
    return Office(replace(services, mailer=SmallBatches(services.mailer)), hand_clock)


def begin(office: Office, claim_id: str) -> None:
    with store.writing(office.services.engine) as session:
        rows = store.in_hand.claimed(session, claim_id)
        ids, readers = [row.id for row in rows], [row.subscriber_id for row in rows]
        assert len(store.claims.begin_call(session, claim_id, ids, readers, office.clock.real)) == BATCH


def test_no_more_is_handed_out_than_the_workers_take(office: Office) -> None:
    office.due(10 * BATCH)
    office.alive(2, 1)
    first = office.hand_out()
    assert len(first) == 3 * AHEAD
    assert office.states() == {"claimed": 3 * AHEAD * BATCH, "due": (10 - 3 * AHEAD) * BATCH}
    assert office.hand_out() == [], "also not by a new leader: what is on its way is counted in the database"
    begin(office, first[0][1])
    assert len(office.hand_out()) == 1
    # A worker that has fallen silent is not counted on.
    office.clock.move(seconds=60)
    office.alive(2)
    begin(office, first[1][1])
    assert office.hand_out() == []


def test_a_domains_rate_holds_for_what_is_handed_out(office: Office) -> None:
    """Everybody is at example.org but for one; a lane of its own is handed out as its rate allows."""
    office.services = replace(
        office.services, config=replace(office.services.config, domain_rate=(("example.org", float(BATCH)),))
    )
    office.due(4 * BATCH)
    office.due(1)
    with store.writing(office.services.engine) as session:
        last = session.query(Subscriber).order_by(Subscriber.id.desc()).limit(1).one()
        last.email = last.email_canonical = "last@other.example"
    office.alive(2, 1)
    office.hand_out()
    assert office.states() == {"claimed": BATCH + 1, "due": 3 * BATCH}
    assert office.hand_out() == []
    office.clock.move(seconds=1)
    assert len(office.hand_out()) == 1
    assert office.states() == {"claimed": 2 * BATCH + 1, "due": 2 * BATCH}


def test_answers_have_a_queue_and_a_share_of_their_own(office: Office) -> None:
    office.due(8 * BATCH)
    office.due(3 * BATCH, lane=0)
    office.alive(1)
    office.hand_out()
    assert len(office.answers.messages) == AHEAD
    assert len(office.letters.messages) == AHEAD


def test_without_a_living_worker_nothing_is_claimed(office: Office) -> None:
    office.due(BATCH)
    assert office.hand_out() == []
    assert office.states() == {"due": BATCH}


def test_a_broker_that_is_away_leaves_everything_due(office: Office) -> None:
    office.due(3 * BATCH)
    office.alive(2)
    with store.writing(office.services.engine) as session:
        session.execute(update(Enrollment).where(Enrollment.id == 1).values(wants_plan=True))
    for tray in (office.answers, office.letters):
        tray.away = True
    with pytest.raises(BrokerAway):
        office.hand_out()
    assert office.states() == {"due": 3 * BATCH}
    with store.reading(office.services.engine) as session:
        row = session.query(Delivery).first()
        assert (row.attempts, row.claim_id, row.lease_until) == (0, None, None)
        assert store.leases.holder(session, "plan-0", office.clock.real) is None
    office.letters.away = False
    assert {message[0] for message in office.hand_out()} == {"plan", "send"}


def test_a_refusing_provider_is_tried_with_one_email(office: Office) -> None:
    office.due(3 * BATCH)
    office.alive(4)
    with store.writing(office.services.engine) as session:
        store.halts.stop(session, "wrong key", office.clock.real, office.clock.real + timedelta(seconds=60))
    assert office.hand_out() == []
    office.clock.move(seconds=61)
    office.alive(4)
    assert len(office.hand_out()) == 1
    assert office.hand_out() == []
    assert office.states()["claimed"] == 1


def test_planning_tasks_hold_a_slot_until_they_are_done_or_lost(office: Office) -> None:
    office.due(1, status="sent")
    office.alive(2, 100)
    with store.writing(office.services.engine) as session:
        session.execute(update(Enrollment).values(wants_plan=True))
    slots = office.hand_out()
    assert len(slots) == MOST_PLANS
    assert office.hand_out() == []
    office.hands().plan(*slots[0][1:])
    with store.reading(office.services.engine) as session:
        assert session.query(Enrollment).one().wants_plan is False
        assert store.leases.holder(session, slots[0][1], office.clock.real) is None
    with store.writing(office.services.engine) as session:
        session.execute(update(Enrollment).values(wants_plan=True))
    assert len(office.hand_out()) == 1
    office.clock.move(seconds=PLAN_LEASE)
    office.alive(100)
    assert len(office.hand_out()) == MOST_PLANS, "those that were lost are asked for again"


def test_a_claim_is_sent_once_however_often_its_message_comes(office: Office) -> None:
    office.due(BATCH)
    claim, hands = office.claim(), [office.hands() for _ in range(3)]
    ready = threading.Barrier(3)

    def take(one: Hands) -> None:
        ready.wait(timeout=10)
        one.send(claim)

    threads = [threading.Thread(target=take, args=(one,)) for one in hands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert office.states() == {"sent": BATCH, "due": BATCH}, "each has its next email"
    assert office.letters_out() == BATCH
    hands[0].send(claim)
    hands[0].send("a claim that never was")
    assert office.letters_out() == BATCH


def test_a_late_message_finds_nothing(office: Office) -> None:
    office.due(BATCH)
    claim = office.claim()
    office.clock.move(seconds=office.services.config.claim_lease_seconds)
    office.hands().send(claim)
    assert office.states() == {"claimed": BATCH}
    with store.writing(office.services.engine) as session:
        assert store.outstanding.reopen(session, office.clock.real, 4) == 4
        assert store.outstanding.reopen(session, office.clock.real, 100) == BATCH - 4
    office.hands().send(claim)
    assert (office.states(), office.letters_out()) == ({"due": BATCH}, 0)


def test_a_claim_that_waited_gets_a_fresh_lease(office: Office) -> None:
    office.due(BATCH)
    claim, lease = office.claim(), office.services.config.claim_lease_seconds
    office.clock.move(seconds=lease - 1)
    until = office.clock.real + timedelta(seconds=lease)
    with store.writing(office.services.engine) as session:
        assert store.outstanding.take_up(session, claim, office.clock.real, until) == BATCH
    office.clock.move(seconds=10)
    with store.writing(office.services.engine) as session:
        assert store.outstanding.reopen(session, office.clock.real, 100) == 0


def test_while_sending_is_halted_a_claim_goes_back_unsent(office: Office) -> None:
    office.due(BATCH)
    claim = office.claim()
    with store.writing(office.services.engine) as session:
        store.halts.stop(session, "wrong key", office.clock.real, office.clock.real + timedelta(seconds=60))
    office.hands().send(claim)
    assert (office.states(), office.letters_out()) == ({"due": BATCH}, 0)


def test_a_call_that_has_begun_is_never_given_back(office: Office) -> None:
    office.due(2 * BATCH)
    begun, waiting = office.claim(), office.claim()
    begin(office, begun)
    with store.writing(office.services.engine) as session:
        assert store.outstanding.give_back(session, begun) == 0
        assert store.outstanding.give_back(session, waiting) == BATCH
        far: datetime = office.clock.real + timedelta(days=1)
        assert store.outstanding.reopen(session, far, 100) == 0
        assert store.outstanding.batches(session, 1) == 0


def test_dead_workers_are_forgotten(office: Office) -> None:
    office.alive(1, 2)
    office.clock.move(hours=2)
    office.alive(4)
    with store.writing(office.services.engine) as session:
        assert store.workers.force(session, office.clock.real, 10) == (1, 4)
        store.workers.forget(session, office.clock.real - timedelta(hours=1))
        assert session.query(store.workers.WorkerProcess).count() == 1
        store.workers.leave(session, "worker-0")
        assert store.workers.force(session, office.clock.real, 10) == (0, 0)
