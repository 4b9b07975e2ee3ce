"""Which rows of the ledger may become a number, and that a batch is one transaction."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from leadmagnet import store
from leadmagnet.store.counters import DeliveryCount
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.events import ProviderEvent
from leadmagnet.store.roll_up import Age, Moved, RollUp

ZONE = ZoneInfo("America/Vancouver")
STAY = timedelta(days=100)
DAY = timedelta(days=1)


def roll(ledger: Any, limit: int = 1000, **moved: float) -> Moved:
    """Do one batch at the ledger's instant, or so much later."""
    now = ledger.at + timedelta(**moved)
    return ledger.do(store.roll_up.batch, Age(now - STAY, now - STAY), ZONE, limit, now, now + DAY)


def enrollment_of(ledger: Any, person: int, **columns: Any) -> int:
    """Return the person's enrollment, changed as told."""
    with store.writing(ledger.engine) as session:
        found = session.query(Enrollment).filter_by(subscriber_id=person).order_by(Enrollment.id).first()
        for name, value in columns.items():
            setattr(found, name, value)
        return int(found.id)


def old(ledger: Any, person: int, days: float = 200, **columns: Any) -> int:
    """Write a row that has ended so many days ago."""
    at = ledger.at - timedelta(days=days)
    values = {"status": "delivered", "created_at": at, "due_at": at, "sent_at": at, "settled_at": at} | columns
    return ledger.due(person, **values)


def there(ledger: Any) -> set[int]:
    with store.reading(ledger.engine) as session:
        return {row.id for row in session.query(Delivery)}


def counts(ledger: Any) -> list[DeliveryCount]:
    with store.reading(ledger.engine) as session:
        return session.query(DeliveryCount).order_by(DeliveryCount.sent_day, DeliveryCount.status).all()


SKIPPED = {"status": "skipped", "skip_reason": "paused", "sent_at": None, "settled_at": None}
FAILED = {"status": "failed", "sent_at": None}


@pytest.mark.parametrize(
    ("columns", "goes"),
    [
        ({"kind": "confirmation"}, True),
        ({"kind": "confirmation", "status": "bounced"}, True),
        ({"kind": "already_subscribed", **FAILED}, True),
        ({"kind": "confirmation", "status": "due"}, False),
        ({"kind": "confirmation", "status": "unknown"}, False),
        ({"kind": "confirmation", "status": "claimed"}, False),
        ({"kind": "confirmation", "days": 99}, False),
        ({"kind": "confirmation", "settled_at": timedelta(days=99)}, False),
        ({"kind": "reminder", "text_slug": "one"}, False),
        ({"kind": "reminder", "text_slug": "one", **FAILED}, True),
        ({"kind": "reminder", "text_slug": "one", **SKIPPED}, True),
        ({"kind": "video", **SKIPPED}, True),
        ({"kind": "video"}, False),
        ({"kind": "video", **FAILED}, False),
        ({"kind": "finished"}, False),
    ],
    ids=str,
)
def test_what_moves_out_by_itself(ledger: Any, columns: dict[str, Any], goes: bool) -> None:
    person = ledger.people(1)[0]
    values = {key: ledger.at - value if isinstance(value, timedelta) else value for key, value in columns.items()}
    if values["kind"] in ("video", "finished"):
        values["enrollment_id"] = enrollment_of(ledger, person, status="finished")
        values["step_id"] = ledger.steps()[0]
    old(ledger, person, **values)
    moved = roll(ledger)
    assert sum(moved.emails.values()) == goes
    assert len(there(ledger)) == (not goes)
    assert sum(count.emails for count in counts(ledger)) == goes


@pytest.mark.parametrize(
    ("later", "goes"),
    [
        ({"text_slug": "one"}, True),
        ({"text_slug": "two"}, False),
        ({"text_slug": "one", "status": "bounced"}, False),
        ({"text_slug": "one", "status": "due", "days": 0}, False),
        ({"text_slug": "one", "days": 50}, False),
        ({"text_slug": "one", **FAILED}, False),
    ],
    ids=str,
)
def test_a_reminder_waits_for_the_same_one_to_come_again(ledger: Any, later: dict[str, Any], goes: bool) -> None:
    """The wording used least recently is chosen, so the newest of each has to stay."""
    person, stranger = ledger.people(2)
    first = old(ledger, person, kind="reminder", text_slug="one")
    old(ledger, stranger, kind="reminder", text_slug="one")
    old(ledger, person, **({"kind": "reminder", "days": 190} | later))
    roll(ledger)
    assert (first not in there(ledger)) is goes


@pytest.mark.parametrize(
    ("enrollment", "later", "goes"),
    [
        ({"status": "finished"}, {}, True),
        ({"status": "finished"}, {"status": "bounced"}, False),
        ({"status": "finished"}, {"days": 50}, False),
        ({"status": "finished"}, {"status": "claimed"}, False),
        ({"status": "finished", "wants_plan": True}, {}, False),
        ({"status": "active"}, {}, False),
        ({"status": "stopped"}, {}, False),
        ({"status": "finished"}, {"other_step": True}, False),
    ],
    ids=str,
)
def test_a_step_waits_for_a_later_pass(
    ledger: Any, enrollment: dict[str, Any], later: dict[str, Any], goes: bool
) -> None:
    person, steps = ledger.people(1)[0], ledger.steps()
    first = enrollment_of(ledger, person, **enrollment)
    row = old(ledger, person, enrollment_id=first, step_id=steps[0])
    with store.writing(ledger.engine) as session:
        sequence_id = session.get_one(Enrollment, first).sequence_id
        again = Enrollment(subscriber_id=person, sequence_id=sequence_id, number=2, started_at=ledger.at)
        session.add(again)
        session.flush()
        second = again.id
    values = {"enrollment_id": second, "step_id": steps[0], "days": 150} | later
    if values.pop("other_step", False):
        values["step_id"] = steps[1]
    old(ledger, person, **values)
    roll(ledger)
    assert (row not in there(ledger)) is goes


