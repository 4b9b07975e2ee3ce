"""A month in a clinic: nine people in every state, lived by the engine itself with a clock in the past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from leadmagnet import services as parts
from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import Origin
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.steering import pause
from leadmagnet.feedback.watching import acknowledge, watched
from leadmagnet.signup.addresses import parse_address
from leadmagnet.signup.confirm import confirm
from leadmagnet.signup.receive import Request, receive
from leadmagnet.store.fresh_links import FreshLink
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.tick import tick

ZONE = "America/Vancouver"


@dataclass
class Past:
    """A clock in the past, moved by hand."""

    at: datetime

    def now(self) -> Now:
        return Now(self.at, self.at)


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


def links_on_request(services: parts.Services, anna: Subscriber) -> dict[str, str]:
    """A link of each kind, as its email would carry it; Anna's address stays as it is."""
    now = datetime.now(UTC)
    with store.writing(services.engine) as session:
        rows = {opens: FreshLink(subscriber_id=anna.id, opens=opens, asked_at=now) for opens in Opens}
        rows[Opens.NEW_ADDRESS].new_email = rows[Opens.NEW_ADDRESS].new_canonical = "anna.from.tomorrow@example.net"
        session.add_all(rows.values())
        session.flush()
        return {f"fresh_{opens}": services.links.fresh(opens, row.id, now) for opens, row in rows.items()} | {
            "fresh_old": services.links.fresh(Opens.DATA, rows[Opens.DATA].id, now - timedelta(hours=2))
        }


def addresses_of(services: parts.Services) -> dict[str, str]:
    """Paths that belong to these people, and what else is needed to fill in a path."""
    links = services.links
    with store.reading(services.engine) as session:
        everybody = {life.name: store.subscribers.by_canonical(session, life.address) for life in LIVES if life.name}
        sequence = store.sequences.by_slug(session, "six-core-videos")
        assert sequence is not None
        steps = {step.slug: step.id for step in store.sequences.steps_of(session, sequence.id)}
    person = {name: subscriber for name, subscriber in everybody.items() if subscriber is not None}
    newest = max((services.config.outbox_dir / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)
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
        "calendar": links.calendar(person["Anna"].id),
    } | links_on_request(services, person["Anna"])
    return {name: url.removeprefix(services.config.public_url) for name, url in named.items()} | {
        "mail": newest.name,
        "step": str(steps["dead-bug"]),
        **{name.split()[0].lower(): str(subscriber.id) for name, subscriber in person.items()},
    }
