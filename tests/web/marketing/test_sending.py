"""The page about sending: stop, go on, what could not be sent, and once more."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
        ids, there = [], session.query(Subscriber).count()
        for number in range(count):
            name = f"p{there + number}"
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


def test_failed_emails_are_counted_by_reason_and_tried_again(parts: Services, desk: Any) -> None:
    one, two = failed(parts, 2, detail="550 5.1.1 no such user (id 4f2ab77)")
    (same,) = failed(parts, 1, detail="550 5.1.1 no such user (id 99a0c1e)")
    (other,) = failed(parts, 1, detail="552 full")
    (reminder,) = failed(parts, 1, detail="rem", kind="reminder")
    (unsure,) = failed(parts, 1, detail="uns", status="unknown")
    every = [one, two, same, other, reminder, unsure]
    desk.sign_in("editor")
    page = desk.get("/admin/sending").text
    assert "&lt;b&gt;Zo" in page
    assert "<b>Zo" not in page
    assert page.count("Try again<span") == 4, "not for a reminder, and not where nobody knows"
    assert "Try all 3 again" in page
    assert "no such user (id …)" in page
    assert "We look again" in page
    said = desk.post("/admin/sending/retry", id=str(other))
    assert said.status_code == 303
    assert statuses(parts, every) == ["failed", "failed", "failed", "due", "failed", "unknown"]
    desk.post("/admin/sending/retry", reason="550 5.1.1 no such user (id …)")
    assert statuses(parts, every) == ["due", "due", "due", "due", "failed", "unknown"]
    desk.post("/admin/sending/retry", id=str(reminder))
    assert "1 was a reminder, which belongs to its day, and stays here." in desk.get("/admin/sending").text


def test_all_that_may_go_through_by_now(parts: Services, desk: Any) -> None:
    passing = failed(parts, 3, detail="gave up: sendgrid: 503 away")
    refused = failed(parts, 1, detail="550 no such user")
    lost = failed(parts, 1, detail="no answer known, again and again")
    (gone,) = failed(parts, 1, detail="gave up: 421 busy")
    with store.writing(parts.engine) as session:
        person = session.get_one(Subscriber, session.get_one(Delivery, gone).subscriber_id)
        person.status = "unsubscribed"
    desk.sign_in("owner")
    assert "Try these 4 again" in desk.get("/admin/sending").text
    desk.post("/admin/sending/retry", all="1")
    assert statuses(parts, [*passing, *refused, *lost, gone]) == ["due"] * 3 + ["failed"] * 3
    page = desk.get("/admin/sending").text
    assert "3 emails will go out again. 1 is for somebody who has left or pauses, and stays here." in page


def test_one_email_a_day_also_for_what_is_tried_again(parts: Services, desk: Any) -> None:
    one, two = failed(parts, 2, day=NOW.date())
    with store.writing(parts.engine) as session:
        first, second = (session.get_one(Delivery, row_id) for row_id in (one, two))
        second.subscriber_id = first.subscriber_id
    desk.sign_in("owner")
    desk.post("/admin/sending/retry", reason="550 no")
    assert statuses(parts, [one, two]) == ["due", "failed"], "the older one, and the other one tomorrow"
    assert "1 gets another email today, and stays here." in desk.get("/admin/sending").text


def test_who_may_only_look_sees_reasons_and_no_buttons(parts: Services, desk: Any) -> None:
    (row,) = failed(parts, 1, detail="gave up: 421 busy")
    desk.sign_in("viewer")
    page = desk.get("/admin/sending").text
    assert "gave up: 421 busy" in page
    assert "<button" not in page.partition('id="h-wait"')[2]
    assert desk.post("/admin/sending/retry", all="1").status_code == 403
    assert statuses(parts, [row]) == ["failed"]


def test_both_figures_of_what_nobody_knows_are_shown(parts: Services, desk: Any) -> None:
    failed(parts, 2, status="unknown", detail="unk", lease_until=NOW + timedelta(minutes=7))
    failed(parts, 3, status="sent", detail="twi", resent=1, due_at=NOW - timedelta(days=2))
    failed(parts, 1, status="sent", detail="old", resent=1, due_at=NOW - timedelta(days=8))
    desk.sign_in("viewer")
    page = re.sub(r"\s+", " ", desk.get("/admin/sending").text)
    assert 'whether they arrived</th><td class="r">2</td>' in page
    assert 'because nobody could know</th><td class="r">3</td>' in page
    assert "within 7 minutes" in page


@pytest.mark.parametrize("path", ["/admin/sending", "/admin/sending?reason=550+no"])
def test_a_long_list_has_pages(parts: Services, desk: Any, path: str) -> None:
    failed(parts, 120)
    failed(parts, 1, status="unknown", detail="unk")
    desk.sign_in("viewer")
    seen: list[str] = []
    for _ in range(3):
        page = desk.get(path).text.partition('id="h-list"')[2]
        seen += re.findall(r'admin/subscribers/(\d+)">', page)
        older = re.search(r'href="(/admin/sending\?[^"]*before=\d+[^"]*)#h-list"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == 120
    assert path == ""


def test_kinds_of_emails_and_limits_are_told_in_words(parts: Services, wired: Any) -> None:
    failed(parts, 1, kind="already_subscribed")
    failed(parts, 1, kind="fresh_link", status="unknown", resent=1, lease_until=NOW)
    rates = (("gmail.com", 50.0), ("outlook.com", 20.0), ("*", 200.0))
    slow = wired(replace(parts, config=replace(parts.config, domain_rate=rates, daily_cap=9, warm_up=(5, 10))))
    slow.sign_in("viewer")
    page = re.sub(r"\s+", " ", slow.get("/admin/sending").text)
    assert "“You are already in”" in page
    assert "Link on request, sent again once" in page
    assert "At most 50 a second to gmail.com and 20 a second to outlook.com. At most 200 a second to each other" in page
    assert "Today 5 at most, because a new sender begins small; 0 have gone out." in page


def test_the_first_page_says_that_all_has_gone_out_only_where_it_has(parts: Services, desk: Any) -> None:
    desk.sign_in("viewer")
    assert "All emails due so far have gone out." in desk.get("/admin/").text
    failed(parts, 1)
    assert "All emails due so far have gone out." not in desk.get("/admin/").text
