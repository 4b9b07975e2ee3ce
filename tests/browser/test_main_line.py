"""A visitor's whole way in a real browser: from the landing page to the last button, with and without JavaScript."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

FIRST = "breathing-and-bracing"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def appears(page: Page, wanted: Locator) -> None:
    """Load the page again until the worker has done its part."""
    until = time.monotonic() + 20
    while not wanted.count():
        assert time.monotonic() < until, f"{page.url}: never appeared"
        page.reload()


def sign_up(visit: Any, address: str) -> None:
    page = visit.open("/")
    visit.measure()
    # Letter by letter, because a form that comes back at once is taken for a machine's.
    page.get_by_role("textbox", name="First name").press_sequentially("Anna", delay=60)
    page.get_by_role("textbox", name="Email").press_sequentially(address, delay=60)
    page.locator("#consent").check()
    press(page, "Send me video 1")
    expect(page).to_have_url(re.compile("/signup/check-inbox$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("inbox")
    visit.measure()


def read_mail(visit: Any, address: str, subject: str) -> None:
    """Open an email of the outbox by its subject."""
    page = visit.open("/outbox/")
    mine = page.get_by_role("listitem").filter(has_text=address).filter(has_text=subject)
    appears(page, mine)
    visit.measure()
    mine.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(subject)
    visit.measure()


def follow(page: Page, words: str) -> None:
    """Press a button of the email, inside its sandboxed frame; it leads the whole window on."""
    # Until the frame's pictures are there, the button still moves, and a click may fall beside it.
    page.wait_for_load_state("load")
    page.frame_locator("iframe").get_by_role("link", name=words, exact=True).click()
    page.wait_for_url(lambda url: "/outbox/" not in url)


def confirm(visit: Any, address: str) -> None:
    read_mail(visit, address, "Please confirm your address")
    follow(visit.page, "Yes, send me video 1")
    page = visit.page
    expect(page).to_have_url(re.compile("/confirm/"))
    assert visit.site.person(address).status == "pending", "a link alone must not confirm"
    visit.measure()
    press(page, "Yes, send me video 1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("You’re in, Anna")
    # The path says on which date each of the other five videos comes.
    dates = page.get_by_text(re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} [A-Z][a-z]{2}$"))
    expect(dates).to_have_count(5)
    assert visit.site.person(address).status == "active"
    visit.measure()


def watch(visit: Any, *, javascript: bool) -> None:
    """From the thanks page past 'ask first' to the player."""
    page = visit.page
    page.get_by_role("link", name="Watch video 1").click()
    expect(page.locator("#ask")).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    visit.measure()
    press(page, "None of these, start")
    expect(page.locator("video")).to_be_visible()
    visit.measure()
    if javascript:
        play(page)


#: Answered in the page, because the pages' policy forbids what Playwright's own waiting function does.
PLAYED = (
    """film => new Promise(done => film.addEventListener("timeupdate", () => film.currentTime > 1.2 && done(true)))"""
)
CUES = """async film => {
    const captions = film.querySelector("track");
    if (captions.readyState < 2) await new Promise(done => captions.addEventListener("load", done));
    return captions.track.cues.length;
}"""


def play(page: Page) -> None:
    film = page.locator("video")
    film.focus()
    film.press("Space")
    assert film.evaluate(PLAYED)
    assert film.evaluate("film => film.videoWidth") == 1280
    assert film.evaluate(CUES) > 3
    assert film.evaluate("film => film.textTracks[0].mode") == "showing"
    with page.expect_response(re.compile("/progress$")) as told:
        film.evaluate("film => { film.playbackRate = 8 }")
    assert told.value.status == 204
    film.evaluate("film => film.pause()")


def say_done(visit: Any) -> None:
    page = visit.page
    page.get_by_text("Just right", exact=True).click()
    press(page, "I did it")
    expect(page.get_by_role("heading", level=1)).to_have_text("Done for today")
    visit.measure()


def steer(visit: Any, address: str) -> None:
    """The own page: other days, a break, and back."""
    page, site = visit.page, visit.site
    page.get_by_role("link", name="Open my page").click()
    expect(page).to_have_url(re.compile("/p/"))
    visit.measure()
    for day, wanted in (("Monday", False), ("Tuesday", True), ("Thursday", True), ("Wednesday", False)):
        box = page.get_by_role("checkbox", name=day)
        if box.is_checked() != wanted:
            page.locator("label").filter(has=box).click()
    page.get_by_label("Email me around").select_option("7")
    page.get_by_role("form", name="Days and hour").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    person = site.person(address)
    assert (person.exercise_days, person.chosen_hour) == ("134", 7)
    page.get_by_label("Two weeks").check()
    press(page, "Pause")
    expect(page.get_by_role("status")).to_contain_text("Paused")
    assert site.person(address).paused_at is not None
    visit.measure()
    press(page, "Go on now")
    expect(page.get_by_role("status")).to_contain_text("Welcome back")
    assert site.person(address).paused_at is None


def stop(visit: Any, address: str) -> None:
    """The unsubscribe link of the email with video 1."""
    read_mail(visit, address, "Video 1")
    follow(visit.page, "Stop all emails")
    page = visit.page
    expect(page).to_have_url(re.compile("/u/"))
    assert visit.site.person(address).status == "active", "a link alone must not unsubscribe"
    visit.measure()
    press(page, "Stop all emails")
    expect(page.get_by_role("heading", level=1)).to_have_text("The emails have stopped")
    visit.measure()


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_from_the_landing_page_to_the_last_button(
    browse: Callable[..., Any], site: Any, screenshot: Callable[..., None], size: str, javascript: bool
) -> None:
    visit = browse(size, java_script_enabled=javascript)
    address = f"anna.{size}.{'with' if javascript else 'without'}@example.org"
    sign_up(visit, address)
    confirm(visit, address)
    screenshot(visit.page, f"fresh-thanks-{size}-light")
    person = site.person(address)
    assert person.timezone == "America/Vancouver"
    watch(visit, javascript=javascript)
    assert site.person(address).asked_first_at is not None
    if javascript:
        assert site.watched(address)[FIRST] >= 25
    say_done(visit)
    screenshot(visit.page, f"fresh-did-it-{size}-light")
    assert site.check_ins(address) == [(FIRST, "right")]
    steer(visit, address)
    stop(visit, address)
    assert site.person(address).status == "unsubscribed"
    assert site.due(address) == []
    visit.assert_at_ease()
