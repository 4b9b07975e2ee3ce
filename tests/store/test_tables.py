"""What the tables themselves refuse, whatever the code above them believes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError, StatementError

from leadmagnet import store
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


def enrollment_of(ledger: Any, subscriber_id: int) -> int:
    with store.reading(ledger.engine) as session:
        return session.query(Enrollment).filter_by(subscriber_id=subscriber_id).one().id


def test_nobody_gets_a_step_twice_in_one_enrollment(ledger: Any) -> None:
    person = ledger.people(1)[0]
    place = {"enrollment_id": enrollment_of(ledger, person), "step_id": ledger.steps()[0]}
    ledger.due(person, **place, status="skipped")
    ledger.due(person, **place, status="skipped")
    first = ledger.due(person, **place)
    for status in ("due", "claimed", "unknown", "sent", "delivered", "bounced", "failed"):
        with pytest.raises(IntegrityError):
            ledger.due(person, **place, status=status)
    ledger.do(store.claims.skip_due, "step_removed", Delivery.subscriber_id == person)
    assert ledger.row(first).status == "skipped"
    assert ledger.due(person, **place), "a skipped row was never sent, so it is in nobody's way"


def test_one_automatic_email_a_local_day(ledger: Any) -> None:
    one, other = ledger.people(2)
    day = ledger.at.date()
    ledger.due(one, day=day, status="sent")
    with pytest.raises(IntegrityError):
        ledger.due(one, day=day, kind="reminder")
    ledger.due(one, day=day, kind="reminder", status="skipped")
    ledger.due(one, day=day, kind="reminder", status="failed")
    ledger.due(one, day=day + timedelta(days=1))
    ledger.due(one, day=None)
    ledger.due(one, day=None)
    ledger.due(other, day=day)


@pytest.mark.parametrize(
    ("model", "column"),
    [(Delivery, "status"), (Delivery, "kind"), (Subscriber, "status"), (Enrollment, "status")],
    ids=lambda part: getattr(part, "__tablename__", part),
)
def test_unknown_states_are_refused(ledger: Any, model: type[Any], column: str) -> None:
    ledger.due(ledger.people(1)[0])
    with pytest.raises(IntegrityError):
        ledger.do(lambda session: session.execute(update(model).values({column: "perhaps"})))


def test_unknown_feelings_and_consents_are_refused(ledger: Any) -> None:
    person = ledger.people(1)[0]
    check_in = {"subscriber_id": person, "step_slug": "dead-bug", "day": ledger.at.date(), "at": ledger.at, "note": ""}
    with pytest.raises(IntegrityError):
        ledger.do(lambda session: session.execute(insert(CheckIn).values(**check_in, felt="meh")))
    consent = {"subscriber_id": person, "at": ledger.at, "channel": "form"}
    with pytest.raises(IntegrityError):
        ledger.do(lambda session: session.execute(insert(ConsentEvent).values(**consent, kind="perhaps")))


def test_one_check_in_a_day_and_exercise(ledger: Any) -> None:
    person = ledger.people(1)[0]
    row = {"subscriber_id": person, "day": ledger.at.date(), "at": ledger.at, "felt": "right", "note": ""}
    for slug in ("dead-bug", "bird-dog"):
        ledger.do(lambda session, slug=slug: session.execute(insert(CheckIn).values(**row, step_slug=slug)))
    with pytest.raises(IntegrityError):
        ledger.do(lambda session: session.execute(insert(CheckIn).values(**row, step_slug="dead-bug")))


def test_one_address_one_person(ledger: Any) -> None:
    ledger.people(1)
    twin = {"email": "P0@example.org", "email_canonical": "p0@example.org", "status": "pending"}
    with pytest.raises(IntegrityError):
        ledger.do(lambda session: session.add(Subscriber(**twin, timezone="Europe/Zurich", created_at=ledger.at)))


def test_a_naive_instant_is_refused(ledger: Any) -> None:
    naive = ledger.at.replace(tzinfo=None)
    with pytest.raises(StatementError, match="without a time zone"):
        ledger.due(ledger.people(1)[0], due_at=naive)
    with pytest.raises(StatementError, match="without a time zone"), store.reading(ledger.engine) as session:
        session.query(Delivery).filter(Delivery.due_at <= naive).all()


def test_an_instant_comes_back_as_the_same_instant_in_utc(ledger: Any) -> None:
    zurich = timezone(timedelta(hours=2))
    row = ledger.due(ledger.people(1)[0], due_at=datetime(2026, 7, 1, 9, 0, 0, 123456, tzinfo=zurich))
    found = ledger.row(row).due_at
    assert found.utcoffset() == timedelta()
    assert found.isoformat() == "2026-07-01T07:00:00.123456+00:00"


def test_what_hangs_on_a_person_goes_with_the_person(ledger: Any) -> None:
    person = ledger.people(1)[0]
    ledger.due(person, enrollment_id=enrollment_of(ledger, person))
    ledger.do(store.activities.add, person, ledger.at, "paused")
    with store.writing(ledger.engine) as session:
        session.delete(session.get_one(Subscriber, person))
    with store.reading(ledger.engine) as session:
        assert session.query(Delivery).count() == session.query(Enrollment).count() == 0


def test_a_session_that_fails_leaves_nothing(ledger: Any) -> None:
    with pytest.raises(ZeroDivisionError), store.writing(ledger.engine) as session:
        store.halts.stop(session, "wrong key", ledger.at, ledger.at)
        session.flush()
        raise ZeroDivisionError
    with store.reading(ledger.engine) as session:
        assert store.halts.current(session) is None
