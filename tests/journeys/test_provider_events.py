"""Provider events stored one by one, before and after the settling; test_event_ways.py brings whole batches."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.settle import Tally
from leadmagnet.delivery.sweep import sweep
from leadmagnet.from_config import post_of
from leadmagnet.hearing import hear
from leadmagnet.mail.sendgrid_events import read_events
from leadmagnet.services import Services
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.events import ProviderEvent
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression

#: What is told of each delivery, in the words of the provider, and where the ledger and the person must end.
STORIES: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"event": "processed"}, {"event": "deferred"}, {"event": "delivered"}], "delivered", "active"),
    ([{"event": "processed"}, {"event": "bounce", "type": "bounce", "status": "5.1.1"}], "bounced", "bounced"),
    ([{"event": "delivered"}, {"event": "bounce", "type": "bounce", "status": "5.1.1"}], "bounced", "bounced"),
    ([{"event": "bounce", "type": "blocked", "status": "5.7.1"}], "bounced", "active"),
    ([{"event": "delivered"}, {"event": "open"}, {"event": "spamreport"}], "delivered", "complained"),
    ([{"event": "dropped", "reason": "Bounced Address"}], "failed", "bounced"),
    ([{"event": "dropped", "reason": "Spam Content"}], "failed", "active"),
    ([{"event": "delivered"}, {"event": "unsubscribe"}, {"event": "spamreport"}], "delivered", "complained"),
    ([{"event": "group_unsubscribe"}, {"event": "group_resubscribe"}], "sent", "unsubscribed"),
    ([{"event": "click", "url": "https://x.example"}], "sent", "active"),
    ([{"event": "moonwalk"}], "sent", "active"),
    ([{"event": "bounce", "status": "5.2.2"}, {"event": "bounce", "status": "5.1.1"}], "bounced", "bounced"),
]  # fmt: skip
STANDINGS = ("sent", "unknown", "due", "claimed")


class Told:
    """A ledger in which one letter each is out, and the events about them."""

    def __init__(self, services: Services, now: Now) -> None:
        self.services, self.engine, self.now = services, services.engine, now

    def people(self, standings: list[str]) -> None:
        with store.writing(self.engine) as session:
            sequence = store.sequences.by_slug(session, "six-core-videos")
            assert sequence is not None
            step = store.sequences.steps_of(session, sequence.id)[1].id
            for table in (ProviderEvent, Suppression, Subscriber):
                session.query(table).delete()
            for number, standing in enumerate(standings):
                address = f"p{number}@example.org"
                person = Subscriber(
                    email=address, email_canonical=address, status="active", timezone="UTC",
                    created_at=self.now.course, leave_id=f"leave-{number}",
                )  # fmt: skip
                session.add(person)
                session.flush()
                enrollment = Enrollment(
                    subscriber_id=person.id, sequence_id=sequence.id, started_at=self.now.course, wants_plan=False
                )
                session.add(enrollment)
                session.flush()
                row = Delivery(public_id=f"d{number}", subscriber_id=person.id, enrollment_id=enrollment.id)
                row.step_id, row.kind, row.status = step, "video", standing
                row.created_at = row.due_at = self.now.course
                if standing in ("unknown", "claimed"):
                    row.claim_id, row.call_begun_at, row.lease_until = "c", self.now.real, self.now.real
                session.add(row)

    def tell(self, events: list[dict[str, Any]]) -> None:
        rows = [
            {
                "event_id": event.id, "provider": "sendgrid", "public_id": event.delivery_id, "at": event.at,
                "signal": str(event.signal), "received_at": self.now.real, "email": event.email,
                "detail": event.detail, "raw": event.raw,
            }
            for event in read_events(orjson.dumps(events))
        ]  # fmt: skip
        with store.writing(self.engine) as session:
            store.events.add(session, rows)
        hear(self.services, self.now)

    def settle(self) -> None:
        """The calls that were under way come to their end."""
        with store.writing(self.engine) as session:
            session.execute(update(Delivery).where(Delivery.status == "claimed").values(status="sent"))
        hear(self.services, self.now)

    def end(self) -> list[tuple[str, str, str]]:
        with store.reading(self.engine) as session:
            query = session.query(Delivery.public_id, Delivery.status, Subscriber.status).join(
                Subscriber, Subscriber.id == Delivery.subscriber_id
            )
            return sorted((one, two, three) for one, two, three in query)


@pytest.fixture
def told(services: Services, hand_clock: Any) -> Told:
    return Told(services, hand_clock.now())


def events_of(stories: list[tuple[list[dict[str, Any]], str, str]]) -> list[dict[str, Any]]:
    return [
        event | {"sg_event_id": f"e{number}-{place}", "lm_delivery": f"d{number}", "timestamp": 1_770_000_000 + place}
        for number, (events, _, _) in enumerate(stories)
        for place, event in enumerate(events)
    ]


def play(told: Told, chance: random.Random) -> None:
    standings = [chance.choice(STANDINGS) for _ in STORIES]
    told.people(standings)
    events = [event for event in events_of(STORIES) for _ in range(chance.randint(1, 5))]
    chance.shuffle(events)
    cut = chance.randint(0, len(events))
    told.tell(events[:cut])
    told.settle()
    while cut < len(events):
        step = chance.randint(1, 20)
        told.tell(events[cut : cut + step])
        cut += step
    expected = sorted((f"d{number}", state, person) for number, (_, state, person) in enumerate(STORIES))
    assert told.end() == expected, (standings, events)


def test_events_of_letters_under_way_wait_for_their_settling(told: Told) -> None:
    for seed in range(4):
        play(told, random.Random(seed))


def test_a_stopped_person_gets_nothing_more_and_stays_suppressed(told: Told) -> None:
    told.people(["sent", "sent"])
    with store.writing(told.engine) as session:
        person = session.query(Subscriber).filter_by(email="p0@example.org").one()
        session.add(
            Delivery(subscriber_id=person.id, kind="reminder", created_at=told.now.course, due_at=told.now.course)
        )
    told.tell([{"event": "bounce", "status": "5.1.1", "lm_delivery": "d0", "sg_event_id": "b"}])
    with store.reading(told.engine) as session:
        assert session.query(Delivery).filter_by(kind="reminder").one().status == "skipped"
        assert session.query(Enrollment).filter_by(status="stopped").count() == 1
        assert [row.reason for row in session.query(Suppression)] == ["bounced"]
        event = session.query(ProviderEvent).one()
        assert (event.email, event.applied_at is not None) == ("", True)


def test_a_late_bounce_without_our_id_finds_the_person_by_address(told: Told) -> None:
    told.people(["sent"])
    told.tell([{"event": "bounce", "status": "5.1.1", "email": "P0@example.org"}])
    assert told.end() == [("d0", "sent", "bounced")]


def test_an_unknown_letter_is_settled_and_its_enrollment_goes_on(told: Told) -> None:
    told.people(["unknown"])
    told.tell([{"event": "processed", "lm_delivery": "d0", "sg_event_id": "x"}])
    with store.reading(told.engine) as session:
        row = session.query(Delivery).one()
        assert (row.status, row.provider, row.sent_at) == ("sent", "sendgrid", told.now.course)
        enrollment = session.query(Enrollment).one()
        assert (enrollment.wants_plan, enrollment.last_settled_at) == (True, told.now.course)


def test_an_unknown_letter_waits_while_no_events_come_in(told: Told) -> None:
    class Silent:
        """A provider whose events tell, but not today."""

        name, batch_size, has_evidence = "sendgrid", 10, True

        def taken(self, _delivery_id: str) -> None:
            return None

    told.people(["unknown", "sent"])
    with store.writing(told.engine) as session:
        session.execute(update(Delivery).values(lane=1))
    post = replace(post_of(told.services), mailer=Silent(), listens=True)
    later = Now(told.now.course, told.now.real + timedelta(minutes=16))
    assert sweep(post, later, Tally()) == 1
    with store.reading(told.engine) as session:
        row = session.query(Delivery).filter_by(public_id="d0").one()
        assert row.status == "unknown"
        assert row.lease_until > later.real
    told.now = later
    told.tell([{"event": "delivered", "lm_delivery": "d1", "sg_event_id": "other"}])
    after = Now(told.now.course, later.real + timedelta(minutes=16))
    assert sweep(post, after, Tally()) == 1
    with store.reading(told.engine) as session:
        row = session.query(Delivery).filter_by(public_id="d0").one()
        assert (row.status, row.resent) == ("due", 1)
