"""Files for the browser: hashed addresses that live for ever, compression, range requests, right types."""

import base64
import hashlib
import re

import pytest


def test_addresses_carry_the_content_s_hash_and_then_live_for_ever(site):
    css = re.search(r'href="(/static/site\.css\?v=[0-9a-f]{12})"', site.get("/").text)[1]
    assert site.get(css).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in site.get("/static/site.css").headers["Cache-Control"]
    assert "immutable" not in site.get("/static/site.css?v=old").headers["Cache-Control"]


def test_text_is_compressed_for_those_who_take_it(site):
    packed = site.get("/static/site.css", headers={"Accept-Encoding": "gzip, br"})
    plain = site.get("/static/site.css")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert len(packed.data) < len(plain.data) / 2
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Content-Encoding" not in site.get("/static/site.css", headers={"Accept-Encoding": "gzip;q=0"}).headers


def test_what_the_browser_has_is_not_sent_again(site):
    tag = site.get("/static/site.css").headers["ETag"]
    assert site.get("/static/site.css", headers={"If-None-Match": tag}).status_code == 304


def test_films_are_sent_in_parts(site):
    part = site.get("/media/dead-bug.mp4", headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert len(part.data) == 100
    assert part.headers["Content-Range"].startswith("bytes 100-199/")
    assert part.mimetype == "video/mp4"
    assert site.get("/media/dead-bug.mp4", headers={"Range": "bytes=99999999-"}).status_code == 416


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,4-5",
        "bytes=0-0, -1",
        "bytes=abc",
        "bytes=",
        "bytes=-",
        "bytes=5-2",
        "bytes=1-2-3",
        "bytes 0-5",
        "items=0-5",
        "=",
        "x" * 5000,
    ],
)
def test_a_range_that_means_nothing_is_ignored(site, asked):
    """RFC 9110 14.2: the whole film, and no 416."""
    whole = site.get("/media/dead-bug.mp4")
    answer = site.get("/media/dead-bug.mp4", headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.data == whole.data


@pytest.mark.parametrize("asked", ["bytes=-99999999999", f"bytes=-{'9' * 5000}", "bytes=0-99999999999", "Bytes = 0-"])
def test_a_range_beyond_the_end_is_the_whole_film(site, asked):
    """RFC 9110 14.1.2."""
    whole = site.get("/media/dead-bug.mp4").data
    answer = site.get("/media/dead-bug.mp4", headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.data == whole
    assert answer.headers["Content-Range"] == f"bytes 0-{len(whole) - 1}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=-0", "bytes=99999999999-", f"bytes={'9' * 5000}-", "bytes=99999999-99999999"])
def test_a_range_behind_the_end_is_416(site, asked):
    assert site.get("/media/dead-bug.mp4", headers={"Range": asked}).status_code == 416


def test_the_end_of_a_film_is_sent(site):
    whole = site.get("/media/dead-bug.mp4").data
    answer = site.get("/media/dead-bug.mp4", headers={"Range": "bytes=-7"})
    assert (answer.status_code, answer.data) == (206, whole[-7:])


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/media/dead-bug.en.vtt", "text/vtt"),
        ("/media/posters/1.svg", "image/svg+xml"),
        ("/media/email/1.png", "image/png"),
        ("/static/video.js", "text/javascript"),
        ("/favicon.ico", "image/svg+xml"),
    ],
)
def test_types(site, path, kind):
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == kind


def test_drawings_run_nothing(site):
    policy = site.get("/media/posters/1.svg").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; base-uri 'none'; object-src 'none'; form-action 'none'; ")
    assert "unsafe" not in policy
    drawing = site.get("/media/posters/1.svg").data
    style = re.search(rb"<style>(.*?)</style>", drawing, re.DOTALL)
    assert style is not None
    known = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert policy.endswith(f"; style-src 'sha256-{known}'")


@pytest.mark.parametrize(
    "path",
    ["/media/../__init__.py", "/media/..%2f__init__.py", "/static/%5Cetc%5Cpasswd", "/media/films.json", "/media/"],
)
def test_nothing_else_is_served(site, path):
    assert site.get(path).status_code == 404
