"""Every page, light and dark, wide and narrow: accessible by axe, no wider than the window, quiet on the console.

And what axe cannot see: the keyboard reaches everything, shows where it is, and errors are announced.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

AXE = "axe-core@4.14.1"
BUILD = Path(__file__).parents[2] / "build" / "axe"
#: Names and paths; what stands in braces is filled in from the `addresses` of the month's people.
PAGES = {
    "landing": "/",
    "article": "/articles/core",
    "check-inbox": "/signup/check-inbox",
    "privacy": "/privacy",
    "confirm": "{confirm}",
    "thanks": "{confirmed}",
    "ask-first": "{ask_first}",
    "ask-first-public": "/v/breathing-and-bracing",
    "video": "{video}",
    "video-public": "/v/breathing-and-bracing?ready=1",
    "not-yet": "{not_yet}",
    "done": "{done}",
    "did-it": "{done}?saved=right",
    "hurt": "{done_hurt}?saved=hurt",
    "hurt-noted": "{done_hurt}?saved=note",
    "my-page": "{page}",
    "my-page-new": "{page_new}",
    "my-page-paused": "{page_paused}",
    "my-page-hurt": "{page_hurt}",
    "my-page-finished": "{page_finished}",
    "my-page-left": "{page_left}",
    "my-page-long-name": "{page_long}?saved=no_days",
    "my-data": "{fresh_data}",
    "address": "{fresh_address}",
    "unsubscribe": "{leave}",
    "unsubscribed": "{left}",
    "outbox": "/outbox/",
    "outbox-mail": "/outbox/{mail}",
    "outbox-text": "/outbox/{mail}?as=text",
    "outbox-headers": "/outbox/{mail}?as=headers",
    "outbox-source": "/outbox/{mail}?as=source",
    "email-alone": "/outbox/{mail}/html",
    "error-403": "/v/front-plank",
    "error-404": "/nothing-here",
    "error-405": "/v/dead-bug/ready",
    "error-old-link": "/p/cut-in-two",
    "admin-login": "/admin/login",
}
DESK = {
    "admin-home": "/admin/",
    "admin-home-year": "/admin/?days=365",
    "admin-subscribers": "/admin/subscribers",
    "admin-subscribers-none": "/admin/subscribers?q=nobody-has-this-name",
    "admin-subscriber": "/admin/subscribers/{anna}",
    "admin-subscriber-hurt": "/admin/subscribers/{dana}",
    "admin-subscriber-waiting": "/admin/subscribers/{cleo}",
    "admin-subscriber-left": "/admin/subscribers/{emil}",
    "admin-subscriber-long-name": "/admin/subscribers/{maximiliana}",
    "admin-stop": "/admin/subscribers/{anna}/stop",
    "admin-way-back": "/admin/subscribers/{anna}/way-back",
    "admin-erase": "/admin/subscribers/{anna}/erase",
    "admin-sequence": "/admin/sequence",
    "admin-email": "/admin/sequence/{step}",
    "admin-calendar": "/admin/sequence/calendar",
    "admin-error-404": "/admin/subscribers/999999",
}
STATUS = {"error-403": 403, "error-404": 404, "error-405": 405, "error-old-link": 404, "admin-error-404": 404}
LOOKS = [("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")]
SHOWN_RULES = ("serious", "critical")


@pytest.fixture(scope="session")
def axe(require: Callable[[str], None]) -> str:
    """The text of axe-core, fetched once into build/."""
    file = BUILD / "node_modules" / "axe-core" / "axe.min.js"
    manifest = file.with_name("package.json")
    version = json.loads(manifest.read_text())["version"] if manifest.exists() else ""
    if version != AXE.rpartition("@")[2]:
        npm = shutil.which("npm")
        if npm is None:
            require("npm")
        BUILD.mkdir(parents=True, exist_ok=True)
        command = [str(npm), "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix"]
        done = subprocess.run([*command, str(BUILD), AXE], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            require(f"{AXE} (npm: {done.stderr.strip().splitlines()[-1:]})")
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def windows(browse: Callable[..., Any], signed_in: Any) -> Callable[[str, str, bool], Any]:
    """One window for each look, for a visitor and for the marketer. axe is put into the page past the pages' policy."""
    made: dict[tuple[str, str, bool], Any] = {}

    def window(size: str, scheme: str, inside: bool) -> Any:
        if (size, scheme, inside) not in made:
            state = {"storage_state": signed_in} if inside else {}
            made[size, scheme, inside] = browse(size, color_scheme=scheme, bypass_csp=True, **state)
        return made[size, scheme, inside]

    return window


