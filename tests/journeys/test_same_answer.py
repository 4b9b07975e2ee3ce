"""The answer to a sign-up tells nobody whether an address is known: the same bytes for every standing."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from config import Config
from leadmagnet import create_app, store
from leadmagnet.feedback.leaving import leave

STANDINGS = ("new", "pending", "active", "unsubscribed", "bounced", "complained")


@pytest.fixture
def place(make_world: Callable[..., Any], new_config: Callable[..., Config]) -> Any:
    """A world with somebody in each standing, and its application."""
    from datetime import UTC, datetime

    world = make_world(new_config(), datetime(2026, 3, 2, 15, tzinfo=UTC))
    for name in STANDINGS[1:]:
        world.sign_up(f"{name}@example.org")
    world.tick()
    for name in STANDINGS[2:]:
        world.press_confirm(f"{name}@example.org")
    world.tick()
    world.act(leave, world.clock.now(), "unsubscribe page", address="unsubscribed@example.org")
    for name in ("bounced", "complained"):
        world.act(
            lambda session, person, status: setattr(person, "status", status), name, address=f"{name}@example.org"
        )
    app = create_app(world.services.config)
    app.extensions["leadmagnet"].engine.dispose()
    app.extensions["leadmagnet"] = world.services
    return app, world


def exchange(app: Any, world: Any, email: str) -> list[tuple[int, list[tuple[str, str]], bytes]]:
    """Load the form, send it, follow the answer; return the three answers without what belongs to the session."""
    client = app.test_client()
    page = client.get("/")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    world.clock.move(seconds=3)
    known = {name: html.unescape(value) for name, value in fields.items()}
    sent = client.post("/signup", data=known | {"email": email, "first_name": "Anna", "consent": "yes"})
    assert sent.status_code == 303, sent.text
    return [bare(sent), bare(client.get(sent.headers["Location"])), bare(client.get("/"))]


def bare(answer: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    # The CSRF token and the moment at which the form was shown are signed anew for each visitor.
    body = re.sub(rb'name="(csrf_token|shown)" value="[^"]*"', b"", answer.data)
    headers = [(key, value) for key, value in answer.headers if key not in ("Set-Cookie", "Content-Length", "ETag")]
    return answer.status_code, headers, body


def test_all_standings_get_the_same_bytes(place: Any) -> None:
    app, world = place
    answers = {name: exchange(app, world, f"{name}@example.org") for name in STANDINGS}
    for name in STANDINGS:
        assert answers[name] == answers["new"], name
    with store.reading(world.services.engine) as session:
        waiting = session.query(store.signups.SignUp).filter_by(handled_at=None).all()
    assert sorted(row.email for row in waiting) == sorted(f"{name}@example.org" for name in STANDINGS)


def test_redirect_bodies_have_one_length(place: Any) -> None:
    """The length of the answer would tell as much as its words."""
    app, world = place
    lengths = {len(exchange(app, world, f"{name}@example.org")[0][2]) for name in STANDINGS}
    assert len(lengths) == 1
