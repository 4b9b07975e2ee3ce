"""Pausing a sequence in the workspace: it asks first, says what waits and since when, and lets it go on."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.services import Services
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
SLUG = "six-core-videos"


def paused_by(parts: Services) -> list[tuple[str, int]]:
    with store.reading(parts.engine) as session:
        return [(one.by, one.waiting) for one in store.pauses.standing(session)]


def waiting(parts: Services, count: int) -> int:
    """Write people with a video that is due; return the id of the last one."""
    with store.writing(parts.engine) as session:
        course = store.sequences.by_slug(session, SLUG)
        step = store.sequences.steps_of(session, course.id)[1]
        for number in range(count):
            name = f"p{number}@example.org"
            common = {"email": name, "email_canonical": name, "timezone": "UTC", "created_at": NOW}
            person = Subscriber(**common, status="active", confirmed_at=NOW)
            session.add(person)
            session.flush()
            session.add(Enrollment(subscriber_id=person.id, sequence_id=course.id, started_at=NOW, wants_plan=False))
            row = {"kind": "video", "step_id": step.id, "reason": "3 days after", "created_at": NOW, "due_at": NOW}
            session.add(Delivery(subscriber_id=person.id, **row))
        return person.id


def test_it_asks_first_then_holds_and_says_how_many_since_when_and_by_whom(parts: Services, desk: Any) -> None:
    person = waiting(parts, 3)
    desk.sign_in("editor")
    assert f"/admin/sequence/{SLUG}/pause" in desk.get("/admin/sequence").text
    asked = desk.get(f"/admin/sequence/{SLUG}/pause").text
    assert "for everybody?" in asked
    assert "each person gets one waiting video" in asked
    assert paused_by(parts) == [], "looking pauses nothing"
    answer = desk.post(f"/admin/sequence/{SLUG}/pause")
    assert (answer.status_code, answer.location) == (303, "/admin/sequence")
    assert paused_by(parts) == [("editor@clinic.example", 3)]
    page = desk.get("/admin/sequence").text
    assert "nobody gets two at once" in page, "what the act says"
    assert re.search(r"Since [^<]+, by editor@clinic.example. 3 emails wait.", page)
    sending = desk.get("/admin/sending").text
    assert re.search(r"since [^<]+, by editor@clinic.example: 3 emails wait.", sending)
    assert re.search(r"because the sequence is paused</th><td class=\"r\">3<", sending)
    assert f'action="/admin/sequence/{SLUG}/resume"' in sending, "any sequence goes on from here, not only the first"
    assert re.search(r"because somebody pauses, said “it hurt” or can’t be reached</th><td class=\"r\">0<", sending)
    assert "when the sequence goes on" in desk.get("/admin/subscribers").text
    story = desk.get(f"/admin/subscribers/{person}").text
    assert "The clinic has paused the sequence for everybody." in story
    assert "<strong>When the sequence goes on</strong>" in story, "a held email has no date that holds"


def test_it_goes_on_once_and_says_so(parts: Services, desk: Any) -> None:
    waiting(parts, 1)
    desk.sign_in("owner")
    desk.post(f"/admin/sequence/{SLUG}/pause")
    assert desk.post(f"/admin/sequence/{SLUG}/resume").status_code == 303
    assert paused_by(parts) == []
    page = desk.get("/admin/sequence").text
    assert "1 email waits: each person gets one" in page
    assert "Pause the sequence" in page
    desk.post(f"/admin/sequence/{SLUG}/resume")
    assert "The sequence was not paused." in desk.get("/admin/sequence").text


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_who_may_only_look_and_who_comes_without_a_token_change_nothing(parts: Services, desk: Any, act: str) -> None:
    desk.sign_in("viewer")
    assert desk.post(f"/admin/sequence/{SLUG}/{act}").status_code == 403
    assert desk.get(f"/admin/sequence/{SLUG}/pause").status_code == 403
    desk.client.get("/admin/logout")
    desk.sign_in("owner")
    assert desk.client.post(f"/admin/sequence/{SLUG}/{act}").status_code == 400
    assert desk.get(f"/admin/sequence/{SLUG}/resume").status_code == 405
    assert paused_by(parts) == []


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_an_unknown_sequence_is_not_found(desk: Any, act: str) -> None:
    desk.sign_in("owner")
    assert desk.post(f"/admin/sequence/nothing/{act}").status_code == 404
    assert desk.get("/admin/sequence/nothing/pause").status_code == 404
