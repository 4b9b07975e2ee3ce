"""All addresses that are keys: each token opens its own page and no other, and no such page is kept, found or told."""

import re

import pytest

from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.tokens import BadToken
from leadmagnet.rendering.links import Links

#: What stands for a key in an address; a page whose key is in the query names it there.
KEYS = ("token", "leave_id")
QUERY = {"/v/<slug>": "/v/breathing-and-bracing?t={}", "/v/<slug>/ready": "/v/breathing-and-bracing/ready?t={}"}
#: The films' page is open to everybody, and reports of progress are answered with nothing: a token is only read there.
OPEN_TO_ALL = {"/v/<slug>"}


def routes(site, method):
    """Every address with a key in it that answers a method, as a pattern for a token."""
    found = {}
    for rule in site.app.url_map.iter_rules():
        if method in rule.methods and not rule.rule.startswith("/admin"):
            if set(rule.arguments) & set(KEYS):
                found[rule.rule] = re.sub(r"<(?:\w+:)?(?:token|leave_id)>", "{}", rule.rule)
            elif rule.rule in QUERY:
                found[rule.rule] = QUERY[rule.rule]
    return found


def tokens(site, person):
    """A valid token of each kind, with the route that it opens."""
    links: Links = site.services.links
    with_site = {
        "/confirm/<token>": links.confirm(person.id, site.clock.real),
        "/p/<token>": links.page(person.id),
        "/v/<slug>": links.video(person.id, "breathing-and-bracing"),
        "/done/<token>": links.done(person.id, site.step_id("breathing-and-bracing")),
        "/calendar/<token>.ics": links.calendar(person.id),
        "/u/<leave_id>": links.leave(person.leave_id),
    } | {f"/{opens.replace('_', '-')}/<token>": links.fresh(opens, 7, site.clock.real) for opens in Opens}
    return {route: re.split(r"[/=]", url.removesuffix(".ics"))[-1] for route, url in with_site.items()}


def own(route, other):
    """Whether a token's own kind of page is asked for: a video's token serves all addresses of the video."""
    return route == other or any(route.startswith(kind) and other.startswith(kind) for kind in ("/v/", "/p/"))


def test_there_is_a_token_of_every_kind(site):
    person = site.person(sent=1)
    assert set(tokens(site, person)) >= {route for route in routes(site, "GET") if route != "/c/<token>"}


def test_no_token_opens_another_page(site):
    person = site.person(sent=1)
    wrong = []
    before = site.dump()
    csrf = site.hidden("/")["csrf_token"]
    for kind, token in tokens(site, person).items():
        for method in ("GET", "POST"):
            for route, pattern in routes(site, method).items():
                if own(kind, route) or route in OPEN_TO_ALL:
                    continue
                data = {"csrf_token": csrf, "action": "pause", "felt": "easy", "part": "file", "email": "x@example.org"}
                options = {"data": data} if method == "POST" else {}
                answer = site.client.open(pattern.format(token), method=method, buffered=True, **options)
                if answer.status_code != 404:
                    wrong.append((kind, method, route, answer.status_code))
    assert wrong == []
    assert site.dump() == before


def test_a_video_s_page_takes_no_other_token_for_its_own(site):
    person = site.person(sent=1)
    for kind, token in tokens(site, person).items():
        page = site.get(f"/v/dead-bug?t={token}")
        assert page.status_code in ((200, 403) if kind == "/v/<slug>" else (403, 404)), kind


def test_every_token_survives_a_change_of_keys_and_none_a_foreign_key(make_site):
    old, new = "old-" + "k" * 40, "new-" + "k" * 40
    before = make_site(secret_key=(old,))
    person = before.person(sent=1)
    known = tokens(before, person)
    for keys, opens in (((new, old), True), ((new,), False)):
        after = make_site(secret_key=keys)
        for route, token in known.items():
            answer = after.get(routes(after, "GET")[route].format(token))
            if route == "/u/<leave_id>":
                # The way out hangs on no key.
                assert answer.status_code == 200
            elif route == "/v/<slug>":
                assert ("t=" + token in answer.text) is opens
            elif (name := route.split("/")[1].replace("-", "_")) in list(Opens):
                assert readable(after, Opens(name), token) is opens
            else:
                assert answer.status_code == (200 if opens else 404), route


def readable(site, opens, token):
    try:
        return site.services.links.read_fresh(opens, token)[0] == 7
    except BadToken:
        return False


def test_the_way_out_never_grows_old(site):
    person = site.person(sent=1)
    site.clock.move(days=3650)
    assert site.get(site.leave(person)).status_code == 200
    assert site.client.post(site.leave(person)).status_code == 200
    assert site.again(person).status == "unsubscribed"


@pytest.mark.parametrize("good", [True, False])
def test_no_page_with_a_key_is_kept_found_or_told(site, good):
    person = site.person(sent=1)
    known = tokens(site, person)
    csrf = site.hidden("/")["csrf_token"]
    for method in ("GET", "POST"):
        for route, pattern in routes(site, method).items():
            token = known.get(route, "x" * 43) if good else "x" * 43
            options = {"data": {"csrf_token": csrf}} if method == "POST" else {}
            headers = site.client.open(pattern.format(token), method=method, buffered=True, **options).headers
            assert headers["Cache-Control"] == "no-store", (method, route)
            assert headers["Referrer-Policy"] == "no-referrer", (method, route)
            assert headers["X-Robots-Tag"] == "noindex, nofollow", (method, route)


def test_robots_are_told_of_every_page_with_a_key(site):
    told = re.findall(r"^Disallow: (\S+)$", site.get("/robots.txt").text, re.MULTILINE)
    for pattern in routes(site, "GET").values():
        assert pattern.startswith(tuple(told)), pattern
