"""The outbox in the browser: only on this machine, only without a detour; emails in a sealed frame."""

from datetime import UTC, datetime

import pytest

from leadmagnet.domain.message import Batch, Content, Letter
from leadmagnet.mail.outbox import Outbox

HTML = '<html><head><title>x</title></head><body style="color:red"><a href="/confirm/x">Yes</a></body></html>'


@pytest.fixture
def filled(site):
    letters = tuple(
        Letter(f"d{n}", f"p{n}@example.org", "", f"<{n}@example.org>", datetime(2026, 3, 2, 15, n, tzinfo=UTC))
        for n in range(3)
    )
    batch = Batch(Content("Hello <you>", HTML, "Plain words"), "us@example.org", "Us", "", letters)
    Outbox(site.services.config.outbox_dir).send(batch)
    return [summary.name for summary in Outbox(site.services.config.outbox_dir).messages(10)]


def test_an_empty_outbox_says_what_to_do(site):
    assert "Sign up with any address" in site.get("/outbox/").text


def test_the_list_shows_to_subject_and_time(site, filled):
    page = site.get("/outbox/").text
    assert "Hello &lt;you&gt;" in page
    assert "p2@example.org" in page
    assert "02 Mar 2026, 15:02 UTC" in page
    assert all(f"/outbox/{name}" in page for name in filled)


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("html", '<iframe class="mail frame-1"'),
        ("text", "Plain words"),
        ("headers", "<dt>Subject</dt>"),
        ("source", "Content-Type: multipart/alternative"),
        ("made-up", '<iframe class="mail frame-1"'),
    ],
)
def test_an_email_has_four_views_and_neighbours(site, filled, tab, words):
    page = site.get(f"/outbox/{filled[1]}?as={tab}").text
    assert words in page
    assert f'href="/outbox/{filled[0]}">Newer' in page
    assert f'href="/outbox/{filled[2]}">Older' in page


def test_the_frame_runs_nothing_and_its_links_leave_it(site, filled):
    page = site.get(f"/outbox/{filled[0]}").text
    assert "allow-scripts" not in page
    assert "allow-same-origin" not in page
    assert "allow-top-navigation-by-user-activation" in page
    frame = site.get(f"/outbox/{filled[0]}/html")
    assert '<head><base target="_top">' in frame.text
    policy = frame.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src 'self'")
    assert "frame-ancestors 'self'" in policy
    assert "script" not in policy
    assert frame.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fconfig.py", "%2e%2e"])
def test_what_is_no_email_is_not_found(site, name):
    assert site.get(f"/outbox/{name}").status_code == 404
    assert site.get(f"/outbox/{name}/html").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Forwarded": "for=1.2.3.4"},
        {"X-Forwarded-For": "1.2.3.4"},
        {"X-Forwarded-Host": "x"},
        {"x-forwarded-proto": "https"},
        {"X-Forwarded": "for=1.2.3.4"},
        {"X-Real-IP": "1.2.3.4"},
        {"Via": "1.1 proxy"},
        {"CF-Connecting-IP": "1.2.3.4"},
        {"CF-Ray": "1"},
        {"CDN-Loop": "cloudflare"},
        {"True-Client-IP": "1.2.3.4"},
        {"X-Client-IP": "1.2.3.4"},
        {"X-Cluster-Client-Ip": "1.2.3.4"},
        {"Fastly-Client-IP": "1.2.3.4"},
        {"Fly-Client-IP": "1.2.3.4"},
        {"X-Original-Host": "x"},
        {"X-Envoy-External-Address": "1.2.3.4"},
        {"X-Amzn-Trace-Id": "1"},
        {"X-Azure-ClientIP": "1.2.3.4"},
        {"X-ProxyUser-Ip": "1.2.3.4"},
        {"Tailscale-User-Login": "anna"},
    ],
)
def test_a_detour_finds_nothing(site, filled, headers):
    assert site.get("/outbox/", headers=headers).status_code == 404
    assert site.get(f"/outbox/{filled[0]}", headers=headers).status_code == 404


def test_what_a_browser_sends_is_no_detour(site, filled):
    """The headers of Chromium, Firefox and Safari on an ordinary page, reload and restore included."""
    headers = {
        "User-Agent": "Mozilla/5.0",
        "Accept": "text/html",
        "Accept-Language": "en",
        "Accept-Encoding": "gzip, br",
        "Cache-Control": "max-age=0",
        "Connection": "keep-alive",
        "DNT": "1",
        "Priority": "u=0, i",
        "Pragma": "no-cache",
        "Referer": "http://127.0.0.1:8000/",
        "Sec-CH-UA": "x",
        "Sec-CH-UA-Mobile": "?0",
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-Site": "same-origin",
        "Sec-GPC": "1",
        "Upgrade-Insecure-Requests": "1",
        "X-Requested-With": "XMLHttpRequest",
    }
    assert site.get("/outbox/", headers=headers).status_code == 200


def test_another_machine_finds_nothing(site):
    assert site.get("/outbox/", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404
    assert site.get("/outbox/", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200


def test_a_public_address_or_another_transport_has_none(make_site):
    far = make_site(public_url="https://videos.example.org")
    assert far.get("/outbox/", base_url="https://videos.example.org").status_code == 404
    real = {"mail_transport": ("outbox", "smtp"), "smtp_url": "smtp://127.0.0.1:1", "clinic_address": "1 Real Street"}
    assert make_site(**real).get("/outbox/").status_code == 404


def test_long_lists_go_on(site, monkeypatch, filled):
    monkeypatch.setattr("leadmagnet.web.outbox.PER_PAGE", 2)
    first = site.get("/outbox/").text
    assert f"?before={filled[1]}" in first
    second = site.get(f"/outbox/?before={filled[1]}").text
    assert f"/outbox/{filled[2]}" in second
    assert f'href="/outbox/{filled[0]}"' not in second
