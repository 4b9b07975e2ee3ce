"""The real application behind gunicorn, a real Chromium, and a clinic that has been open for a month.

Nothing here replaces a part of the program: the month is lived by the engine itself with a clock in the past, before
the server starts. With SCREENSHOTS=FOLDER every page that is visited for the checks is kept there as a picture.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from config import Config
from leadmagnet import services as parts
from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.steering import pause
from leadmagnet.feedback.watching import acknowledge, watched
from leadmagnet.signup.addresses import parse_address
from leadmagnet.signup.confirm import Origin, confirm
from leadmagnet.signup.receive import Request, receive
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick

ROOT = Path(__file__).parents[2]
ZONE = "America/Vancouver"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 740}}
FLAGS = """
--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update
--disable-sync
""".split()
REQUIRE_ALL = os.environ.get("CI", "").lower() in ("1", "true") or os.environ.get("REQUIRE_ALL") == "1"


def missing(what: str) -> None:
    """Skip with one line where something is not on this machine; where everything is required, fail."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is required here and was not found")
    pytest.skip(f"{what} was not found")


@pytest.fixture(scope="session")
def require() -> Callable[[str], None]:
    """Skip, or fail, for want of something. A fixture, because test files can't import this one."""
    return missing


@dataclass
class Past:
    """A clock in the past, moved by hand."""

    at: datetime

    def now(self) -> Now:
        return Now(self.at, self.at)


@dataclass
class Site:
    """The running server, and the same database and keys for looking things up."""

    url: str
    folder: Path
    environ: dict[str, str]
    services: parts.Services
    password: str = ""

    def here(self, url: str) -> str:
        return url.removeprefix(self.url)

    def person(self, address: str) -> Subscriber | None:
        with store.reading(self.services.engine) as session:
            return store.subscribers.by_canonical(session, address)

    def watched(self, address: str) -> dict[str, int]:
        with store.reading(self.services.engine) as session:
            person = store.subscribers.by_canonical(session, address)
            rows = store.watching.of_subscriber(session, person.id) if person else []
            return {row.step_slug: row.percent for row in rows}

    def check_ins(self, address: str) -> list[tuple[str, str]]:
        with store.reading(self.services.engine) as session:
            person = store.subscribers.by_canonical(session, address)
            rows = store.check_ins.of_subscriber(session, person.id) if person else []
            return [(row.step_slug, row.felt) for row in rows]

    def due(self, address: str) -> list[str]:
        with store.reading(self.services.engine) as session:
            person = store.subscribers.by_canonical(session, address)
            return [row.kind for row in store.deliveries.due_of(session, person.id)] if person else []


