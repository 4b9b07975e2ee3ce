"""A small world: people who sign up, press buttons, and read what the outbox received."""

from __future__ import annotations

import email
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.domain.consent import Origin
from leadmagnet.domain.message import Batch, Outcome, Result
from leadmagnet.services import Services
from leadmagnet.signup.addresses import parse_address
from leadmagnet.signup.confirm import Answer, confirm
from leadmagnet.signup.receive import Request, receive
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick


@dataclass
class MemoryMailer:
    """Takes every letter and remembers it. `script` may answer otherwise for a batch."""

    name: str = "memory"
    batch_size: int = 1000
    has_evidence: bool = False
    calls: list[Batch] = field(default_factory=list)
    script: Callable[[Batch], list[Result] | None] | None = None

    def send(self, batch: Batch) -> list[Result]:
        self.calls.append(batch)
        answer = self.script(batch) if self.script else None
        return answer or [Result(letter.delivery_id, Outcome.SENT, self.name) for letter in batch.letters]

    def taken(self, delivery_id: str) -> bool | None:
        return None

    def close(self) -> None:
        pass


@dataclass
class World:
    """One clinic with a clock that is moved by hand."""

    services: Services
    clock: Any

    def tick(self) -> dict[str, Any]:
        return tick(self.services, self.clock.now)

    def sign_up(self, address: str = "anna@example.org", name: str = "Anna", zone: str = "America/Vancouver") -> None:
        request = Request(parse_address(address), name, zone, "landing", "Yes, email me.", "en", page="/")
        with store.writing(self.services.engine) as session:
            receive(session, request, self.clock.now())

    def press_confirm(self, address: str = "anna@example.org") -> Answer:
        with store.writing(self.services.engine) as session:
            person = store.subscribers.by_canonical(session, address)
            assert person is not None
            return confirm(session, person.id, self.clock.now().real, self.clock.now(), Origin("127.0.0.1", "test"))[0]

    def join(self, address: str = "anna@example.org", **more: str) -> None:
        """Sign up, confirm, get video 1."""
        self.sign_up(address, **more)
        self.tick()
        assert self.press_confirm(address) is Answer.CONFIRMED
        self.tick()

    def live(self, hours: int, step: int = 1) -> None:
        """Let hours go by, with a tick in each `step` of them."""
        for _ in range(0, hours, step):
            self.clock.move(hours=step)
            self.tick()

    def act(self, deed: Callable[..., Any], *args: Any, address: str = "anna@example.org", **more: Any) -> Any:
        """Let a person do something through a room's function, at the course's now."""
        with store.writing(self.services.engine) as session:
            person = store.subscribers.by_canonical(session, address)
            return deed(session, person, *args, **more)

    def person(self, address: str = "anna@example.org") -> Subscriber:
        with store.reading(self.services.engine) as session:
            person = store.subscribers.by_canonical(session, address)
            assert person is not None
            return person

    def deliveries(self, address: str = "anna@example.org", **where: Any) -> list[Delivery]:
        with store.reading(self.services.engine) as session:
            person = store.subscribers.by_canonical(session, address)
            rows = store.deliveries.of_subscriber(session, person.id) if person else []
            return [row for row in rows if all(getattr(row, key) == value for key, value in where.items())]

    def sent(self, address: str = "anna@example.org") -> list[tuple[str, datetime]]:
        """What was sent to a person, in order: kind and instant."""
        rows = [row for row in self.deliveries(address) if row.status == "sent"]
        return [(row.kind, row.sent_at) for row in sorted(rows, key=lambda row: (row.sent_at, row.id))]

    def outbox(self) -> list[EmailMessage]:
        """The emails in the outbox, oldest first."""
        folder = Path(self.services.config.outbox_dir) / "new"
        files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns) if folder.exists() else []
        return [email.message_from_bytes(path.read_bytes(), policy=default) for path in files]  # type: ignore[misc]


@pytest.fixture
def world(services: Services, hand_clock: Any) -> World:
    """A clinic whose mailer is the outbox, on both databases."""
    return World(services, hand_clock)


@pytest.fixture
def memory_mailer() -> MemoryMailer:
    return MemoryMailer()


@pytest.fixture
def fast_world(services: Services, hand_clock: Any, memory_mailer: MemoryMailer) -> World:
    """The same with a mailer that keeps letters in memory."""
    return World(replace(services, mailer=memory_mailer), hand_clock)


@pytest.fixture
def make_world(build_services: Callable[..., Services], clock_at: Callable[[datetime], Any]) -> Callable[..., World]:
    """A maker of worlds with letters kept in memory, from settings and a first instant."""

    def make(config: Any, begin: datetime) -> World:
        clock = clock_at(begin)
        return World(replace(build_services(config, clock), mailer=MemoryMailer()), clock)

    return make


@pytest.fixture
def world_of() -> type[World]:
    """The maker of a world from services and a clock."""
    return World
