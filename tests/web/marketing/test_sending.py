"""The page about sending: stop, go on, what could not be sent, and once more."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.services import Services
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def failed(parts: Services, count: int, **more: Any) -> list[int]:
    """Write people with an email that failed."""
    with store.writing(parts.engine) as session:
        ids = []
        for number in range(count):
            name = f"{more.get('detail', 'x')[:3]}{number}"
            person = Subscriber(
                email=f"{name}@example.org", email_canonical=f"{name}@example.org", first_name="<b>Zoë</b>",
                status="active", timezone="UTC", created_at=NOW,
            )  # fmt: skip
            session.add(person)
            session.flush()
            values = {"kind": "video", "status": "failed", "created_at": NOW, "due_at": NOW, "detail": "550 no"} | more
            row = Delivery(subscriber_id=person.id, **values)
            session.add(row)
            session.flush()
            ids.append(row.id)
        return ids


def statuses(parts: Services, ids: list[int]) -> list[str]:
    with store.reading(parts.engine) as session:
        return [session.get_one(Delivery, row_id).status for row_id in ids]


def halted(parts: Services) -> str:
    with store.reading(parts.engine) as session:
        halt = store.halts.current(session)
        return f"{halt.by}: {halt.reason}" if halt else ""


def test_stop_asks_first_then_stops_and_says_who_and_why(parts: Services, desk: Any) -> None:
    desk.sign_in("editor")
    assert "Stop all sending?" in desk.get("/admin/sending/stop").text
    assert halted(parts) == "", "looking stops nothing"
    assert desk.post("/admin/sending/stop", reason="wrong <video>").status_code == 303
    assert halted(parts) == "editor@clinic.example: wrong <video>"
    page = desk.get("/admin/sending").text
    assert "wrong &lt;video&gt;" in page
    assert "editor@clinic.example" in page
    assert "has stopped sending" in desk.get("/admin/").text
    assert desk.post("/admin/sending/go").status_code == 303
    assert halted(parts) == ""


@pytest.mark.parametrize("path", ["stop", "go", "retry"])
def test_who_may_only_look_stops_nothing(parts: Services, desk: Any, path: str) -> None:
    desk.sign_in("viewer")
    assert desk.get("/admin/sending").status_code == 200
    assert desk.post(f"/admin/sending/{path}", reason="x", id="1").status_code == 403
    assert halted(parts) == ""


def test_without_a_token_nothing_is_done(parts: Services, desk: Any) -> None:
    desk.sign_in("owner")
    assert desk.client.post("/admin/sending/stop", data={"reason": "x"}).status_code == 400
    assert halted(parts) == ""


def test_failed_emails_are_listed_and_tried_again(parts: Services, desk: Any) -> None:
    one, two = failed(parts, 2, detail="550 no such user")
    (other,) = failed(parts, 1, detail="552 full")
    (reminder,) = failed(parts, 1, detail="rem", kind="reminder")
    (unsure,) = failed(parts, 1, detail="uns", status="unknown")
    desk.sign_in("editor")
    page = desk.get("/admin/sending").text
    assert "&lt;b&gt;Zo" in page
    assert "<b>Zo" not in page
    assert page.count("Try again<span") == 3, "not for a reminder, and not where nobody knows"
    assert page.count("Try all again") == 1
    desk.post("/admin/sending/retry", id=str(other))
    assert statuses(parts, [one, two, other]) == ["failed", "failed", "due"]
    desk.post("/admin/sending/retry", reason="550 no such user")
    assert statuses(parts, [one, two, other, reminder, unsure]) == ["due", "due", "due", "failed", "unknown"]


def test_a_long_list_has_pages(parts: Services, desk: Any) -> None:
    failed(parts, 120)
    desk.sign_in("viewer")
    seen, path = [], "/admin/sending"
    for _ in range(3):
        page = desk.get(path).text
        seen.append(page.count('data-l="Why"'))
        older = re.search(r'href="(/admin/sending\?before=\d+)"', page)
        path = older[1] if older else ""
    assert seen == [50, 50, 20]
    assert path == ""
