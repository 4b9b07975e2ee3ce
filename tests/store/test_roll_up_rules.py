"""Ledgers of any kind, rolled up in batches of any size: every email is counted once, and every rule reads the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from leadmagnet import store
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.store.counters import DeliveryCount
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.roll_up import Age, RollUp
from leadmagnet.store.subscribers import Subscriber

ZONE, STAY, DAY = ZoneInfo("America/Vancouver"), timedelta(days=100), timedelta(days=1)
SENT = ("sent", "delivered")

ROW = st.fixed_dictionaries(
    {
        "status": st.sampled_from([*DeliveryStatus, "sent", "delivered", "delivered"]),
        "days": st.sampled_from([0, 20, 99, 101, 150, 200, 300]),
        "pass": st.integers(0, 2),
        "step": st.integers(0, 2),
        "kind": st.sampled_from(["video", "video", "reminder", "reminder", "confirmation"]),
        "text": st.sampled_from(["one", "two"]),
        "resent": st.integers(0, 1),
    }
)


def write(ledger: Any, rows: list[dict[str, Any]], passes: list[str]) -> None:
    """Write one person with some passes and rows; what the table refuses is left out."""
    with store.writing(ledger.engine) as session:
        for table in (DeliveryCount, RollUp, Subscriber):
            session.query(table).delete()
    person, steps = ledger.people(1)[0], ledger.steps()
    with store.writing(ledger.engine) as session:
        first = session.query(Enrollment).filter_by(subscriber_id=person).one()
        made = [first]
        for number, status in enumerate(passes, 1):
            if number > 1:
                again = Enrollment(subscriber_id=person, sequence_id=first.sequence_id, number=number)
                again.started_at, again.wants_plan = ledger.at, False
                made.append(again)
            made[-1].status = status
        session.add_all(made)
        session.flush()
        enrollments = [one.id for one in made]
    # Later passes come later, and so do their rows.
    for row in sorted(rows, key=lambda row: (row["pass"], -row["days"])):
        at = ledger.at - timedelta(days=row["days"])
        columns = {"status": row["status"], "kind": row["kind"], "resent": row["resent"]}
        if row["kind"] == "video":
            columns |= {"enrollment_id": enrollments[row["pass"] % len(passes)], "step_id": steps[row["step"]]}
        elif row["kind"] == "reminder":
            columns["text_slug"] = row["text"]
        out = row["status"] in ("sent", "delivered", "bounced")
        columns |= {"sent_at": at if out else None, "settled_at": at if out else None}
        try:
            ledger.due(person, created_at=at, due_at=at, **columns)
        except IntegrityError:
            event("refused")


def counted(ledger: Any) -> Counter[tuple[object, ...]]:
    with store.reading(ledger.engine) as session:
        found: Counter[tuple[object, ...]] = Counter()
        for row in session.query(Delivery):
            found[row.kind, row.status, row.step_id or 0, row.text_slug] += 1
            found["again", row.status] += row.resent
        for count in session.query(DeliveryCount):
            found[count.kind, count.status, count.step_id, count.text_slug] += count.emails
            found["again", count.status] += count.sent_again
        return +found


def read(ledger: Any) -> dict[str, Any]:
    """Return what rules read of the past: see each reader of the ledger in decision 0013."""
    with store.reading(ledger.engine) as session:
        rows = session.query(Delivery).order_by(Delivery.id).all()
        open_passes = {one.id for one in session.query(Enrollment) if one.status != "finished"}
    course = [row for row in rows if row.step_id is not None]
    reminders = [row for row in rows if row.kind == "reminder" and row.status not in ("skipped", "failed")]
    last_pass = max((row.enrollment_id for row in course if row.status in SENT), default=None)
    return {
        "pages that open": {row.step_id for row in course if row.status in OUT},
        "videos that came": {row.step_id for row in course if row.status in SENT},
        "stands at": next((row.step_id for row in reversed(course) if row.status in SENT), None),
        "in hand": next((row.step_id for row in reversed(course) if row.status in OUT), None),
        "videos of the last pass": [row.id for row in course if row.enrollment_id == last_pass and row.status in SENT],
        "behind": [
            (row.enrollment_id, row.step_id)
            for row in course
            if row.enrollment_id in open_passes and row.status != "skipped"
        ],
        "wordings, the newest last": list(dict.fromkeys(row.text_slug for row in reversed(reminders))),
        "last reminder": reminders[-1].id if reminders else None,
        "open": [row.id for row in rows if row.status in ("due", "claimed", "unknown")],
        "young": [row.id for row in rows if row.due_at > ledger.at - STAY],
    }


@pytest.fixture
def small(ledger_on: Callable[[str], Any], tmp_path: Path) -> Any:
    """One SQLite file for all examples: each begins by emptying it."""
    return ledger_on(f"sqlite:///{tmp_path / 'any.db'}")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, max_size=14),
    finished=st.integers(0, 2),
    last=st.sampled_from(["active", "finished", "stopped"]),
    limit=st.integers(1, 6),
)
def test_any_ledger(small: Any, rows: list[Any], finished: int, last: str, limit: int) -> None:
    ledger = small
    write(ledger, rows, ["finished"] * finished + [last])
    emails, facts, now = counted(ledger), read(ledger), ledger.at
    for _ in range(30):
        moved = ledger.do(store.roll_up.batch, Age(now - STAY, now - STAY), ZONE, limit, now, now + DAY)
        assert counted(ledger) == emails
        if moved.over:
            break
    else:
        raise AssertionError("a pass without end")
    after = read(ledger)
    assert {name: value for name, value in after.items() if facts[name] != value} == {}
    with store.reading(ledger.engine) as session:
        event("something moved" if session.query(DeliveryCount).count() else "nothing moved")
