"""What the own page offers without JavaScript, and the copy of one's data on the screen and on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_pace_and_a_break_until_a_date_need_no_javascript(
    browse: Callable[..., Any], addresses: dict[str, str]
) -> None:
    visit = browse("phone", java_script_enabled=False)
    page = visit.open(addresses["page_long"])
    page.get_by_label("Slower").check()
    page.get_by_role("button", name="Save the pace").click()
    expect(page.get_by_role("status")).to_contain_text("follows your new pace")
    last = page.locator("#snooze_until").get_attribute("max") or ""
    page.locator("#snooze_until").fill(last)
    page.get_by_role("button", name="No reminders until then").click()
    expect(page.get_by_text("Reminders rest until")).to_be_visible()
    page.locator("#pause_until").fill(last)
    page.get_by_role("button", name="Pause until then").click()
    expect(page.get_by_role("status")).to_contain_text("Paused.")
    page.get_by_role("button", name="Go on now").click()
    visit.assert_at_ease()


def test_the_copy_reads_on_a_phone_and_on_paper(
    browse: Callable[..., Any], addresses: dict[str, str], screenshot: Callable[[Page, str], None]
) -> None:
    visit = browse("phone", java_script_enabled=False)
    page = visit.open(addresses["fresh_data"])
    page.get_by_role("button", name="Show it here").click()
    expect(page.get_by_role("heading", name="Emails", exact=True)).to_be_visible()
    visit.measure()
    screenshot(page, "my-data-shown-phone-light")
    page.emulate_media(media="print")
    expect(page.get_by_text("What you agreed to")).to_be_visible()
    screenshot(page, "my-data-print")
    visit.assert_at_ease()
