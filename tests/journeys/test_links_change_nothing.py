"""Link scanners follow every link of every email. However often they do, nothing in the database changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, MetaData, select

from leadmagnet import create_app, store
from leadmagnet.content import MESSAGES
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.feedback.address import NewAddress, propose
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.feedback.fresh_links import Found, State, ask
from leadmagnet.feedback.leaving import leave
from leadmagnet.store.fresh_links import FreshLink
from leadmagnet.store.subscribers import Subscriber

_HREF = re.compile(r'(?:href|src|action)="([^"]+)"')
_BARE = re.compile(r"https?://[^\s<>\"]+")
#: What a link may start besides one of our pages: nothing that we would hear of.
_ELSEWHERE = ("tel:", "mailto:", "#")
SCANNER = {"User-Agent": "Mozilla/5.0 (compatible; a scanner of a mailbox provider)"}


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that the database has."""
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        return {name: sorted(map(tuple, connection.execute(select(it))), key=repr) for name, it in found.tables.items()}


def links_of(mail: EmailMessage) -> set[str]:
    """Every address in an email: HTML, text, and the headers that mail programs act on."""
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    found = {unescape(link) for link in _HREF.findall(html.get_content())} | set(_BARE.findall(text.get_content()))
    for name in ("List-Unsubscribe", "List-Help", "List-Subscribe", "List-Archive"):
        found |= {link.strip("<> ") for link in str(mail.get(name, "")).split(",") if link.strip()}
    return found


@dataclass
class Scanner:
    """A mailbox provider that opens all links of all emails."""

    app: Flask
    world: Any
    read: int = 0
    links: set[str] = field(default_factory=set)
    answers: dict[str, int] = field(default_factory=dict)

    def scan(self) -> None:
        """Follow the links of the emails that came since the last time."""
        mails = self.world.outbox()
        fresh = set().union(*(links_of(mail) for mail in mails[self.read :]))
        self.read = len(mails)
        self.links |= fresh
        self.follow(fresh)

    def follow(self, links: set[str]) -> None:
        base, engine = self.world.services.config.public_url, self.world.services.engine
        ours = sorted(link for link in links if link.startswith(f"{base}/"))
        assert all(link.startswith((f"{base}/", *_ELSEWHERE)) for link in links), links
        before = everything(engine)
        for link in ours:
            for method in ("get", "head", "get"):
                # A new visitor each time: scanners keep no cookies.
                answer = self.app.test_client().open(
                    link.removeprefix(base), method=method.upper(), headers=SCANNER, buffered=True
                )
                assert answer.status_code < 400, f"{link}: {answer.status_code}"
                self.answers[link] = answer.status_code
        assert everything(engine) == before


@pytest.fixture
def scanner(world: Any) -> Iterator[Scanner]:
    """The application on the world's own database and clock."""
    app = create_app(world.services.config)
    spare, app.extensions["leadmagnet"] = app.extensions["leadmagnet"], world.services
    spare.mailer.close()
    spare.engine.dispose()
    yield Scanner(app, world)


def live(scanner: Scanner, days: int) -> None:
    for _ in range(days):
        scanner.world.live(24, step=3)
        scanner.scan()


def exercise(scanner: Scanner, felt: Felt = Felt.RIGHT) -> None:
    scanner.world.act(check_in, "dead-bug", felt, scanner.world.clock.now().course)


def ask_for_links(scanner: Scanner) -> None:
    """A copy, an erasure and another address: each asked for, none pressed."""
    world = scanner.world
    for opens in (Opens.DATA, Opens.ERASE, Opens.ADDRESS):
        world.act(ask, opens, world.clock.now())
    world.tick()
    with store.writing(world.services.engine) as session:
        link = session.query(FreshLink).filter_by(opens=Opens.ADDRESS).one()
        person = session.get_one(Subscriber, link.subscriber_id)
        new, key = NewAddress("new@example.org", "new@example.org"), world.services.config.suppression_key
        propose(session, Found(State.OPEN, link, person), new, world.clock.now(), key)
    world.tick()
    scanner.scan()


# A long life; what the two kinds of database do differently is not its subject.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_following_every_link_of_every_email_changes_nothing(scanner: Scanner) -> None:
    """Silent, then busy, then silent again: all videos, reminders in every state of mind, and the answers to forms."""
    world = scanner.world
    world.sign_up()
    world.tick()
    scanner.scan()
    assert world.person().status == "pending"
    world.press_confirm()
    world.tick()
    scanner.scan()
    live(scanner, 6)
    for _ in range(12):
        exercise(scanner)
        live(scanner, 2)
    # Silence until the last question and beyond.
    live(scanner, 55)
    world.sign_up()
    world.tick()
    scanner.scan()
    ask_for_links(scanner)

    sent = world.deliveries(status="sent")
    assert {row.kind for row in sent} == {str(kind) for kind in DeliveryKind}
    assert len({row.step_id for row in sent if row.kind == "video"}) == 6
    told = {row.text_slug for row in sent if row.kind == "reminder"}
    states = {"reminder-never-started", "reminder-active", "reminder-streak", "reminder-lapsed", "reminder-last"}
    assert {state for state in states if any(slug.startswith(state) for slug in told)} == states
    assert told <= {path.stem for path in MESSAGES.glob("*.md")}
    assert len(world.outbox()) == len(sent) > 15

    paths = {
        link.removeprefix(world.services.config.public_url).split("/")[1].split("?")[0] for link in scanner.answers
    }
    assert paths >= {"confirm", "v", "done", "p", "u", "media", "data", "erase", "address", "new-address"}
    # All of them once more, after everything has happened, and after leaving.
    scanner.follow(scanner.links)
    world.act(leave, world.clock.now(), "one-click")
    scanner.follow(scanner.links)
    world.clock.move(days=40)
    scanner.follow(scanner.links)


def test_the_pages_themselves_change_nothing(scanner: Scanner) -> None:
    """Every address without a parameter, asked for as a visitor does."""
    world = scanner.world
    world.join()
    before = everything(world.services.engine)
    client, asked = scanner.app.test_client(), 0
    for rule in scanner.app.url_map.iter_rules():
        if rule.arguments or "GET" not in (rule.methods or ()):
            continue
        # Without a worker, /readyz says so with 503.
        assert client.get(rule.rule, buffered=True).status_code != 500, rule.rule
        asked += 1
    assert asked > 10
    assert everything(world.services.engine) == before
