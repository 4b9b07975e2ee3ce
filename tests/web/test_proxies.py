"""Behind a proxy: whose word counts, how many requests a network may send, when a form asks for a proof of work."""

from __future__ import annotations

from typing import Any

import pytest

from config import BadSetting, Config
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.signups import SignUp
from leadmagnet.tick import tick
from leadmagnet.web.floods import _storage

PROXIED = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}


def come(site: Any, address: str, headers: dict[str, str] | None = None) -> int:
    known = site.hidden("/")
    site.clock.move(seconds=3)
    fields = known | {"email": address, "consent": "yes"}
    return site.client.post("/signup", data=fields, headers=headers or {}).status_code


def test_a_forged_header_is_nothing_unless_the_peer_is_trusted(make_site):
    site = make_site()
    come(site, "anna@example.org", PROXIED)
    come(site, "ben@example.org", {"Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6", "X-Client-IP": "6.6.6.6"})
    assert {(row.ip, row.network) for row in site.rows(SignUp)} == {("127.0.0.1", "")}


def test_a_trusted_proxys_word_counts_and_what_stands_left_of_it_does_not(make_site):
    site = make_site(trusted_proxies=("127.0.0.1",))
    come(site, "anna@example.org", PROXIED)
    assert [(row.ip, row.network) for row in site.rows(SignUp)] == [("203.0.113.9", "203.0.113.0/24")]
    tick(site.services, site.clock.now)
    assert [event.ip for event in site.rows(ConsentEvent)] == ["203.0.113.9"]


def test_scheme_and_host_are_never_taken_from_a_proxy(make_site):
    site = make_site(trusted_proxies=("127.0.0.1",))
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil"}
    plain, claimed = site.get("/"), site.get("/", headers=forged)
    assert claimed.status_code == 200
    assert "evil" not in claimed.text
    assert "Strict-Transport-Security" not in claimed.headers
    assert len(plain.text) == len(claimed.text)


@pytest.mark.parametrize("value", ["127.0.0.1", "10.0.0.0/8, 2001:db8::/32", "unix"])
def test_the_setting_takes_addresses_networks_and_a_word(value):
    config = Config.from_env({"SECRET_KEY": "k" * 32, "SUPPRESSION_KEY": "s" * 32, "TRUSTED_PROXIES": value})
    assert config.trusted_proxies == tuple(value.replace(" ", "").split(","))


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/8", "127.0.0.1;10.0.0.1", "*", "1"])
def test_what_is_no_proxy_stops_the_start(value):
    with pytest.raises(BadSetting, match=r"TRUSTED_PROXIES: .* is no address and no network"):
        Config.from_env({"SECRET_KEY": "k" * 32, "SUPPRESSION_KEY": "s" * 32, "TRUSTED_PROXIES": value})


def test_a_flood_from_one_network_is_refused_and_others_come_in(make_site):
    site = make_site(trusted_proxies=("127.0.0.1",), signup_requests_per_minute=2)
    known = site.hidden("/")
    site.clock.move(seconds=3)
    fields = known | {"email": "anna@example.org", "consent": "yes"}

    def post(ip: str) -> Any:
        return site.client.post("/signup", data=fields, headers={"X-Forwarded-For": ip})

    answers = [post(f"203.0.113.{number}") for number in range(6)]
    assert [answer.status_code for answer in answers] == [303, 303, 429, 429, 429, 429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert "Content-Security-Policy" in answers[-1].headers
    assert "Please wait a few minutes" in answers[-1].text
    assert post("198.51.100.1").status_code == 303
    assert len(site.rows(SignUp)) == 3
    # Reading is free, and so is whoever comes without a network that we know.
    assert site.get("/", headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 200
    assert [post("127.0.0.1").status_code for _ in range(5)] == [303] * 5


def test_counts_go_to_redis_where_there_is_one():
    assert _storage("") == _storage("amqp://broker.example") == "memory://"
    assert _storage("redis://broker.example:6379/0?namespace=a&db=1") == "redis://broker.example:6379/0?db=1"


def test_a_form_asks_for_a_proof_only_under_load(make_site):
    site = make_site(trusted_proxies=("127.0.0.1",), signup_network_cap=4, signup_requests_per_minute=0)

    def asked(ip: str) -> Any:
        return site.get("/signup/challenge?form=landing", headers={"X-Forwarded-For": ip})

    quiet = asked("203.0.113.9")
    assert (quiet.status_code, quiet.data) == (204, b"")
    come(site, "anna@example.org", PROXIED)
    come(site, "ben@example.org", PROXIED)
    busy = asked("203.0.113.77")
    assert (busy.status_code, busy.headers["Cache-Control"]) == (200, "no-store")
    assert set(busy.json) == {"parameters", "signature"}
    assert busy.json["signature"] != asked("203.0.113.77").json["signature"]
    assert asked("198.51.100.9").status_code == 204
    before = site.dump()
    asked("203.0.113.77")
    assert site.dump() == before
    # The page is the same for everybody; its script asks.
    assert 'data-challenge="/signup/challenge"' in site.get("/").text


@pytest.mark.parametrize("form", ["", "\0", "x" * 5000, "%00", "\udc80".encode("utf-8", "surrogatepass")])
def test_a_strange_form_is_just_another_form(make_site, form):
    site = make_site(trusted_proxies=("127.0.0.1",))
    assert site.get("/signup/challenge", query_string={"form": form}, headers=PROXIED).status_code == 204


@pytest.mark.parametrize("proof", ["x", "x" * 5000, "e30=", "\0"])
def test_a_proof_that_proves_nothing_changes_nothing(make_site, proof):
    site = make_site()
    assert site.sign_up(altcha=proof).status_code == 303
    tick(site.services, site.clock.now)
    (row,) = site.rows(SignUp)
    assert (row.outcome, row.proof, row.proven) == ("confirmation", "", False)
