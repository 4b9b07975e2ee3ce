"""Every answer of every address carries its headers: all methods, with keys and without, errors among them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, abort

from tests.fuzz.asks import Ask
from tests.fuzz.target import ALWAYS, Answer, Target, complaints

METHODS = ("GET", "POST", "HEAD", "PUT", "OPTIONS", "TRACE")
#: Addresses that are keys, or lead to people.
PRIVATE = ("confirm", "u", "p", "v", "done", "c", "admin", "outbox")
FRAMES = ("/admin/sequence/<int:step_id>/frame", "/outbox/<name>/html")


def answers(target: Target) -> Iterator[tuple[str, Ask, Answer]]:
    """One answer for each address, method, and key: a good one, a bad one, and as somebody who is signed in."""
    ground = target.ground()
    for door in ground.doors:
        kind = door.rule.split("/")[1]
        for key in (ground.keys.get(kind, ("x",))[0], "x"):
            path = "".join(key if place % 2 else part for place, part in enumerate(door.parts)).encode()
            query = f"t={ground.keys['v'][0]}".encode() if kind == "v" else b""
            for method in METHODS if key != "x" else METHODS[:2]:
                ask = Ask(method, path, query, signed_in=kind == "admin")
                yield door.rule, ask, target.ask(ask)


@pytest.fixture(scope="module")
def scanned(target: Target) -> list[tuple[str, Ask, Answer]]:
    return list(answers(target))


def test_every_address_answers_every_method_with_all_headers(scanned: list[tuple[str, Ask, Answer]]) -> None:
    assert [(rule, ask.method, found) for rule, ask, answer in scanned if (found := complaints(ask, answer))] == []
    assert {answer.status for _, _, answer in scanned} >= {200, 302, 303, 400, 404, 405, 503}
    assert len(scanned) > 300


def test_policies_close_what_they_can(scanned: list[tuple[str, Ask, Answer]]) -> None:
    for rule, ask, answer in scanned:
        policy = dict(part.split(" ", 1) for part in answer.header("Content-Security-Policy").split("; "))
        where = f"{ask.method} {ask.path!r}"
        assert policy["default-src"] == policy["base-uri"] == policy["object-src"] == "'none'", where
        assert policy["form-action"] in ("'self'", "'none'"), where
        framed = rule in FRAMES and ask.method in ("GET", "HEAD") and answer.status == 200
        assert policy["frame-ancestors"] == ("'self'" if framed else "'none'"), where
        assert ("unsafe" in str(policy)) == framed, where
        assert answer.header("Cross-Origin-Resource-Policy") == (
            "cross-origin"
            if rule.startswith("/media/") and answer.status == 200 and ask.method != "OPTIONS"
            else "same-origin"
        ), where
        assert not answer.header("Strict-Transport-Security")
        assert not answer.header("Access-Control-Allow-Origin")


def test_what_is_a_key_or_leads_to_people_is_not_stored_nor_told(scanned: list[tuple[str, Ask, Answer]]) -> None:
    for rule, ask, answer in scanned:
        where = f"{ask.method} {ask.path!r} {answer.status}"
        if answer.status >= 400:
            assert answer.header("Cache-Control") == "no-store", where
            assert answer.header("Referrer-Policy") == "no-referrer", where
        elif rule.split("/")[1] in PRIVATE and "static" not in rule and "/log" not in rule and ask.method != "OPTIONS":
            assert answer.header("Cache-Control") == "no-store", where
            assert answer.header("Referrer-Policy") == "no-referrer", where
            assert "noindex" in answer.header("X-Robots-Tag"), where


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 408, 410, 413, 415, 418, 422, 429, 451, 500, 501, 503])
def test_error_pages_carry_them_over_https_with_hsts(https: tuple[Target, Flask], code: int) -> None:
    target, _ = https
    answer = target.ask(Ask("GET", f"/error/{code}".encode(), headers=(("Host", b"videos.example.org"),)))
    assert answer.status == code
    assert [name for name in ALWAYS if not answer.header(name)] == []
    assert answer.header("Strict-Transport-Security") == "max-age=31536000"
    assert b"<h1>" in answer.body


def test_a_fault_a_range_and_a_brake_carry_them_too(target: Target, https: tuple[Target, Flask]) -> None:
    asked = [
        (https[0], Ask("GET", b"/fault", headers=(("Host", b"videos.example.org"),)), 500),
        (https[0], Ask("GET", b"/", headers=(("Host", b"evil.example"),)), 400),
        (https[0], Ask("GET", b"/", headers=(("Host", b"a" * 5000),)), 400),
        (https[0], Ask("GET", b"/healthz", headers=(("Host", b"<any>"),)), 200),
        (target, Ask("GET", b"/media/bird-dog.mp4", headers=(("Range", b"bytes=0-9"),)), 206),
        (target, Ask("GET", b"/media/bird-dog.mp4", headers=(("Range", b"bytes=999999999-"),)), 416),
        (target, Ask("POST", b"/signup", body=b"x" * 20_000), 413),
        (target, Ask("POST", b"/webhooks/sendgrid", body=b"x" * 2_000_001, signed=True), 413),
        (target, Ask("POST", b"/webhooks/sendgrid", body=b"[]", signed=True), 204),
    ]
    form = f"csrf_token={target.csrf}&email=b%40example.org&password=x".encode()
    kind = (("Content-Type", b"application/x-www-form-urlencoded"),)
    asked += [(target, Ask("POST", b"/admin/login", headers=kind, body=form), 200)] * 10
    asked += [(target, Ask("POST", b"/admin/login", headers=kind, body=form), 429)]
    for place, ask, status in asked:
        answer = place.ask(ask)
        assert answer.status == status, ask
        assert [name for name in ALWAYS if not answer.header(name)] == [], ask


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, Flask]]:
    """The application behind https, with an address for each error."""
    made = Target(tmp_path_factory.mktemp("https"), public_url="https://videos.example.org", bare=True)
    made.app.add_url_rule("/error/<int:code>", "error", abort)
    made.app.add_url_rule("/fault", "fault", lambda: 1 / 0)
    yield made, made.app
    made.close()
