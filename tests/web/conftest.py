"""A whole application on a small database with the shipped course, and a visitor who fills in forms like a browser."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from config import Config
from leadmagnet import create_app, store
from leadmagnet import services as parts
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.editing.shipped import SLUG
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


class Site:
    """The application, its parts, and what a test does with it."""

    def __init__(self, app: Flask, services: parts.Services, clock: Any) -> None:
        self.app, self.services, self.clock = app, services, clock
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        # Buffered: a file that is sent gets closed.
        return self.client.get(path, **({"buffered": True} | options))

    def hidden(self, path: str) -> dict[str, str]:
        """The hidden fields of a page."""
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.get(path).text)
        return {name: html.unescape(value) for name, value in fields}

    def post(self, path: str, page: str = "", **fields: Any) -> TestResponse:
        """Send a form as a browser does that has loaded `page` before."""
        token = self.hidden(page or path).get("csrf_token", "")
        return self.client.post(path, data={"csrf_token": token} | fields)

    def sign_up(self, page: str = "/", *, wait: float = 3, **fields: str) -> TestResponse:
        known = self.hidden(page)
        self.clock.move(seconds=wait)
        return self.client.post("/signup", data=known | {"email": "anna@example.org", "consent": "yes"} | fields)

    def rows(self, model: type[Any]) -> list[Any]:
        with store.reading(self.services.engine) as session:
            return list(session.scalars(select(model)))

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with self.services.engine.connect() as connection:
            tables = store.Base.metadata.sorted_tables
            return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}

    def person(self, sent: int = 0, **columns: Any) -> Subscriber:
        """Somebody who has confirmed, and was sent so many videos, three days apart."""
        start = self.clock.course
        values: dict[str, Any] = {"first_name": "Anna", "status": SubscriberStatus.ACTIVE, "confirmed_at": start}
        values |= {"timezone": "America/Vancouver", "source": "landing", "created_at": start}
        email = columns.pop("email", "anna@example.org")
        with store.writing(self.services.engine) as session:
            person = Subscriber(email=email, email_canonical=email, **(values | columns))
            session.add(person)
            session.flush()
            sequence = store.sequences.by_slug(session, SLUG)
            assert sequence is not None
            course = Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=start)
            session.add(course)
            session.flush()
            for number, step in enumerate(store.sequences.steps_of(session, sequence.id)[:sent]):
                at = start + timedelta(days=3 * number)
                course.last_settled_at = at
                session.add(
                    Delivery(
                        subscriber_id=person.id,
                        enrollment_id=course.id,
                        step_id=step.id,
                        kind=DeliveryKind.VIDEO,
                        status=DeliveryStatus.SENT,
                        created_at=at,
                        due_at=at,
                        sent_at=at,
                    )
                )
        return person

    def again(self, person: Subscriber) -> Subscriber:
        """The person as the database has them now."""
        with store.reading(self.services.engine) as session:
            return session.get_one(Subscriber, person.id)

    def step_id(self, slug: str) -> int:
        return next(step.id for step in self.rows(store.sequences.Step) if step.slug == slug)

    def video(self, person: Subscriber, slug: str = "breathing-and-bracing") -> str:
        return self._here(self.services.links.video(person.id, slug))

    def done(self, person: Subscriber, slug: str = "breathing-and-bracing") -> str:
        return self._here(self.services.links.done(person.id, self.step_id(slug)))

    def own_page(self, person: Subscriber) -> str:
        return self._here(self.services.links.page(person.id))

    def leave(self, person: Subscriber) -> str:
        return self._here(self.services.links.leave(person.leave_id))

    def confirm(self, person: Subscriber) -> str:
        return self._here(self.services.links.confirm(person.id, self.clock.real))

    def _here(self, url: str) -> str:
        return url.removeprefix(self.services.config.public_url)


@pytest.fixture
def make_site(
    new_config: Callable[..., Config], hand_clock: Any, load_into: Callable[..., None]
) -> Iterator[Callable[..., Site]]:
    """A maker of sites with other settings."""
    made: list[parts.Services] = []

    def make(**settings: Any) -> Site:
        app = create_app(new_config(**settings))
        services: parts.Services = replace(app.extensions["leadmagnet"], clock=hand_clock)
        app.extensions["leadmagnet"] = services
        made.append(services)
        load_into(services.engine, hand_clock.course)
        return Site(app, services, hand_clock)

    yield make
    for services in made:
        services.mailer.close()
        services.engine.dispose()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site as `make run` would serve it."""
    return make_site()
