"""subscribers list, show, pause, resume; marketers add."""

from __future__ import annotations

from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.editing.shipped import SLUG
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


@pytest.fixture
def people(shell: Any, hand_clock: Any) -> Any:
    """A shell with one person in each state; the active one is enrolled and has had video 1."""
    at = hand_clock.course
    with store.writing(shell.services.engine) as session:
        sequence = store.sequences.by_slug(session, SLUG)
        assert sequence is not None
        for status in SubscriberStatus:
            email = f"{status.value}@example.org"
            session.add(
                Subscriber(
                    email=email,
                    email_canonical=email,
                    first_name="Zoë",
                    status=status,
                    timezone="Europe/Zurich",
                    created_at=at,
                )
            )
        session.flush()
        person = store.subscribers.by_canonical(session, "active@example.org")
        assert person is not None
        session.add(Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=at))
    shell.run("tick", "--now", at.isoformat())
    return shell


def test_list_shows_everybody_oldest_first(people: Any) -> None:
    rows = people.json("subscribers", "list")
    assert [row["status"] for row in rows] == [status.value for status in SubscriberStatus]
    assert set(rows[0]) == {"email", "first_name", "status", "timezone", "source", "created_at"}
    assert rows[0]["created_at"].endswith("Z")
    assert [row["email"] for row in people.json("subscribers", "list", "--status", "bounced")] == [
        "bounced@example.org"
    ]
    assert "Zoë" in people.run("subscribers", "list").stdout
    assert "--status" in people.refused("subscribers", "list", "--status", "gone", status=2)


def test_list_of_nobody(shell: Any) -> None:
    assert shell.json("subscribers", "list") == []
    assert shell.run("subscribers", "list").stdout == "Nobody here yet.\n"


def test_show_has_the_timeline(people: Any) -> None:
    shown = people.json("subscribers", "show", "Active@EXAMPLE.org")
    assert {"email", "status", "timezone", "enrollments", "timeline"} <= set(shown)
    assert shown["status"] == "active"
    assert [row["sequence"] for row in shown["enrollments"]] == [SLUG]
    assert all(set(event) == {"at", "kind", "status", "reason"} for event in shown["timeline"])
    assert any(event["kind"] == "video" and event["status"] == "sent" for event in shown["timeline"])
    words = people.run("subscribers", "show", "active@example.org").stdout
    assert words.startswith("active@example.org  active  Europe/Zurich\n")


def test_pause_and_resume(people: Any) -> None:
    assert people.json("subscribers", "pause", "active@example.org") == {"email": "active@example.org", "paused": True}
    assert people.json("subscribers", "show", "active@example.org")["paused"] is True
    assert people.json("tick", "--now", "2026-03-05T09:00:00Z")["sent"] == 0
    assert people.run("subscribers", "resume", "active@example.org").stdout == "active@example.org: resumed.\n"
    assert people.json("subscribers", "show", "active@example.org")["paused"] is False
    assert people.json("tick", "--now", "2026-03-05T09:00:00Z")["sent"] == 1


def test_resume_also_ends_what_it_hurt_began(people: Any, hand_clock: Any) -> None:
    with store.writing(people.services.engine) as session:
        person = store.subscribers.by_canonical(session, "active@example.org")
        assert person is not None
        person.hurt_at = hand_clock.course
    assert people.json("subscribers", "show", "active@example.org")["hurt"] is True
    people.run("subscribers", "resume", "active@example.org")
    assert people.json("subscribers", "show", "active@example.org")["hurt"] is False


def test_nobody_there_is_one_line(people: Any) -> None:
    for command in ("show", "pause", "resume"):
        assert "nobody@example.org" in people.refused("subscribers", command, "nobody@example.org", status=1)
        assert "not-an-address" in people.refused("subscribers", command, "not-an-address", status=1)


def test_a_marketer_is_added_once(shell: Any) -> None:
    add = ("marketers", "add", "priya@example.org", "--role", "editor", "--password-stdin")
    said = shell.run(*add, stdin="a long quiet password\n").stdout
    assert said == "priya@example.org may sign in as editor.\n"
    assert "has an account already" in shell.refused(*add, status=2, stdin="a long quiet password\n")
    with store.reading(shell.services.engine) as session:
        from leadmagnet.web.marketing.accounts import Marketer

        found = session.query(Marketer).one()
        assert found.email == "priya@example.org"
        assert found.password.startswith("$argon2id$")


def test_a_marketer_needs_a_role_an_address_and_a_password(shell: Any) -> None:
    add = ("marketers", "add")
    assert "12 characters" in shell.refused(
        *add, "a@example.org", "--role", "owner", "--password-stdin", status=2, stdin="short\n"
    )
    assert "--role" in shell.refused(*add, "a@example.org", "--password-stdin", status=2)
    assert "boss" in shell.refused(*add, "a@example.org", "--role", "boss", status=2)
    assert "address" in shell.refused(*add, "a", "--role", "owner", "--password-stdin", status=2, stdin="x" * 20 + "\n")
