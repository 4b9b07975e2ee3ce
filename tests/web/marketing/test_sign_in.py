"""The door of the workspace: who gets in, and what a wrong try shows."""

from dataclasses import replace

import pytest

from leadmagnet import store
from leadmagnet.web import marketing
from leadmagnet.web.marketing import sign_in
from leadmagnet.web.marketing.accounts import Marketer

PAGES = [
    *("/admin/", "/admin/subscribers", "/admin/subscribers.csv", "/admin/subscribers/1", "/admin/subscribers/1/stop"),
    *("/admin/sequence", "/admin/sequence/1", "/admin/sequence/1/frame", "/admin/sequence/calendar"),
]
WRONG = "That address and password don’t match."


@pytest.mark.parametrize("path", PAGES)
def test_no_page_without_signing_in(desk, path):
    answer = desk.get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/admin/login?next=")


def test_every_rule_under_admin_has_the_door(app):
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/admin/") or rule.endpoint in ("security.login", "marketing.static"):
            continue
        path = rule.rule.replace("<int:number>", "1").replace("<int:step_id>", "1")
        if "GET" in rule.methods:
            assert client.get(path).status_code == 302, path
        assert client.post(path).status_code in (302, 400, 405), path


def test_the_right_password_opens_and_leads_on(desk):
    page = desk.get("/admin/login?next=/admin/sequence")
    assert 'value="/admin/sequence"' in page.text
    answer = desk.sign_in("viewer", next="/admin/sequence")
    assert (answer.status_code, answer.location) == (302, "/admin/sequence")
    assert desk.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("role", "password"), [("viewer", "wrong password here"), ("nobody", "whatever it is"), ("viewer", "")]
)
def test_a_wrong_try_says_one_thing_and_nothing_more(desk, role, password):
    page = desk.sign_in(role, password)
    assert page.status_code == 200
    assert page.text.count(WRONG) == 1
    assert f"{role}@clinic.example" in page.text
    assert desk.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "http:evil.example"]
)
@pytest.mark.parametrize("where", ["form", "query"])
def test_the_way_on_never_leads_elsewhere(desk, elsewhere, where):
    if where == "form":
        answer = desk.sign_in("viewer", next=elsewhere)
    else:
        data = {"email": "viewer@clinic.example", "password": "a quiet long password", "csrf_token": desk.token()}
        answer = desk.client.post("/admin/login", query_string={"next": elsewhere}, data=data)
    assert answer.status_code == 302
    assert "evil" not in answer.location or answer.location.startswith("/%5Cevil") or answer.location.startswith("%5C")


def test_without_a_token_nothing_happens(desk):
    data = {"email": "viewer@clinic.example", "password": "a quiet long password"}
    assert desk.client.post("/admin/login", data=data).status_code == 400
    assert desk.get("/admin/").status_code == 302


def test_signing_out_takes_a_button(desk):
    desk.sign_in("viewer")
    assert desk.client.get("/admin/logout").status_code == 405
    assert desk.client.post("/admin/logout").status_code == 400
    assert desk.get("/admin/").status_code == 200
    assert desk.post("/admin/logout").location == "/admin/login"
    assert desk.get("/admin/").status_code == 302


def test_many_tries_rest_for_a_minute(desk):
    answers = [desk.sign_in("viewer", f"guess number {number}").status_code for number in range(11)]
    assert answers == [200] * 10 + [429]
    assert desk.sign_in("editor").status_code == 302


def test_networks_are_wide_enough(app):
    for ip, network in [("203.0.113.9", "203.0.113.0/24"), ("2001:db8:1:2:3::9", "2001:db8:1:2::/64")]:
        with app.test_request_context(environ_base={"REMOTE_ADDR": ip}):
            assert sign_in.network() == network


def test_passwords_are_argon2id_and_survive_another_secret_key(app, parts, wired):
    with store.reading(parts.engine) as session:
        kept = session.query(Marketer).filter_by(email="viewer@clinic.example").one()
        assert kept.password.startswith("$argon2id$")
        assert kept.is_at_least("viewer")
        assert not kept.is_at_least("editor")
    other = replace(parts, config=replace(parts.config, secret_key=("another-" + "s" * 40,)))
    assert wired(other).sign_in("viewer").status_code == 302


@pytest.mark.parametrize(
    ("email", "role", "password", "sentence"),
    [
        ("Owner@clinic.example", "viewer", "a quiet long password", "owner@clinic.example has an account already."),
        ("new@clinic.example", "boss", "a quiet long password", "boss is not a role. Choose owner, editor or viewer."),
        ("new@clinic.example", "viewer", "short", "The password needs 12 characters or more."),
        (
            "no address",
            "viewer",
            "a quiet long password",
            "no address is not an address. One looks like priya@example.org.",
        ),
    ],
)
def test_what_cannot_be_added_says_why(app, email, role, password, sentence):
    with pytest.raises(ValueError, match=sentence.replace(".", r"\.")):
        marketing.add_marketer(app, email, role, password)


def test_the_session_cookie_is_not_for_scripts(desk):
    answer = desk.sign_in("viewer")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_pages_are_not_stored_and_carry_the_policy(desk):
    desk.sign_in("viewer")
    page = desk.get("/admin/")
    assert page.headers["Cache-Control"] == "no-store"
    assert "style-src 'self';" in page.headers["Content-Security-Policy"]
    with desk.get("/admin/static/desk.css") as sheet:
        assert sheet.status_code == 200
