"""The record of consent as the tables keep it: added to and never changed, but for what may be blanked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from leadmagnet import fading, store
from leadmagnet.domain.consent import ALL, COURSE, Channel, ConsentKind, Origin, Purpose
from leadmagnet.services import Services
from leadmagnet.store.consents import ConsentEvent, Wording
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber

ORIGIN = Origin("192.0.2.7", "Firefox", "f" * 32)


@pytest.fixture
def agreed(ledger: Any) -> int:
    """Somebody whose consent is on record."""
    person_id: int = ledger.people(1)[0]
    with store.writing(ledger.engine) as session:
        words = store.consents.keep_wording(session, "[ ] Yes.", "en", ledger.at, "3")
        person = session.get_one(Subscriber, person_id)
        store.consents.record(
            session, person, ConsentKind.CONFIRMED, ALL, ledger.at, channel=Channel.CONFIRMATION, origin=ORIGIN,
            wording_id=words, form="landing", page="https://clinic.example/", detail="link issued",
        )  # fmt: skip
    return person_id


def event(ledger: Any) -> ConsentEvent:
    with store.reading(ledger.engine) as session:
        return session.query(ConsentEvent).one()


def test_the_record_is_never_changed(ledger: Any, agreed: int) -> None:
    no_column(ledger)
    wordings(ledger)
    blanking(ledger)
    index(ledger)
    going(ledger, agreed)


def no_column(ledger: Any) -> None:
    """No column of an event can be changed: new ones belong into the triggers, too."""
    other = ledger.people(1)[0]
    changed = {
        "id": 99, "subscriber_id": other, "kind": "withdrawn", "wording_id": None, "at": ledger.at - timedelta(days=1),
        "effective_at": None,
    }  # fmt: skip
    before = event(ledger)
    for column in ConsentEvent.__table__.columns:
        statement = update(ConsentEvent).values({column.name: changed.get(column.name, "something else")})
        with pytest.raises(IntegrityError, match="never changed"):
            ledger.do(lambda session, statement=statement: session.execute(statement))
    after = event(ledger)
    assert {c.name: getattr(after, c.name) for c in ConsentEvent.__table__.columns} == {
        c.name: getattr(before, c.name) for c in ConsentEvent.__table__.columns
    }


def blanking(ledger: Any) -> None:
    """Address and browser may be blanked, and nothing else on the way."""
    with pytest.raises(IntegrityError, match="never changed"):
        ledger.do(lambda session: session.execute(update(ConsentEvent).values(ip="", detail="")))
    ledger.do(lambda session: session.execute(update(ConsentEvent).values(ip="")))
    ledger.do(lambda session: session.execute(update(ConsentEvent).values(ip="", user_agent="")))
    assert (event(ledger).ip, event(ledger).user_agent, event(ledger).token_id) == ("", "", "f" * 32)
    with pytest.raises(IntegrityError, match="never changed"):
        ledger.do(lambda session: session.execute(update(ConsentEvent).values(ip="192.0.2.7")))


def going(ledger: Any, agreed: int) -> None:
    """An event goes only with its person."""
    with pytest.raises(IntegrityError, match="only with its person"):
        ledger.do(lambda session: session.execute(delete(ConsentEvent)))
    ledger.do(lambda session: session.execute(delete(Subscriber).where(Subscriber.id == agreed)))
    with store.reading(ledger.engine) as session:
        assert session.query(ConsentEvent).count() == 0


def wordings(ledger: Any) -> None:
    """A wording is never changed, and stays while it is needed."""
    for change in ({"text": "No."}, {"version": "4"}, {"language": "de"}):
        with pytest.raises(IntegrityError, match="never changed"):
            ledger.do(lambda session, change=change: session.execute(update(Wording).values(**change)))
    with pytest.raises(IntegrityError):
        ledger.do(lambda session: session.execute(delete(Wording)))
    assert ledger.do(store.consents.keep_wording, "[ ] Yes.", "en", ledger.at, "9") == event(ledger).wording_id
    with store.reading(ledger.engine) as session:
        assert [wording.version for wording in session.query(Wording)] == ["3"]


def test_what_a_person_wants_follows_the_record(ledger: Any, agreed: int) -> None:
    def then(kind: ConsentKind, purposes: Any) -> set[str]:
        with store.writing(ledger.engine) as session:
            person = session.get_one(Subscriber, agreed)
            store.consents.record(session, person, kind, purposes, ledger.at, channel=Channel.OWN_PAGE)
            return set(person.wanted)

    assert then(ConsentKind.WITHDRAWN, {Purpose.REMINDERS}) == {"videos", "news"}
    assert then(ConsentKind.REQUESTED, COURSE) == {"videos", "news"}
    assert then(ConsentKind.STOPPED, ALL) == {"videos", "news"}
    assert then(ConsentKind.CONFIRMED, {Purpose.REMINDERS}) == {"videos", "reminders", "news"}
    assert then(ConsentKind.WITHDRAWN, ALL) == set()


def test_what_has_had_its_time_is_blanked_in_batches(ledger: Any, services: Services) -> None:
    people = ledger.people(40)
    words = ledger.do(store.consents.keep_wording, "[ ] Yes.", "en", ledger.at)
    with store.writing(ledger.engine) as session:
        for number, person_id in enumerate(people):
            at = ledger.at - timedelta(days=number)
            session.add(
                ConsentEvent(
                    subscriber_id=person_id,
                    kind="confirmed",
                    at=at,
                    channel="form",
                    ip="192.0.2.1",
                    user_agent="Firefox",
                )
            )
            session.add(
                SignUp(
                    email="x", email_canonical="x", form="landing", wording_id=words, ip="192.0.2.1",
                    user_agent="Firefox", asked_at=at, asked_real_at=at,
                )
            )  # fmt: skip
    limited = replace(services.config, consent_ip_days=10, consent_agent_days=30)
    parts = replace(services, config=limited)
    done = fading.fade_some(parts, services.clock.now, lambda: True)
    assert done == 2 * (29 + 9)
    with store.reading(ledger.engine) as session:
        for table in (ConsentEvent, SignUp):
            assert session.query(table).filter(table.ip != "").count() == 11
            assert session.query(table).filter(table.user_agent != "").count() == 31
    assert fading.fade_some(parts, services.clock.now, lambda: True) == 0
    unlimited = replace(services, config=replace(services.config, consent_ip_days=None))
    assert fading.fade_some(unlimited, services.clock.now, lambda: True) == 0


def index(ledger: Any) -> None:
    """The look for what fades reads the partial index."""
    query = "SELECT id FROM consent_event WHERE consent_event.ip <> '' AND at < CURRENT_TIMESTAMP ORDER BY at LIMIT 1"
    with ledger.engine.begin() as connection:
        if ledger.engine.name == "sqlite":
            plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
        else:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plan = [row[0] for row in connection.execute(text(f"EXPLAIN {query}"))]
    assert "ix_consent_event_ip" in "".join(plan)
