"""The real application behind gunicorn, a real Chromium, and a clinic that has been open for a month.

Nothing here replaces a part of the program: the month is lived by the engine itself with a clock in the past, before
the server starts. With SCREENSHOTS=FOLDER every page that is visited for the checks is kept there as a picture.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from config import Config
from leadmagnet import services as parts
from leadmagnet import store
from leadmagnet.store.subscribers import Subscriber

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


def load(name: str) -> Any:
    """A module beside this file. Test folders are no packages, so that none of them can hide another."""
    spec = importlib.util.spec_from_file_location(f"browser_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    # Known by its name before it runs, because dataclasses look their module up.
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


month = load("month")


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
        "REJECTS_DIR": str(folder / "rejects"),
        "SECRET_KEY": "browser-" + "s" * 40,
        "SUPPRESSION_KEY": "browser-" + "p" * 40,
        "RUN_WORKER_IN_WEB": "true",
    }
    said = run(environ, "flask", "--app", "wsgi", "prepare")
    password = re.search(r"password (\S+)", said)
    assert password, said
    services = parts.build(Config.from_env(environ))
    site = Site(url, folder, environ, services, password[1])
    month.live_a_month(services)
    try:
        with served(site, door):
            yield site
    finally:
        services.mailer.close()
        services.engine.dispose()


@pytest.fixture(scope="session")
def addresses(site: Site) -> dict[str, str]:
    """Paths that belong to the people of the month, to be filled into others."""
    return dict(month.addresses_of(site.services))


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
