"""Link scanners follow every link in every email, by HEAD and GET. Nothing a person is or gets may change by that."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from config import Config
from leadmagnet import create_app, store
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.feedback.address import NewAddress, propose
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.feedback.fresh_links import Found, State, ask
from leadmagnet.store.fresh_links import FreshLink


def dump(world: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with world.services.engine.connect() as connection:
        tables = store.Base.metadata.sorted_tables
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}


def links(message: Any) -> set[str]:
    """Every address in a message: both parts, and the way out in its header."""
    parts = "\n".join(part.get_content() for part in message.walk() if part.get_content_maintype() == "text")
    header = message.get("List-Unsubscribe", "")
    return {
        url.rstrip(".,;") for url in re.findall(r"https?://[^\s\"'<>]+", f"{parts}\n{header}".replace("&amp;", "&"))
    }


@pytest.fixture
def lived(new_config: Callable[..., Config], build_services: Callable[..., Any], clock_at: Any, world_of: Any) -> Any:
    """A person who was sent every kind of email, into a real outbox."""
    from datetime import UTC, datetime

    clock = clock_at(datetime(2026, 3, 2, 15, tzinfo=UTC))
    world = world_of(build_services(new_config(), clock), clock)
    world.join()
    for day in range(70):
        world.live(24, step=4)
        if day in (6, 8, 10, 13, 15, 17, 20):
            world.act(check_in, "dead-bug", Felt.RIGHT, clock.now().course)
    world.sign_up()
    world.tick()
    for opens in (Opens.DATA, Opens.ERASE, Opens.ADDRESS):
        world.act(ask, opens, clock.now())
    world.tick()
    world.act(ask_at_a_new_address, world)
    world.tick()
    return world


def ask_at_a_new_address(session: Any, person: Any, world: Any) -> None:
    link = session.query(FreshLink).filter_by(opens=Opens.ADDRESS).one()
    new, key = NewAddress("new@example.org", "new@example.org"), world.services.config.suppression_key
    propose(session, Found(State.OPEN, link, person), new, world.clock.now(), key)


def test_following_every_link_of_every_email_changes_no_row(lived: Any) -> None:
    messages = lived.outbox()
    kinds = {row.kind for row in lived.deliveries(status="sent")}
    assert kinds == {str(kind) for kind in DeliveryKind}
    states = {row.text_slug.rsplit("-", 1)[0] for row in lived.deliveries(kind="reminder", status="sent")}
    assert len(states) >= 4
    urls = set().union(*(links(message) for message in messages))
    own = {url for url in urls if url.startswith(lived.services.config.public_url)}
    assert len(own) > 20
    app = create_app(lived.services.config)
    app.extensions["leadmagnet"].engine.dispose()
    app.extensions["leadmagnet"] = lived.services
    client, before = app.test_client(), dump(lived)
    seen = set()
    for url in sorted(own):
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        for method in (client.get, client.head):
            answer = method(path, buffered=True)
            assert answer.status_code == 200, path
        seen.add(parts.path.split("/")[1])
    assert seen >= {"confirm", "v", "p", "u", "done", "media", "data", "erase", "address", "new-address"}
    after = dump(lived)
    assert {name for name in before if before[name] != after[name]} == set()