def test_counters_say_what_the_rows_said(ledger: Any) -> None:
    person, step = ledger.people(1)[0], ledger.steps()[0]
    at = datetime(2025, 10, 3, 6, 59, tzinfo=UTC)  # 23:59 of the day before in Vancouver
    for minute, resent in ((0, 0), (0, 3), (1, 0)):
        then = at + timedelta(minutes=minute)
        old(ledger, person, kind="confirmation", due_at=at, sent_at=then, resent=resent, provider="sendgrid")
    old(ledger, person, kind="video", step_id=step, due_at=at, **SKIPPED)
    assert roll(ledger).emails == Counter(delivered=3, skipped=1)
    found = [
        (c.sent_day, c.due_day, c.status, c.step_id, c.skip_reason, c.emails, c.sent_again) for c in counts(ledger)
    ]
    before = datetime(2025, 10, 2, 7, 0, tzinfo=UTC)
    after = before + DAY
    assert found == [
        (before, before, "delivered", 0, "", 2, 1),
        (before, before, "skipped", step, "paused", 1, 0),
        (after, before, "delivered", 0, "", 1, 0),
    ]
    old(ledger, person, kind="confirmation", due_at=at, sent_at=at, resent=1, provider="sendgrid")
    roll(ledger)
    assert next((c.emails, c.sent_again) for c in counts(ledger)) == (3, 2)


def test_a_pass_goes_on_where_it_stopped_and_rests_for_a_day(ledger: Any) -> None:
    person = ledger.people(1)[0]
    for _ in range(7):
        old(ledger, person, kind="confirmation")
    kept = ledger.due(person, kind="confirmation")
    assert ledger.do(store.roll_up.waits, ledger.at)
    done = [roll(ledger, 3) for _ in range(3)]
    assert [(sum(one.emails.values()), one.over) for one in done] == [(3, False), (3, False), (1, True)]
    assert there(ledger) == {kept}
    assert not ledger.do(store.roll_up.waits, ledger.at + DAY - timedelta(seconds=1))
    assert ledger.do(store.roll_up.waits, ledger.at + DAY)
    ledger.do(store.roll_up.begin, ledger.at)
    assert ledger.do(store.roll_up.waits, ledger.at)
    assert roll(ledger).looked_at == 1


def test_a_pass_ends_where_rows_are_young(ledger: Any) -> None:
    """However many there are, they are not looked at."""
    person = ledger.people(1)[0]
    old(ledger, person, kind="confirmation")
    for _ in range(9):
        ledger.due(person, kind="confirmation", status="sent")
    assert not roll(ledger, 2).over
    assert roll(ledger, 2).over


def test_nothing_is_half_done(ledger: Any) -> None:
    """The sum and the deletion stand or fall together, with the place of the pass."""
    person = ledger.people(1)[0]
    rows = {old(ledger, person, kind="confirmation") for _ in range(4)}

    def cut_short(session: Any) -> None:
        now = ledger.at
        moved = store.roll_up.batch(session, Age(now - STAY, now - STAY), ZONE, 2, now, now + DAY)
        assert moved.emails == Counter(delivered=2)
        session.flush()
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            ledger.do(cut_short)
        assert (there(ledger), counts(ledger)) == (rows, [])
    assert roll(ledger).emails == Counter(delivered=4)
    assert [count.emails for count in counts(ledger)] == [4]
    assert roll(ledger).emails == Counter()
    assert [count.emails for count in counts(ledger)] == [4]


def event(ledger: Any, name: str, days: float, *, applied: bool = True) -> None:
    at = ledger.at - timedelta(days=days)
    row = {"event_id": name, "provider": "sendgrid", "public_id": "", "signal": "delivered", "at": at}
    row |= {"received_at": at, "email": "", "detail": "", "raw": ""}
    ledger.do(store.events.add, [row])
    if applied:
        with store.writing(ledger.engine) as session:
            session.execute(update(ProviderEvent).where(ProviderEvent.event_id == name).values(applied_at=at))


def events(ledger: Any) -> set[str]:
    with store.reading(ledger.engine) as session:
        return {row.event_id for row in session.query(ProviderEvent)}


def test_old_events_go_and_younger_ones_still_keep_repeats_away(ledger: Any) -> None:
    for name, days in (("a", 300), ("b", 200), ("c", 101), ("d", 99), ("e", 1)):
        event(ledger, name, days)
    event(ledger, "waiting", 150, applied=False)
    assert (roll(ledger, 2).events, roll(ledger, 2).events, roll(ledger, 2).events) == (2, 1, 0)
    assert events(ledger) == {"d", "e", "waiting"}
    event(ledger, "d", 0, applied=False)
    event(ledger, "a", 0, applied=False)
    assert events(ledger) == {"a", "d", "e", "waiting"}
    with store.reading(ledger.engine) as session:
        assert session.query(ProviderEvent).filter_by(event_id="d").one().applied_at is not None


def test_there_is_one_place(ledger: Any) -> None:
    for hours in range(3):
        roll(ledger, hours=hours)
    with store.reading(ledger.engine) as session:
        assert session.query(RollUp).count() == 1
