"""What a visit costs: bytes of the landing page, and nothing asked of anybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LANDING_BYTES = 60_000


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_landing_page_is_light(browse: Callable[..., Any], size: str) -> None:
    """All bytes over the line, headers too, after scrolling past every picture; posters aside."""
    visit = browse(size)
    line = visit.context.new_cdp_session(visit.page)
    asked: dict[str, str] = {}
    weights: dict[str, float] = {}
    line.on("Network.requestWillBeSent", lambda event: asked.update({event["requestId"]: event["request"]["url"]}))
    line.on("Network.loadingFinished", lambda event: weights.update({event["requestId"]: event["encodedDataLength"]}))
    line.send("Network.enable")
    page = visit.open("/")
    for picture in (*page.get_by_role("main").locator("img").all(), page.get_by_role("contentinfo")):
        picture.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    listed = {asked[number]: weight for number, weight in weights.items()}
    counted = {url: weight for url, weight in listed.items() if not urlsplit(url).path.startswith("/media/posters/")}
    print("\n".join(f"{weight:8.0f} {urlsplit(url).path}" for url, weight in sorted(counted.items())))
    print(f"{sum(counted.values()):8.0f} {size}")
    assert visit.site.url + "/" in counted
    assert 0 < sum(counted.values()) < LANDING_BYTES
    visit.assert_at_ease()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_landing_page_is_whole_without_javascript(browse: Callable[..., Any], size: str) -> None:
    visit = browse(size, java_script_enabled=False)
    page = visit.open("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("textbox", name="First name")).to_be_editable()
    expect(page.get_by_role("textbox", name="Email")).to_be_editable()
    for box in ("consent", "news"):
        expect(page.locator(f"#{box}")).to_be_visible()
        expect(page.locator(f"#{box}")).not_to_be_checked()
    expect(page.get_by_role("button", name="Send me video 1")).to_be_enabled()
    # The answers fold in and out without a script.
    answers = page.locator("details")
    answers.last.locator("summary").click()
    expect(answers.last).to_have_attribute("open", "")
    visit.measure()
    visit.assert_at_ease()
