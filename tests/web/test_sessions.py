"""How long a marketer's sign-in lasts, and what a copied cookie is worth after signing out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from leadmagnet.web.marketing import accounts, add_marketer

PASSWORD = "a quiet long password"


@pytest.fixture(autouse=True, scope="module")
def _cheap_argon2() -> Iterator[None]:
    """Argon2id stays, with less work."""
    cheap = {"argon2__memory_cost": 8, "argon2__time_cost": 1, "argon2__parallelism": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "ARGON2", accounts.ARGON2 | cheap)
        yield


@pytest.fixture
def desk(site: Any) -> Any:
    add_marketer(site.app, "vera@clinic.example", "viewer", PASSWORD)
    return site


def token(site: Any, page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', site.get(page).text)
    assert found is not None
    return found[1]


def sign_in(site: Any) -> None:
    data = {"csrf_token": token(site, "/admin/login"), "email": "vera@clinic.example", "password": PASSWORD}
    assert site.client.post("/admin/login", data=data).status_code == 302


def is_in(site: Any) -> bool:
    return bool(site.get("/admin/").status_code == 200)


def test_an_hour_without_a_request_ends_it(desk: Any) -> None:
    sign_in(desk)
    for _ in range(5):
        desk.clock.move(minutes=59)
        assert is_in(desk)
    desk.clock.move(minutes=61)
    assert not is_in(desk)
    desk.clock.move(minutes=-61)
    assert not is_in(desk)


def test_twelve_hours_end_it_whatever_is_done(desk: Any) -> None:
    sign_in(desk)
    for _ in range(24):
        desk.clock.move(minutes=30)
        assert is_in(desk)
    desk.clock.move(minutes=1)
    assert not is_in(desk)


def test_a_cookie_copied_before_signing_out_opens_nothing_afterwards(desk: Any) -> None:
    sign_in(desk)
    assert is_in(desk)
    copied = desk.client.get_cookie("leadmagnet").value
    assert desk.client.post("/admin/logout", data={"csrf_token": token(desk, "/admin/")}).status_code == 302
    assert not is_in(desk)
    desk.client.set_cookie("leadmagnet", copied)
    assert not is_in(desk)
    sign_in(desk)
    assert is_in(desk)


def test_nothing_from_before_the_sign_in_stays(desk: Any) -> None:
    before = token(desk, "/admin/login")
    cookie = desk.client.get_cookie("leadmagnet").value
    sign_in(desk)
    assert desk.client.get_cookie("leadmagnet").value != cookie
    refused = desk.client.post("/admin/logout", data={"csrf_token": before})
    assert refused.status_code == 400
    assert is_in(desk)


def test_a_session_that_says_nothing_of_its_beginning_is_over(desk: Any) -> None:
    """As those of the version before do."""
    sign_in(desk)
    with desk.client.session_transaction() as session:
        del session["signed_in_at"]
    assert not is_in(desk)
