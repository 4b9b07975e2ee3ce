"""tick, and prepare as `make run` uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.editing.shipped import SLUG
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.sequences import StepRevision
from leadmagnet.store.subscribers import Subscriber


@pytest.fixture
def join() -> Callable[[Any, str, datetime], None]:
    """Write down somebody who confirmed at an instant."""

    def write(shell: Any, email: str, at: datetime) -> None:
        with store.writing(shell.services.engine) as session:
            sequence = store.sequences.by_slug(session, SLUG)
            assert sequence is not None
            person = Subscriber(
                email=email,
                email_canonical=email,
                status="active",
                timezone="Europe/Zurich",
                created_at=at,
                confirmed_at=at,
            )
            session.add(person)
            session.flush()
            session.add(Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=at))

    return write


def test_an_idle_tick_has_the_whole_shape(shell: Any) -> None:
    done = shell.json("tick", "--now", "2026-11-23T09:00:00Z")
    assert done == {
        "now": "2026-11-23T09:00:00Z",
        "planned": 0,
        "claimed": 0,
        "sent": 0,
        "failed": 0,
        "unknown": 0,
        "skipped": {},
    }


def test_a_tick_drains_what_is_due_at_that_instant(shell: Any, join: Any, hand_clock: Any) -> None:
    for number in range(3):
        join(shell, f"p{number}@example.org", hand_clock.course)
    first = shell.json("tick", "--now", hand_clock.course.isoformat())
    assert (first["sent"], first["claimed"], first["failed"], first["unknown"]) == (3, 3, 0, 0)
    assert first["planned"] >= 3
    assert shell.json("tick", "--now", hand_clock.course.isoformat())["sent"] == 0
    # The same tick has planned the second video: three days on, at nine in Zurich.
    assert shell.json("tick", "--now", "2026-03-05T07:59:59Z")["sent"] == 0
    assert "sent 3, failed 0" in shell.run("tick", "--now", "2026-03-05T08:00:00Z").stdout


def test_a_tick_counts_what_did_not_go_out(shell: Any, join: Any, hand_clock: Any) -> None:
    """A reminder that was due on Wednesday and could not go out is of no use on Thursday."""
    join(shell, "anna@example.org", hand_clock.course)
    shell.run("tick", "--now", hand_clock.course.isoformat())
    with store.writing(shell.services.engine) as session:
        person = session.query(Subscriber).one()
        at = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
        reminder = Delivery(
            subscriber_id=person.id,
            kind="reminder",
            text_slug="reminder-active-1",
            created_at=at,
            due_at=at,
            closes_at=at + timedelta(hours=11),
            day=at.date(),
        )
        session.add(reminder)
    late = shell.json("tick", "--now", "2026-03-05T08:00:00Z")
    assert late["skipped"] == {"expired": 1}
    assert late["sent"] == 1


def test_a_tick_wants_an_instant(shell: Any) -> None:
    assert "no offset" in shell.refused("tick", "--now", "2026-11-23T09:00:00", status=2)
    assert "--when" in shell.refused("tick", "--when", "2026-11-23T09:00:00", status=2)


def test_prepare_makes_everything_ready_and_says_where_it_is(bare: Any) -> None:
    said = bare.run("prepare").stdout
    for words in (
        "http://127.0.0.1:8000/\n",
        "http://127.0.0.1:8000/outbox/",
        "http://127.0.0.1:8000/admin/",
        "Ctrl-C",
    ):
        assert words in said
    assert re.search(r"password \S{20,} \(shown this once\)", said)
    assert "Time lapse" not in said
    bare.run("db", "check")


def test_prepare_again_keeps_edits_and_shows_no_password(bare: Any) -> None:
    bare.run("prepare")
    with store.writing(bare.services.engine) as session:
        text = session.get_one(EmailText, "confirmation")
        text.source = text.source.replace("Please confirm", "Kindly confirm")
        revision = session.query(StepRevision).filter(StepRevision.source.contains("slug: dead-bug")).one()
        revision.source = revision.source.replace("odd name", "strange name")
    said = bare.run("prepare").stdout
    assert "password" not in said
    assert "with the account made before" in said
    assert "Kept as you edited them" not in said, "nothing new was shipped, so there is nothing to keep it from"
    with store.reading(bare.services.engine) as session:
        assert "Kindly confirm" in session.get_one(EmailText, "confirmation").source
        assert session.query(StepRevision).filter(StepRevision.source.contains("strange name")).count() == 1
        assert session.query(StepRevision).count() == 7


def test_prepare_names_the_time_lapse_and_hides_the_outbox_where_there_is_none(make_shell: Callable[..., Any]) -> None:
    shell = make_shell(time_lapse=8640.0, public_url="https://videos.example.org")
    said = shell.run("prepare").stdout
    assert "8640 course seconds" in said
    assert "/outbox/" not in said
