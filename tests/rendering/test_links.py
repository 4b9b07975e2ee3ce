from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from leadmagnet.domain.tokens import BadToken
from leadmagnet.rendering.links import Links

ISSUED = datetime(2026, 11, 18, 17, 0, 5, tzinfo=UTC)
HOST = "https://videos.clinic.example"


def token(url: str) -> str:
    """Return the token of any of our addresses."""
    return url.partition("?t=")[2] or url.partition("?")[0].rpartition("/")[2].removesuffix(".ics")


def test_the_paths_are_those_of_the_contract(links: Links) -> None:
    assert links.confirm(7, ISSUED).startswith(f"{HOST}/confirm/")
    assert links.page(7).startswith(f"{HOST}/p/")
    assert links.video(7, "bird-dog").startswith(f"{HOST}/v/bird-dog?t=")
    assert links.done(7, 4).startswith(f"{HOST}/done/")
    assert links.done(7, 4, felt="hurt") == f"{links.done(7, 4)}?felt=hurt"
    assert links.leave("abc_-1") == f"{HOST}/u/abc_-1"
    assert links.calendar(7).startswith(f"{HOST}/calendar/")
    assert links.calendar(7).endswith(".ics")
    assert links.media("media/email/4.png") == links.media("email/4.png") == f"{HOST}/media/email/4.png"


def test_a_slash_at_the_end_of_the_base_makes_no_difference(links: Links) -> None:
    assert Links(f"{HOST}/", links.keys).page(7) == links.page(7)


def test_tokens_are_read_back(links: Links) -> None:
    assert links.read_confirm(token(links.confirm(7, ISSUED))) == (7, ISSUED)
    assert links.read_page(token(links.page(7))) == 7
    assert links.read_video(token(links.video(7, "bird-dog"))) == 7
    assert links.read_done(token(links.done(7, 4, felt="hurt"))) == (7, 4)
    assert links.read_calendar(token(links.calendar(7))) == 7


def readers(links: Links) -> dict[str, Callable[[str], object]]:
    return {
        "confirm": links.read_confirm,
        "page": links.read_page,
        "video": links.read_video,
        "done": links.read_done,
        "calendar": links.read_calendar,
    }


@pytest.mark.parametrize("made_for", ["confirm", "page", "video", "done", "calendar"])
@pytest.mark.parametrize("read_as", ["confirm", "page", "video", "done", "calendar"])
def test_a_token_opens_one_kind_of_page_only(links: Links, made_for: str, read_as: str) -> None:
    made = {
        "confirm": links.confirm(7, ISSUED),
        "page": links.page(7),
        "video": links.video(7, "bird-dog"),
        "done": links.done(7, 4),
        "calendar": links.calendar(7),
    }
    if made_for != read_as:
        with pytest.raises(BadToken):
            readers(links)[read_as](token(made[made_for]))


def test_keys_rotate(links: Links) -> None:
    before = Links(HOST, (b"old key",))
    assert links.read_page(token(before.page(7))) == 7
    with pytest.raises(BadToken):
        before.read_page(token(links.page(7)))


@pytest.mark.parametrize("bad", ["", "abc", "ä", "A" * 5000])
def test_a_cut_or_invented_token_is_refused(links: Links, bad: str) -> None:
    for read in readers(links).values():
        with pytest.raises(BadToken):
            read(bad)


def test_a_slug_stays_inside_its_path_segment(links: Links) -> None:
    assert "/v/a%2F..%2Fb%3Fx?t=" in links.video(7, "a/../b?x")
