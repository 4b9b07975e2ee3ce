"""db upgrade, downgrade, check: up, down to nothing and up again, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from leadmagnet import store
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.counters import DeliveryCount
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


def tables(shell: Any) -> set[str]:
    return set(inspect(shell.services.engine).get_table_names())


def test_up_down_and_up_again(make_shell: Callable[..., Any], empty_database_url: str) -> None:
    shell = make_shell(database_url=empty_database_url)
    said = shell.run("db", "upgrade").stdout
    assert "(was None)" in said
    assert shell.run("db", "upgrade").stdout.endswith("already.\n")
    assert shell.run("db", "check").stdout == "Models and migrations agree.\n"
    assert "delivery" in tables(shell)
    shell.run("db", "downgrade", "base")
    assert tables(shell) <= {"alembic_version"}
    assert "db upgrade" in shell.refused("db", "check", status=1)
    shell.run("db", "upgrade")
    assert shell.run("db", "check").stdout == "Models and migrations agree.\n"


def test_check_names_what_differs(make_shell: Callable[..., Any], empty_database_url: str) -> None:
    shell = make_shell(database_url=empty_database_url)
    shell.run("db", "upgrade")
    with shell.services.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE form ADD COLUMN stray INTEGER")
    assert "stray" in shell.refused("db", "check", status=1)


def test_going_down_with_data_in_it(shell: Any) -> None:
    """The steps name their revisions and the revisions their steps, so the order of dropping matters."""
    shell.run("db", "downgrade", "base")
    assert tables(shell) <= {"alembic_version"}


def test_a_sqlite_file_is_copied_before_it_goes_down(bare: Any, tmp_path: Path) -> None:
    bare.run("db", "upgrade")
    with bare.services.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO form VALUES ('landing', 'Landing page', 'six-core-videos', '')")
    folder = tmp_path / "backups"
    folder.mkdir()
    for number in range(9):
        (folder / f"old-{number}.db").write_bytes(b"")
    bare.run("db", "downgrade", "base")
    copies = [file for file in folder.glob("*.db") if file.stat().st_size]
    assert len(copies) == 1
    assert len(list(folder.glob("*.db"))) == 5, "only the newest are kept"
    kept = sqlite3.connect(copies[0])
    try:
        assert kept.execute("SELECT slug FROM form").fetchall() == [("landing",)]
    finally:
        kept.close()


def test_roll_up_needs_its_setting(shell: Any) -> None:
    assert "LEDGER_RETENTION_DAYS is 0" in shell.refused("db", "roll-up", status=1)


@pytest.mark.parametrize("json", [True, False])
def test_roll_up_says_what_it_did(make_shell: Callable[..., Any], hand_clock: Any, json: bool) -> None:
    shell = make_shell(ledger_retention_days=30)
    shell.run("db", "upgrade")
    at = hand_clock.course - timedelta(days=31)
    with store.writing(shell.services.engine) as session:
        person = Subscriber(email="a@example.org", email_canonical="a@example.org", timezone="UTC", created_at=at)
        session.add(person)
        session.flush()
        for status in ("sent", "sent", "failed", "due"):
            row = Delivery(subscriber_id=person.id, kind="confirmation", status=status, created_at=at, due_at=at)
            session.add(row)
    if json:
        assert shell.json("db", "roll-up") == {"emails": {"failed": 1, "sent": 2}, "events": 0, "looked_at": 4}
        assert shell.json("db", "roll-up") == {"emails": {}, "events": 0, "looked_at": 1}
    else:
        assert "counters: 1 failed, 2 sent. " in shell.run("db", "roll-up").stdout
        assert "counters: none. " in shell.run("db", "roll-up").stdout
    with store.reading(shell.services.engine) as session:
        assert sum(row.emails for row in session.query(DeliveryCount)) == 3


def test_the_step_down_forgets_the_counters_and_nothing_else(
    make_shell: Callable[..., Any], empty_database_url: str, hand_clock: Any
) -> None:
    shell = make_shell(database_url=empty_database_url)
    shell.run("db", "upgrade")
    with store.writing(shell.services.engine) as session:
        at = hand_clock.course
        session.add(Subscriber(email="a@example.org", email_canonical="a@example.org", timezone="UTC", created_at=at))
    shell.run("db", "downgrade", "0006")
    assert not {"delivery_count", "roll_up"} & tables(shell)
    shell.run("db", "upgrade")
    assert {"delivery_count", "roll_up"} <= tables(shell)
    assert shell.run("db", "check").stdout == "Models and migrations agree.\n"
    with store.reading(shell.services.engine) as session:
        assert session.query(Subscriber).count() == 1


def test_going_down_below_pauses_lets_what_a_pause_holds_go_on(
    make_shell: Callable[..., Any], empty_database_url: str, hand_clock: Any
) -> None:
    """The program before knows no pauses: its planner is asked to date what waits, and the pause is forgotten."""
    shell = make_shell(database_url=empty_database_url)
    shell.run("db", "upgrade")
    shell.run("sequence", "load")
    at = hand_clock.course
    with store.writing(shell.services.engine) as session:
        course = store.sequences.by_slug(session, "six-core-videos")
        step = store.sequences.steps_of(session, course.id)[0]
        person = Subscriber(email="a@example.org", email_canonical="a@example.org", timezone="UTC", created_at=at)
        session.add(person)
        session.flush()
        mine = Enrollment(subscriber_id=person.id, sequence_id=course.id, started_at=at, wants_plan=False)
        session.add(mine)
        session.flush()
        common = {"subscriber_id": person.id, "enrollment_id": mine.id, "created_at": at, "due_at": at}
        session.add(Delivery(**common, kind="video", step_id=step.id))
        # Both wait in the lane of a slow domain: the program before knows none.
        session.add(Delivery(**common, kind="already_subscribed", lane=14))
        session.query(Delivery).filter_by(kind="video").update({"lane": 15})
    assert shell.json("sequence", "pause", "six-core-videos")["held"] == 1
    shell.run("db", "downgrade", "0007")
    assert not {"sequence_pause", "domain_pace"} & tables(shell)
    shell.run("db", "upgrade")
    assert shell.run("db", "check").stdout == "Models and migrations agree.\n"
    with store.reading(shell.services.engine) as session:
        assert session.query(Enrollment).one().wants_plan
        assert {row.kind: row.lane for row in session.query(Delivery)} == {"video": 1, "already_subscribed": 0}
        assert store.pauses.standing(session) == []
        assert store.sequences.by_slug(session, "six-core-videos").paused_at is None


def test_scrub_writes_the_file_anew(shell: Any, tmp_path: Path) -> None:
    with store.writing(shell.services.engine) as session:
        session.execute(text("DELETE FROM link"))
        session.execute(text("DELETE FROM step_revision"))
    before = (tmp_path / "test.db").stat().st_size
    assert shell.run("db", "scrub").stdout == "Written anew.\n"
    assert (tmp_path / "test.db").stat().st_size < before
    assert not (tmp_path / "test.db-wal").exists() or not (tmp_path / "test.db-wal").stat().st_size


def test_old_consents_are_told_in_the_new_words(
    make_shell: Callable[..., Any], database_url: str, hand_clock: Any
) -> None:
    """What stood in the detail gets columns of its own; on the way back nobody is sent what they have withdrawn."""
    shell = make_shell(database_url=database_url)
    shell.run("db", "upgrade")
    shell.run("db", "downgrade", "0009")
    at = "2026-03-02 15:00:00"
    with shell.services.engine.begin() as connection:
        for number, status in enumerate(("active", "bounced", "complained", "unsubscribed"), 1):
            connection.exec_driver_sql(
                "INSERT INTO subscriber (id, email, email_canonical, first_name, status, timezone, source, leave_id, "
                "created_at, exercise_days, wants_reminders, unanswered) VALUES "
                f"({number}, 'P{number}@example.org', 'p{number}@example.org', '', '{status}', 'UTC', '', 'l{number}', "
                f"'{at}', '024', true, 0)"
            )
        for person, kind, channel, detail in (
            (1, "requested", "form", ""),
            (1, "confirmed", "confirmation link", "link issued"),
            (2, "withdrawn", "provider", "bounced, by sendgrid"),
            (3, "withdrawn", "provider", "complained, by sendgrid"),
            (4, "withdrawn", "one-click", ""),
        ):
            connection.exec_driver_sql(
                "INSERT INTO consent_event "
                "(subscriber_id, kind, purposes, at, channel, form, page, ip, user_agent, detail) VALUES "
                f"({person}, '{kind}', 'videos reminders', '{at}', '{channel}', '', '', '', '', '{detail}')"
            )
    shell.run("db", "upgrade")
    assert shell.run("db", "check").stdout == "Models and migrations agree.\n"
    with store.writing(shell.services.engine) as session:
        told = [(e.email, e.kind, e.channel, e.effective_at is None) for e in session.query(ConsentEvent)]
        assert told == [
            ("P1@example.org", "requested", "form", True),
            ("P1@example.org", "confirmed", "confirmation link", False),
            ("P2@example.org", "stopped", "bounce", False),
            ("P3@example.org", "withdrawn", "complaint", False),
            ("P4@example.org", "withdrawn", "one-click", False),
        ]
        wants = [set(one.wanted) for one in session.query(Subscriber).order_by(Subscriber.id)]
        assert wants == [{"videos", "reminders"}, {"videos", "reminders"}, set(), set()]
        session.get_one(Subscriber, 1).wants_videos = False
    shell.run("db", "downgrade", "0009")
    with shell.services.engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT paused_at, wants_reminders FROM subscriber ORDER BY id").all()
    assert [(paused is not None, bool(reminders)) for paused, reminders in rows] == [(True, True), *[(False, True)] * 3]


@pytest.mark.postgres
def test_a_database_that_is_not_there_is_said_to_be_not_there(
    make_shell: Callable[..., Any], postgres_url: str
) -> None:
    said = make_shell(database_url=f"{postgres_url}_nowhere").refused("sending", "status", status=1)
    assert "cannot be used" in said
    assert "does not exist" in said
