"""Nobody learns from our answers who is on the list: a form says and does the same for every address."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update
from werkzeug.test import TestResponse

from leadmagnet import create_app, store
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.feedback.leaving import leave
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression, email_hash

STANDINGS = ("new", "pending", "active", "unsubscribed", "bounced", "complained", "suppressed")
_TOKEN = re.compile(r'(name="csrf_token"[^>]*value=")[^"]*')
_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*name="(\w+)"[^>]*value="([^"]*)"')


def address_of(standing: str) -> str:
    # Equally long, so that not even a length could differ.
    return f"{standing:x<12}@example.org"


@pytest.fixture
def people(world: Any) -> Any:
    """One person of each standing, in a world of its own."""
    engine, key = world.services.engine, world.services.config.suppression_key
    world.sign_up(address_of("pending"))
    world.tick()
    for standing in ("active", "unsubscribed", "bounced", "complained"):
        world.join(address_of(standing))
    world.act(leave, world.clock.now(), "unsubscribe page", address=address_of("unsubscribed"))
    with store.writing(engine) as session:
        for standing in (SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED):
            known = Subscriber.email_canonical == address_of(standing)
            session.execute(update(Subscriber).where(known).values(status=standing))
        hashed = email_hash(key, address_of("suppressed"))
        session.add(Suppression(email_hash=hashed, reason="erased", at=world.clock.now().real))
    return world


@pytest.fixture
def app(people: Any) -> Iterator[Flask]:
    """The application on the same database and clock."""
    app = create_app(people.services.config)
    spare, app.extensions["leadmagnet"] = app.extensions["leadmagnet"], people.services
    spare.mailer.close()
    spare.engine.dispose()
    yield app


def told(response: TestResponse) -> tuple[str, list[tuple[str, str]], str]:
    """All that a response says, without what differs for everybody: the date, a session's secret, the form's token."""
    body = _TOKEN.sub(r"\1", response.get_data(as_text=True))
    # A token can be a letter longer than another, and the page with it.
    varies = {"Date", "Set-Cookie"} | ({"Content-Length"} if "csrf_token" in body else set())
    return response.status, [(name, "" if name in varies else value) for name, value in response.headers], body


def filled(client: FlaskClient, world: Any) -> TestResponse:
    """The form after the time that filling it in takes."""
    page = client.get("/")
    world.clock.move(seconds=5)
    return page


def send(client: FlaskClient, world: Any, page: TestResponse, address: str) -> tuple[TestResponse, list[str]]:
    """Send the form and return the answer with the statements that the database was asked."""
    fields = {name: html.unescape(value) for name, value in _HIDDEN.findall(page.text)}
    assert fields.keys() >= {"csrf_token", "form", "shown", "timezone"}
    statements: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(world.services.engine, "before_cursor_execute", listen)
    try:
        answer = client.post("/signup", data=fields | {"first_name": "Anna", "email": address, "consent": "yes"})
    finally:
        event.remove(world.services.engine, "before_cursor_execute", listen)
    return answer, statements


def test_a_form_says_and_does_the_same_for_every_address(app: Flask, people: Any) -> None:
    clients = {standing: app.test_client() for standing in STANDINGS}
    forms = {standing: client.get("/") for standing, client in clients.items()}
    people.clock.move(seconds=5)
    # The first sign-up of all also writes the wording down, whoever it is.
    first = app.test_client()
    send(first, people, filled(first, people), "first-of-all@example.org")
    sent = {s: send(client, people, forms[s], address_of(s)) for s, client in clients.items()}
    inboxes = {standing: client.get(sent[standing][0].location) for standing, client in clients.items()}
    again = {standing: client.get("/") for standing, client in clients.items()}

    expected = sent["new"]
    assert expected[0].status_code == 303
    assert expected[0].location == "/signup/check-inbox"
    for standing in STANDINGS:
        answer, statements = sent[standing]
        assert told(answer) == told(expected[0]), standing
        assert statements == expected[1], f"other work for an address that is {standing}"
        assert told(inboxes[standing]) == told(inboxes["new"]), standing
        assert address_of(standing) not in inboxes[standing].text
        assert told(forms[standing]) == told(forms["new"]), standing
        assert told(again[standing]) == told(again["new"]), standing


def test_every_sign_up_is_one_row_and_touches_nobody(app: Flask, people: Any) -> None:
    """What becomes of it is the worker's work; the request itself looks nobody up."""
    for standing in STANDINGS:
        client = app.test_client()
        page = filled(client, people)
        with store.reading(people.services.engine) as session:
            before = session.query(SignUp).count(), [(p.id, p.status, p.first_name) for p in session.query(Subscriber)]
        _, statements = send(client, people, page, address_of(standing))
        with store.reading(people.services.engine) as session:
            after = session.query(SignUp).count(), [(p.id, p.status, p.first_name) for p in session.query(Subscriber)]
        assert after == (before[0] + 1, before[1])
        assert not [statement for statement in statements if re.search(r"\bsubscriber\b", statement)]


@pytest.mark.parametrize("mistake", [{"consent": ""}, {"first_name": "www.example.org"}])
def test_a_mistake_is_answered_alike_for_every_address(app: Flask, people: Any, mistake: dict[str, str]) -> None:
    """Known or not: the form comes back with what was typed, and no other difference."""
    clients = {standing: app.test_client() for standing in STANDINGS}
    forms = {standing: client.get("/") for standing, client in clients.items()}
    people.clock.move(seconds=5)
    answers = {}
    for standing, client in clients.items():
        fields = {name: html.unescape(value) for name, value in _HIDDEN.findall(forms[standing].text)}
        typed = {"first_name": "Anna", "email": address_of(standing), "consent": "yes"} | mistake
        answers[standing] = client.post("/signup", data=fields | {k: v for k, v in typed.items() if v})
    for standing, answer in answers.items():
        status, headers, body = told(answer)
        assert status.startswith("422")
        assert (headers, body.replace(address_of(standing), address_of("new"))) == told(answers["new"])[1:]