def faults(page: Page, axe: str) -> list[str]:
    """What axe finds, one line each, the serious ones first."""
    page.add_script_tag(content=axe)
    found = page.evaluate("axe.run(document, { iframes: false, resultTypes: ['violations'] }).then(r => r.violations)")
    ranked = sorted(found, key=lambda rule: rule["impact"] not in SHOWN_RULES)
    return [
        f"{rule['impact']}: {rule['id']}: {rule['help']}: "
        + "; ".join(" ".join(map(str, node["target"])) for node in rule["nodes"][:5])
        for rule in ranked
    ]


@pytest.mark.parametrize("name", [*PAGES, *DESK])
@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=lambda word: word)
def test_every_page_in_every_look(
    windows: Callable[..., Any],
    addresses: dict[str, str],
    axe: str,
    screenshot: Callable[..., None],
    name: str,
    size: str,
    scheme: str,
) -> None:
    visit = windows(size, scheme, name in DESK)
    visit.complaints.clear()
    visit.requests.clear()
    page = visit.open((PAGES | DESK)[name].format(**addresses), STATUS.get(name, 200))
    screenshot(page, f"{name}-{size}-{scheme}")
    visit.measure()
    found = faults(page, axe)
    print("\n".join(found))
    assert [line for line in found if line.startswith(SHOWN_RULES)] == []
    visit.assert_at_ease()


# -- The keyboard ----------------------------------------------------------------------------------------------------

#: The focused element, or what stands for it on the screen (a hidden radio button's label), and whether it has a ring.
FOCUSED = """() => {
    const it = document.activeElement;
    const stand = [it, it.closest("label"), it.nextElementSibling, it.parentElement].filter(Boolean);
    const ring = stand.some(each => {
        const style = getComputedStyle(each), box = each.getBoundingClientRect();
        const seen = style.opacity !== "0" && style.clipPath === "none" && box.width >= 12 && box.height >= 12;
        return seen && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    return { name: it.id || it.name || it.textContent.trim() || it.tagName, ring };
}"""


def tab_through(page: Page, last: str, most: int = 60) -> list[str]:
    """Press Tab until `last` has the focus; every stop on the way must be seen."""
    stops: list[str] = []
    while last not in stops:
        assert len(stops) < most, stops
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        assert stop["ring"], f"no visible focus on “{stop['name']}” of {page.url}"
        stops.append(stop["name"])
    return stops


def in_order(wanted: list[str], stops: list[str]) -> bool:
    rest = iter(stops)
    return all(name in rest for name in wanted)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/", ["Skip to the content", "first_name", "email", "consent", "Send me video 1"]),
        ("{confirm}", ["Skip to the content", "Yes, send me video 1"]),
        ("{ask_first}", ["Skip to the content", "None of these, start"]),
        ("{done}", ["Skip to the content", "felt-easy", "I did it"]),
        (
            "{page}",
            [
                "Skip to the content",
                "day",
                "hour",
                "Save",
                "pace",
                "snooze_until",
                "pause",
                "pause_until",
                "What we keep, and why",
                "action",
                "Stop all emails",
            ],
        ),
        ("{leave}", ["Skip to the content", "Stop all emails"]),
        ("/admin/login", ["password", "Sign in"]),
    ],
)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    browse: Callable[..., Any], addresses: dict[str, str], path: str, fields: list[str]
) -> None:
    page = browse().open(path.format(**addresses))
    assert in_order(fields, tab_through(page, fields[-1]))


def test_the_skip_link_leads_past_the_head(browse: Callable[..., Any]) -> None:
    page = browse().open("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_a_bad_form_names_what_is_to_be_mended(
    browse: Callable[..., Any], axe: str, screenshot: Callable[..., None], javascript: bool
) -> None:
    visit = browse("phone", bypass_csp=True, java_script_enabled=javascript)
    page = visit.open("/")
    visit.refused.add("/signup")
    page.get_by_role("textbox", name="Email").fill("anna at example")
    page.get_by_role("button", name="Send me video 1").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    visit.measure()
    screenshot(page, f"landing-errors-{'with' if javascript else 'without'}-javascript-phone-light")
    assert page.get_by_role("textbox", name="Email").get_attribute("aria-invalid") == "true"
    if javascript:
        assert [line for line in faults(page, axe) if line.startswith(SHOWN_RULES)] == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Email")).to_be_focused()
    visit.assert_at_ease()
