"""Room on the screen: what stands where, how large a button is, and that nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

#: CSS pixels; WCAG 2.5.5, Target Size (Enhanced).
TARGET = 44


@pytest.fixture
def box() -> Callable[[Page, str], dict[str, float]]:
    """Where the first element of a kind stands."""

    def find(page: Page, selector: str) -> dict[str, float]:
        found = page.locator(selector).first.bounding_box()
        assert found is not None, selector
        return dict(found)

    return find


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figure_form_and_mat_share_one_screen(browse: Callable[..., Any], box: Any, scheme: str) -> None:
    page = browse(color_scheme=scheme).open("/")
    words, figure, mat = (box(page, kind) for kind in (".hero .aside", ".hero .fig", "hr.mat"))
    assert mat["y"] + mat["height"] <= 900
    assert figure["y"] - (words["y"] + words["height"]) < 100
    assert box(page, ".around")["y"] < 900, "the small print begins on the same screen"


def test_one_link_takes_no_second_row_on_a_phone(browse: Callable[..., Any], box: Any) -> None:
    page = browse("phone").open("/")
    brand, link = box(page, ".brand"), box(page, ".top nav a")
    assert abs(brand["y"] + brand["height"] / 2 - link["y"] - link["height"] / 2) < 4


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_small_print_keeps_away_from_the_foot(browse: Callable[..., Any], box: Any, size: str) -> None:
    page = browse(size).open("/articles/core")
    words, foot = box(page, ".around"), box(page, ".foot")
    assert foot["y"] - (words["y"] + words["height"]) >= 24


@pytest.mark.parametrize("width", [320, 360, 390, 448, 480, 768])
def test_a_day_is_large_enough_for_a_finger(browse: Callable[..., Any], addresses: dict[str, str], width: int) -> None:
    page = browse(viewport={"width": width, "height": 740}).open(addresses["page"])
    sizes = [day.bounding_box() for day in page.locator(".days label").all()]
    assert len(sizes) == 7
    assert all(size["width"] >= TARGET and size["height"] >= TARGET for size in sizes)


def test_the_lists_filters_leave_room_for_the_list(browse: Callable[..., Any], signed_in: Any, box: Any) -> None:
    page = browse("phone", storage_state=signed_in).open("/admin/subscribers")
    assert box(page, "tbody tr")["y"] < 740
    for selector in (".segs a", ".filters button", ".filters select"):
        assert box(page, selector)["height"] >= TARGET, selector


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_an_email_is_shown_whole(browse: Callable[..., Any], addresses: dict[str, str], size: str) -> None:
    """In its frame in the outbox, whatever it says; and without much empty ground below."""
    visit = browse(size)
    listed = visit.open("/outbox/").locator(".mails a").all()
    names = {link.inner_text(): link.get_attribute("href") for link in listed}
    assert len(names) > 5
    for subject, path in names.items():
        page = visit.open(str(path))
        page.wait_for_load_state("load")
        frame = page.locator("iframe.mail").bounding_box()
        alone = browse(viewport={"width": int(frame["width"]) - 2, "height": 300})
        whole = alone.open(re.sub(r"\?.*", "", str(path)) + "/html").evaluate("document.documentElement.scrollHeight")
        alone.context.close()
        assert whole <= frame["height"], subject
        assert frame["height"] < 1.6 * whole, subject
