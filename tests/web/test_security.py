"""Headers on every answer, the host name, cookies, CSRF, limits, error pages, and GETs that change nothing."""

import re

import pytest
from flask import abort

HTTPS = "https://videos.example.org"


def everything(site, person):
    """An address of every kind, errors among them."""
    return [
        *("/", "/f/landing", "/articles/core", "/privacy", "/signup/check-inbox", "/outbox/", "/healthz", "/readyz"),
        *("/robots.txt", "/static/site.css", "/media/posters/1.svg", "/media/films.json", "/favicon.ico", "/nothing"),
        *("/v/breathing-and-bracing", "/v/dead-bug", "/confirm/x", "/p/x", "/u/x", "/done/x", "/signup"),
        *(site.confirm(person), site.video(person), site.video(person, "side-plank"), site.done(person)),
        *(site.done(person) + "?saved=easy", site.done(person) + "?saved=hurt"),
        *(site.own_page(person), site.leave(person)),
    ]


def test_every_answer_carries_the_headers(site):
    for path in everything(site, site.person(sent=2)):
        headers = site.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert "camera=()" in headers["Permissions-Policy"], path
        assert headers["Referrer-Policy"] in ("no-referrer", "strict-origin-when-cross-origin"), path
        assert "Strict-Transport-Security" not in headers, path


def test_pages_allow_no_inline_code_and_no_other_host(site):
    policy = site.get("/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    for part in ("script-src 'self'", "form-action 'self'", "base-uri 'none'", "object-src 'none'"):
        assert part in policy


@pytest.mark.parametrize("kind", ["confirm", "video", "done", "own_page", "leave"])
def test_pages_whose_address_is_a_key_are_kept_private(site, kind):
    person = site.person(sent=1)
    headers = site.get(getattr(site, kind)(person)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]


def test_no_get_changes_a_row(site):
    person = site.person(sent=2)
    before = site.dump()
    for path in everything(site, person):
        site.get(path)
        site.client.head(path, buffered=True)
    assert site.dump() == before


def test_behind_https_cookies_are_bound_to_the_host_and_browsers_stay_with_https(make_site):
    answer = make_site(public_url=HTTPS).get("/", base_url=HTTPS)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-leadmagnet=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_on_this_machine_the_cookie_needs_no_https(site):
    cookie = site.get("/").headers["Set-Cookie"]
    assert cookie.startswith("leadmagnet=")
    assert "Secure" not in cookie


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("videos.example.org", 200),
        ("VIDEOS.example.org:443", 200),
        ("videos.example.org:8443", 400),
        ("evil.example", 400),
        ("videos.example.org.evil.example", 400),
        ("127.0.0.1", 400),
        ("", 400),
    ],
)
def test_only_our_own_host_is_served(make_site, host, status):
    answer = make_site(public_url=HTTPS).get("/", base_url=HTTPS, headers={"Host": host})
    assert answer.status_code == status
    assert "evil" not in answer.text


@pytest.mark.parametrize(("host", "status"), [("localhost:9", 200), ("[::1]:8000", 200), ("evil.example", 400)])
def test_on_this_machine_every_name_of_it_is_served(site, host, status):
    assert site.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("path", ["/signup", "/confirm/x", "/done/x", "/p/x", "/v/dead-bug/ready?t=x"])
def test_posts_need_the_page_s_token(site, path):
    site.get("/")
    answer = site.client.post(path, data={"csrf_token": "forged"})
    assert answer.status_code == 400
    assert "This page lay open for a while" in answer.text


def test_a_token_of_a_key_that_was_replaced_still_counts(make_site):
    old, new = "old-" + "k" * 40, "new-" + "k" * 40
    before = make_site(secret_key=(old,))
    known = before.hidden("/")
    cookie = before.client.get_cookie("leadmagnet")
    after = make_site(secret_key=(new, old))
    after.client.set_cookie("leadmagnet", cookie.value)
    after.clock.move(seconds=3)
    answer = after.client.post("/signup", data=known | {"email": "a@example.org", "consent": "yes"})
    assert answer.status_code in (303, 400)
    person = before.person(sent=1)
    assert after.get(before.own_page(person)).status_code == 200


def test_too_much_is_refused_kindly(site):
    answer = site.client.post("/signup", data={"first_name": "x" * 70_000})
    assert answer.status_code == 413
    assert "more than we can take" in answer.text


def test_wrong_methods_have_a_page(site):
    answer = site.get("/v/dead-bug/ready")
    assert answer.status_code == 405
    assert "That can’t be done here" in answer.text


def test_a_fault_of_ours_tells_nothing_of_itself(site, caplog):
    @site.app.get("/fault")
    def fault():
        raise RuntimeError("secret detail")

    answer = site.get("/fault")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "secret detail" not in answer.text
    assert "604-555-0142" in answer.text
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("code", [403, 404, 410, 429, 503])
def test_error_pages_are_plain_and_warm(site, code):
    site.app.add_url_rule(f"/error/{code}", f"error{code}", lambda: abort(code))
    page = site.get(f"/error/{code}")
    assert page.status_code == code
    assert "<h1>" in page.text
    assert "!" not in re.sub(r"<[^>]+>", "", page.text)


def test_a_body_that_is_too_large_is_refused_in_any_form(site):
    """As JSON, too: looking for an account in a body that is too large must not end in a fault of ours."""
    for options in (
        {"data": b'{"percent": "' + b"9" * 70_000 + b'"}', "content_type": "application/json"},
        {"data": {"percent": "9" * 70_000}},
    ):
        answer = site.client.post("/v/dead-bug/progress", **options)
        assert answer.status_code == 413
        assert "<h1" in answer.text


@pytest.mark.parametrize("path", ["/", "/v/breathing-and-bracing/progress", "/admin/login", "/signup"])
def test_json_that_goes_too_deep_is_a_bad_request_at_most(site, path):
    for method in ("GET", "POST"):
        answer = site.client.open(
            path, method=method, data=b"[" * 5_000, content_type="application/json", buffered=True
        )
        assert answer.status_code < 500, method


class Broken:
    """A body that the server cannot read: a chunk without a size, as gunicorn tells it."""

    def read(self, *_sizes):
        raise RuntimeError("Invalid chunk size")

    readline = readinto = read


@pytest.mark.parametrize("path", ["/signup", "/webhooks/sendgrid", "/v/breathing-and-bracing/progress", "/admin/login"])
@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
)
def test_a_body_that_cannot_be_read_is_a_bad_request(site, path, kind):
    environ = {"wsgi.input": Broken(), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = site.client.post(path, content_type=kind, environ_overrides=environ)
    assert answer.status_code in (400, 403), path
