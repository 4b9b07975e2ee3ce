"""Held sign-ups: what the page shows, who may decide, and what a decision does."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.services import Services
from leadmagnet.store.consents import keep_wording
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def held(parts: Services, *addresses: str, network: str = "203.0.113.0/24", **more: Any) -> list[int]:
    """Write held sign-ups."""
    with store.writing(parts.engine) as session:
        wording = keep_wording(session, "Yes.", "en", NOW)
        rows = [
            SignUp(
                email=address, email_canonical=address, first_name="<b>Zoë</b>", form="landing", wording_id=wording,
                page="https://clinic.example/core?<x>", network=network, asked_at=NOW, asked_real_at=NOW,
                handled_at=NOW, outcome="held", held="network", **more,
            )
            for address in addresses
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def outcomes(parts: Services, ids: list[int]) -> list[tuple[str, bool, str]]:
    with store.reading(parts.engine) as session:
        rows = [session.get_one(SignUp, row_id) for row_id in ids]
        return [(row.outcome, row.handled_at is None, row.decided_by) for row in rows]


def test_the_first_page_and_the_list_say_that_some_are_held(parts: Services, desk: Any) -> None:
    desk.sign_in("viewer")
    assert "/admin/signups" not in desk.get("/admin/").text
    held(parts, "a@example.org", "b@example.org")
    assert re.search(r"2 sign-ups came in a burst.*/admin/signups", desk.get("/admin/").text)
    assert "2 sign-ups held for a look" in desk.get("/admin/subscribers").text


def test_the_page_shows_from_where_and_escapes_what_strangers_wrote(parts: Services, desk: Any) -> None:
    desk.sign_in("viewer")
    assert "All quiet" in desk.get("/admin/signups").text
    held(parts, "a@mailinator.com", "info@example.org", "c@example.org")
    held(parts, "d@example.org", network="2001:db8:1::/48", again_at=NOW, proven=True)
    page = desk.get("/admin/signups").text
    assert "4 are held" in page
    for words in ("203.0.113.0/24", "2001:db8:1::/48", "Landing page", "Throwaway", "Shared inbox", "Waits its turn"):
        assert words in page, words
    assert "<b>Zo" not in page
    assert "<x>" not in page
    assert "Let all" not in page, "who may only look sees no buttons"
    assert '<form method="post" action="/admin/signups' not in page
    one = desk.get("/admin/signups?network=2001:db8:1::/48").text
    assert "1 from 2001:db8:1::/48" in one
    assert "a@mailinator.com" not in one


@pytest.mark.parametrize("path", ["release", "discard"])
def test_who_may_only_look_decides_nothing(parts: Services, desk: Any, path: str) -> None:
    ids = held(parts, "a@example.org")
    desk.sign_in("viewer")
    assert desk.post(f"/admin/signups/{path}", id=str(ids[0])).status_code == 403
    assert outcomes(parts, ids) == [("held", False, "")]
    desk.sign_in("editor")
    assert desk.client.post(f"/admin/signups/{path}", data={"id": ids[0]}).status_code in (400, 403)
    assert outcomes(parts, ids) == [("held", False, "")]


def test_one_is_let_through_and_one_discarded(parts: Services, desk: Any) -> None:
    ids = held(parts, "a@example.org", "b@example.org", "c@example.org")
    desk.sign_in("editor")
    assert desk.post("/admin/signups/release", id=str(ids[0])).status_code == 303
    assert "1 sign-up let through. It gets the confirmation now." in desk.get("/admin/signups").text
    desk.post("/admin/signups/discard", id=str(ids[1]))
    who = "editor@clinic.example"
    assert outcomes(parts, ids) == [("", True, who), ("discarded", False, who), ("held", False, "")]
    desk.post("/admin/signups/release", id=str(ids[1]))
    assert "somebody else was quicker" in desk.get("/admin/signups").text


def test_a_whole_network_goes_after_a_question(parts: Services, desk: Any) -> None:
    ids, others = held(parts, "a@example.org", "b@example.org"), held(parts, "c@example.org", network="")
    desk.sign_in("owner")
    asked = desk.get("/admin/signups/discard?network=203.0.113.0/24").text
    assert "Discard 2 sign-ups?" in asked
    assert outcomes(parts, ids)[0][0] == "held", "asking discards nothing"
    desk.post("/admin/signups/discard", network="203.0.113.0/24")
    assert [one[0] for one in outcomes(parts, ids + others)] == ["discarded", "discarded", "held"]
    assert desk.get("/admin/signups/discard?network=203.0.113.0/24").status_code == 404
    desk.post("/admin/signups/release")
    assert outcomes(parts, others) == [("", True, "owner@clinic.example")]


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "1e3", "\0", "²"])
def test_what_is_no_number_picks_nobody(parts: Services, desk: Any, number: str) -> None:
    ids = held(parts, "a@example.org")
    desk.sign_in("owner")
    assert desk.post("/admin/signups/release", id=number).status_code == 303
    assert desk.get(f"/admin/signups?before={'9' * 30}&form=%00&network=%00").status_code == 200
    assert outcomes(parts, ids) == [("held", False, "")]


def test_a_long_queue_has_pages(parts: Services, desk: Any) -> None:
    held(parts, *(f"p{number}@example.org" for number in range(70)))
    desk.sign_in("viewer")
    page = desk.get("/admin/signups").text
    older = re.search(r'href="(/admin/signups\?before=\d+)"', page)
    assert older
    assert page.count('data-l="Came:"') == 50
    assert desk.get(older[1]).text.count('data-l="Came:"') == 20


def test_marks_stand_on_the_list_and_the_persons_page(parts: Services, desk: Any) -> None:
    with store.writing(parts.engine) as session:
        for address in ("info@example.org", "x@sub.mailinator.com", "anna@example.org"):
            session.add(Subscriber(email=address, email_canonical=address, timezone="UTC", created_at=NOW))
    desk.sign_in("viewer")
    page = desk.get("/admin/subscribers").text
    assert (page.count("Shared inbox"), page.count("Throwaway")) == (1, 1)
    for number, words in ((1, "Shared inbox"), (2, "Throwaway")):
        assert words in desk.get(f"/admin/subscribers/{number}").text