def run(environ: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def served(site: Site, door: socket.socket) -> Iterator[None]:
    """Gunicorn on a socket that listens already, so that no port is guessed and nobody has to wait for a start."""
    log = site.folder / "server.log"
    command = f"-m gunicorn --bind fd://{door.fileno()} --worker-class gthread --threads 8 --log-level warning wsgi:app"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=ROOT,
            env=site.environ,
            stdout=file,
            stderr=file,
            pass_fds=[door.fileno()],
        )
    door.close()
    try:
        yield
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def site(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The server, with a month behind it."""
    folder = tmp_path_factory.mktemp("site")
    door = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "PUBLIC_URL": url,
        "DATABASE_URL": f"sqlite:///{folder / 'site.db'}",
        "OUTBOX_DIR": str(folder / "outbox"),
        "SECRET_KEY": "browser-" + "s" * 40,
        "SUPPRESSION_KEY": "browser-" + "p" * 40,
        "RUN_WORKER_IN_WEB": "true",
    }
    said = run(environ, "flask", "--app", "wsgi", "prepare")
    password = re.search(r"password (\S+)", said)
    assert password, said
    services = parts.build(Config.from_env(environ))
    site = Site(url, folder, environ, services, password[1])
    live_a_month(services)
    try:
        with served(site, door):
            yield site
    finally:
        services.mailer.close()
        services.engine.dispose()


# -- A month with the real engine ------------------------------------------------------------------------------------


@dataclass
class Life:
    """Somebody's month: when they sign up and confirm, and what they do afterwards, by days before today."""

    name: str
    since: int
    confirms: bool = True
    does: dict[int, Callable[[Any, Subscriber, Now], Any]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@example.org"


def exercises(slug: str, felt: Felt = Felt.RIGHT) -> Callable[[Any, Subscriber, Now], None]:
    def act(session: Any, person: Subscriber, now: Now) -> None:
        acknowledge(session, person, now.course)
        watched(session, person, slug, 95, now.course)
        check_in(session, person, slug, felt, now.course)

    return act


LIVES = [
    Life(
        "Anna",
        14,
        does={
            13: exercises("breathing-and-bracing"),
            10: exercises("dead-bug"),
            9: exercises("dead-bug", Felt.HARD),
            7: exercises("glute-bridge"),
            4: exercises("bird-dog", Felt.EASY),
            1: exercises("side-plank"),
        },
    ),
    Life("Ben", 1),
    Life("Cleo", 1, confirms=False),
    Life("Dana", 8, does={4: exercises("dead-bug", Felt.HURT)}),
    Life("Emil", 9, does={3: lambda session, person, now: leave(session, person, now, "unsubscribe page")}),
    Life("Fay", 9, does={2: lambda session, person, now: pause(session, person, now.course, None)}),
    Life(
        "Gustav",
        28,
        does={27: exercises("breathing-and-bracing"), 24: exercises("dead-bug")}
        | {day: exercises("front-plank") for day in (12, 9, 6, 3)},
    ),
    Life("Maximiliana Wolfeschlegelsteinhausen", 5),
    Life("", 6),
]


def live_a_month(services: parts.Services) -> None:
    """Let everybody's month pass, in steps of three hours, up to this moment."""
    end = datetime.now(UTC)
    clock = Past(end - timedelta(days=max(life.since for life in LIVES)))
    world = replace(services, clock=clock)
    for hours in range(24 * (end - clock.at).days, 0, -3):
        clock.at = end - timedelta(hours=hours)
        if hours % 24 == 0:
            live_a_day(world, hours // 24, clock.now())
        tick(world, clock.now)


def live_a_day(world: parts.Services, before: int, now: Now) -> None:
    for life in LIVES:
        if life.since == before:
            sign_up(world, life, now)
        if act := life.does.get(before):
            with store.writing(world.engine) as session:
                person = store.subscribers.by_canonical(session, parse_address(life.address).canonical)
                assert person is not None
                act(session, person, now)


def sign_up(world: parts.Services, life: Life, now: Now) -> None:
    address = parse_address(life.address if life.name else "somebody.without.a.name.but.a.long.address@example.org")
    with store.writing(world.engine) as session:
        receive(session, Request(address, life.name[:40], ZONE, "landing", "Yes, email me.", "en", page="/"), now)
    tick(world, lambda: now)
    if life.confirms:
        with store.writing(world.engine) as session:
            person = store.subscribers.by_canonical(session, address.canonical)
            assert person is not None
            confirm(session, person.id, now.real, now, Origin("127.0.0.1", "browser"))
        tick(world, lambda: now)


@pytest.fixture(scope="session")
def addresses(site: Site) -> dict[str, str]:
    """Addresses that belong to the people of the month, to be filled into paths."""
    links, found = site.services.links, {life.name: site.person(life.address) for life in LIVES if life.name}
    with store.reading(site.services.engine) as session:
        sequence = store.sequences.by_slug(session, "six-core-videos")
        assert sequence is not None
        steps = {step.slug: step.id for step in store.sequences.steps_of(session, sequence.id)}
    person = {name: subscriber for name, subscriber in found.items() if subscriber is not None}
    newest = max((site.folder / "outbox" / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    named = {
        "confirm": links.confirm(person["Cleo"].id, datetime.now(UTC)),
        "confirmed": links.confirm(person["Anna"].id, datetime.now(UTC)),
        "ask_first": links.video(person["Ben"].id, "breathing-and-bracing"),
        "not_yet": links.video(person["Ben"].id, "front-plank"),
        "video": links.video(person["Anna"].id, "side-plank"),
        "done": links.done(person["Anna"].id, steps["side-plank"]),
        "done_hurt": links.done(person["Dana"].id, steps["dead-bug"]),
        "page": links.page(person["Anna"].id),
        "page_new": links.page(person["Ben"].id),
        "page_paused": links.page(person["Fay"].id),
        "page_hurt": links.page(person["Dana"].id),
        "page_finished": links.page(person["Gustav"].id),
        "page_left": links.page(person["Emil"].id),
        "page_long": links.page(person["Maximiliana Wolfeschlegelsteinhausen"].id),
        "leave": links.leave(person["Anna"].leave_id),
        "left": links.leave(person["Emil"].leave_id),
    }
    return {name: site.here(url) for name, url in named.items()} | {
        "mail": newest.name,
        "step": str(steps["dead-bug"]),
        **{name.split()[0].lower(): str(subscriber.id) for name, subscriber in person.items()},
    }


# -- The browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = shutil.which("chromium")
    if path is None:
        missing("Chromium")
    return str(path)


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for a file of tests: its event loop must not outlive them, other tests may want their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A browser window that keeps account of what its pages ask for and complain about."""

    site: Site
    context: BrowserContext
    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    #: Paths whose answer is an error on purpose; the browser says so on the console.
    refused: set[str] = field(default_factory=set)

    def listen(self) -> None:
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.complaints.append(f"{self.page.url}: {error.error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        asked = urlsplit(message.location["url"]).path
        on_purpose = asked in self.refused and message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not on_purpose:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def open(self, path: str, status: int = 200) -> Page:
        if status >= 400:
            self.refused.add(urlsplit(path).path)
        answer = self.page.goto(self.site.url + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    @property
    def strangers(self) -> list[str]:
        """What was asked of any other host."""
        own = urlsplit(self.site.url).netloc
        return [url for url in self.requests if urlsplit(url).scheme != "data" and urlsplit(url).netloc != own]

    def measure(self) -> None:
        """Complain where something has to be scrolled sideways."""
        width, room = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if width > room:
            self.complaints.append(f"{self.page.url}: {width} px wide in a window of {room}")

    def assert_at_ease(self) -> None:
        """Nothing asked of strangers, nothing too wide, no error on the console (a CSP violation is one)."""
        assert self.strangers == []
        assert self.complaints == []


@pytest.fixture(scope="module")
def browse(site: Site, chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """A maker of browser windows: `size` is desktop or phone; other settings as Playwright names them."""
    with ExitStack() as opened:

        def make(size: str = "desktop", **settings: Any) -> Visit:
            shown = {"viewport": SIZES[size], "timezone_id": ZONE, "locale": "en-CA", "reduced_motion": "reduce"}
            context = chromium.new_context(**(shown | settings))
            opened.callback(context.close)
            context.set_default_timeout(15_000)
            visit = Visit(site, context, context.new_page())
            visit.listen()
            return visit

        yield make


@pytest.fixture(scope="module")
def signed_in(site: Site, browse: Callable[..., Visit]) -> Any:
    """The cookies of the marketer who signed in with the password that `prepare` printed."""
    visit = browse()
    page = visit.open("/admin/")
    page.get_by_label("Email").fill("owner@clinic.example")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(site.url + "/admin/")
    visit.assert_at_ease()
    return visit.context.storage_state()


@pytest.fixture(scope="session")
def screenshot() -> Callable[[Page, str], None]:
    """Keep a picture of the whole page, where SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS", "")

    def take(page: Page, name: str) -> None:
        if folder:
            # Pictures that load late, load; then back to the top.
            late = page.locator("img[loading=lazy]:visible").all()
            for picture in late:
                picture.scroll_into_view_if_needed()
            if late:
                page.wait_for_load_state("networkidle")
                page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, animations="disabled")

    return take
