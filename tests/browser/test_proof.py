"""Under load the form's script does the proof of work unattended; without JavaScript the form is taken all the same."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import create_engine, text

from tests.abuse.flood import FILLING
from tests.abuse.served import Server, Visitor, serving

pytestmark = pytest.mark.browser
CROWDED = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with no worker, and a network from which two have just signed up: what waits counts."""
    folder = tmp_path_factory.mktemp("crowded")
    settings = {"SIGNUP_NETWORK_CAP": "4", "RUN_WORKER_IN_WEB": "false"}
    with serving(folder, f"sqlite:///{folder / 'crowded.db'}", **settings) as server:
        visitor = Visitor(server.port, CROWDED["X-Forwarded-For"])
        fields = visitor.form()
        time.sleep(FILLING)
        for name in ("one", "two"):
            assert visitor.ask("POST", "/signup", fields | {"email": f"{name}@example.org", "consent": "yes"})[0] == 303
        visitor.close()
        yield server


def fill_in(page: Page, server: Server, address: str) -> None:
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.fill("#email", address)
    page.check("#consent")
    page.wait_for_timeout(FILLING * 1000)
    page.click("#signup button")
    page.wait_for_url("**/signup/check-inbox")


def proof_of(server: Server, address: str) -> str:
    engine = create_engine(server.database_url)
    with engine.connect() as connection:
        asked = text("SELECT proof FROM sign_up WHERE email = :email")
        found = connection.execute(asked, {"email": address}).scalar_one()
    engine.dispose()
    return str(found)


@pytest.mark.parametrize(
    ("script", "headers", "works"), [(True, CROWDED, True), (True, {}, False), (False, CROWDED, False)]
)
def test_the_browser_works_where_it_is_asked_to_and_can(
    chromium: Browser, crowded: Server, script: bool, headers: dict[str, str], works: bool
) -> None:
    context = chromium.new_context(java_script_enabled=script, extra_http_headers=headers)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    address = f"anna{script:d}{len(headers)}@example.net"
    fill_in(page, crowded, address)
    context.close()
    assert bool(proof_of(crowded, address)) == works
    assert complaints == []
