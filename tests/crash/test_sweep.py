"""What the sweep makes of a claim whose worker has gone silent, and what it must not do to one that is alive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.delivery.send import Post
from leadmagnet.delivery.settle import Tally, unknown
from leadmagnet.delivery.sweep import MOST_RESENT, sweep
from leadmagnet.domain.message import Batch, Outcome, Result
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.editing.shipped import SLUG
from leadmagnet.from_config import post_of
from leadmagnet.mail import Failover
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick


@dataclass
class Witness:
    """A mailer that takes everything and says about the past what a test tells it to."""

    answer: bool | None = None
    has_evidence: bool = False
    meanwhile: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    name: str = "witness"
    batch_size: int = 100

    def send(self, batch: Batch) -> list[Result]:
        self.batches.append(batch)
        return [Result(letter.delivery_id, Outcome.SENT, self.name) for letter in batch.letters]

    def taken(self, delivery_id: str) -> bool | None:
        self.asked.append(delivery_id)
        self.meanwhile()
        return self.answer

    def close(self) -> None:
        pass


@dataclass
class Scene:
    """One video, claimed by a worker that then fell silent."""

    services: Any
    clock: Any
    row_id: int = 0

    def claim(self, claim_id: str, *, begun: bool) -> list[int]:
        now = self.clock.now()
        with store.writing(self.services.engine) as session:
            ids = store.claims.claim(
                session,
                now=now.course,
                real_now=now.real,
                lease_until=now.real + timedelta(seconds=120),
                claim_id=claim_id,
                lane=1,
                limit=1,
            )
        if begun:
            with store.writing(self.services.engine) as session:
                readers = [row.subscriber_id for row in store.in_hand.claimed(session, claim_id)]
                assert store.claims.begin_call(session, claim_id, ids, readers, now.real)
        return ids

    def post(self, mailer: Any) -> Post:
        whole = post_of(self.services)
        return Post(whole.engine, mailer, whole.clinic, whole.links, 120, 900)

    def sweep(self, mailer: Witness) -> Tally:
        tally = Tally()
        sweep(self.post(mailer), self.clock.now(), tally)
        return tally

    @property
    def row(self) -> Delivery:
        with store.reading(self.services.engine) as session:
            return session.get_one(Delivery, self.row_id)


@pytest.fixture
def scene(services: Any, hand_clock: Any) -> Scene:
    at = hand_clock.course
    with store.writing(services.engine) as session:
        sequence = store.sequences.by_slug(session, SLUG)
        assert sequence is not None
        person = Subscriber(
            email="anna@example.org",
            email_canonical="anna@example.org",
            status="active",
            timezone="Europe/Zurich",
            created_at=at,
            confirmed_at=at,
        )
        session.add(person)
        session.flush()
        enrollment = Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=at, wants_plan=False)
        session.add(enrollment)
        session.flush()
        row = Delivery(
            subscriber_id=person.id,
            enrollment_id=enrollment.id,
            step_id=store.sequences.steps_of(session, sequence.id)[0].id,
            kind="video",
            created_at=at,
            due_at=at,
        )
        session.add(row)
        session.flush()
        return Scene(services, hand_clock, row.id)


def test_before_the_lease_is_over_nothing_happens(scene: Scene) -> None:
    scene.claim("dead", begun=True)
    scene.clock.move(seconds=119)
    mailer = Witness(answer=True)
    scene.sweep(mailer)
    assert mailer.asked == []
    assert scene.row.status == "claimed"


def test_a_call_that_had_not_begun_costs_nothing(scene: Scene) -> None:
    """Nobody can have got anything, so no evidence is asked for and no attempt is counted."""
    scene.claim("dead", begun=False)
    scene.clock.move(seconds=120)
    mailer = Witness()
    scene.sweep(mailer)
    assert mailer.asked == []
    row = scene.row
    assert (row.status, row.attempts, row.resent, row.claim_id, row.lease_until) == ("due", 0, 0, None, None)


@pytest.mark.parametrize(
    ("answer", "has_evidence", "status", "resent"),
    [
        (True, True, "sent", 0),
        (False, True, "due", 0),
        (None, True, "unknown", 0),
        (None, False, "due", 1),
    ],
)
def test_a_call_that_had_begun_depends_on_the_evidence(
    scene: Scene, answer: bool | None, has_evidence: bool, status: str, resent: int
) -> None:
    scene.claim("dead", begun=True)
    scene.clock.move(seconds=120)
    mailer = Witness(answer, has_evidence)
    tally = scene.sweep(mailer)
    row = scene.row
    assert mailer.asked == [row.public_id]
    assert (row.status, row.resent, row.attempts) == (status, resent, 0)
    assert (tally.sent, tally.unknown) == (int(status == "sent"), int(status == "unknown"))


def test_an_unknown_email_is_sent_again_and_at_last_given_up(scene: Scene) -> None:
    mailer = Witness(None, has_evidence=True)
    seen = []
    for _ in range(MOST_RESENT + 6):
        scene.claim("dead", begun=True)
        scene.clock.move(minutes=20)
        while scene.row.status in ("claimed", "unknown"):
            scene.sweep(mailer)
            seen.append((scene.row.status, scene.row.resent))
            scene.clock.move(minutes=20)
        if scene.row.status == "failed":
            break
    times = range(1, MOST_RESENT + 1)
    again = [standing for number in times for standing in (("due", number), ("unknown", number))]
    assert seen == [("unknown", 0), *again, ("failed", MOST_RESENT)]
    with store.reading(scene.services.engine) as session:
        assert session.query(Enrollment).one().wants_plan, "the sequence goes on behind a failed email"


@pytest.mark.parametrize(("provider", "status"), [("smtp", "due"), ("sendgrid", "unknown")])
def test_what_smtp_left_unknown_does_not_wait_for_the_events_of_another(
    scene: Scene, provider: str, status: str
) -> None:
    """With a fail-over that one asks for evidence who had the letter: of SMTP's, SendGrid's events will never tell."""
    scene.claim("mine", begun=True)
    with store.writing(scene.services.engine) as session:
        window = 900 if provider == "sendgrid" else 0
        result = unknown(scene.clock.now(), Result("x", Outcome.UNKNOWN, provider), window)
        store.claims.settle(session, "mine", [scene.row_id], **result)
    scene.clock.move(minutes=16)
    pair = Failover([Witness(name="sendgrid", has_evidence=True), Witness(name="smtp")])
    sweep(replace(scene.post(pair), listens=True), scene.clock.now(), Tally())
    assert (scene.row.status, scene.row.resent) == (status, int(status == "due"))


def test_a_letter_sent_again_has_the_same_message_id(scene: Scene) -> None:
    mailer = Witness()
    services = replace(scene.services, mailer=mailer)
    tick(services, scene.clock.now)
    first = mailer.batches[0].letters[0]
    with store.writing(services.engine) as session:
        store.claims.reopen(session, scene.row_id, DeliveryStatus.SENT, scene.row.claim_id)
    tick(services, scene.clock.now)
    again = mailer.batches[1].letters[0]
    assert (first.message_id, first.delivery_id) == (again.message_id, again.delivery_id)


@pytest.mark.parametrize("answer", [False, None])
def test_a_slow_sweep_does_not_take_a_row_from_a_worker_that_has_claimed_it_since(
    scene: Scene, answer: bool | None
) -> None:
    """Two sweeps meet one dead claim. While the first asks for evidence, the second makes the row due again and a

    living worker claims it. The first one's answer is about the dead claim: the living one is none of its business,
    or the email that is on its way now would be sent a second time.
    """
    scene.claim("dead", begun=True)
    scene.clock.move(seconds=120)

    def meanwhile() -> None:
        scene.sweep(Witness(answer=False))
        assert scene.claim("alive", begun=True) == [scene.row_id]

    scene.sweep(Witness(answer=answer, meanwhile=meanwhile))
    row = scene.row
    assert (row.status, row.claim_id) == ("claimed", "alive")
    with store.writing(scene.services.engine) as session:
        assert store.claims.settle(session, "alive", [scene.row_id], status=DeliveryStatus.SENT) == {scene.row_id}
