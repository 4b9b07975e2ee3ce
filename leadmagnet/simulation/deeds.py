"""Simulated people act: through the functions that the pages call, several people in one transaction.

Each deed that was accepted goes into the record. Must not know: the provider, how deeds come about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import Origin
from leadmagnet.domain.schedule import local_day, to_utc
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.domain.zones import all_zones, zone
from leadmagnet.feedback import steering
from leadmagnet.feedback.check_ins import check_in
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.watching import watched
from leadmagnet.services import Services
from leadmagnet.signup.addresses import Address
from leadmagnet.signup.confirm import Answer, confirm, renew
from leadmagnet.signup.receive import Request, receive
from leadmagnet.simulation import habits
from leadmagnet.simulation.dice import roll
from leadmagnet.simulation.people import NO_PLACE, Deed, People
from leadmagnet.simulation.record import Record
from leadmagnet.store.check_ins import Felt
from leadmagnet.store.subscribers import Subscriber

#: People in one transaction.
TOGETHER = 200
WORDING = "Yes, send me the six core videos and exercise reminders."
FIRST_NAMES = ("Anna", "Zoë", "O’Hara", "", "José María", "Mira")


@dataclass(slots=True)
class Scene:
    """One deed about to be done: who, when, with draws of its own."""

    session: Session
    deed: Deed
    person: Subscriber | None
    now: Now
    draws: tuple[float, ...]

    @property
    def active(self) -> Subscriber | None:
        """The person, where they may use their own page."""
        return self.person if self.person and self.person.status == SubscriberStatus.ACTIVE else None

    def days_on(self, person: Subscriber, days: int) -> datetime:
        """Return the beginning of the local day so many days on, as the own page does."""
        where = zone(person.timezone)
        return to_utc(local_day(self.now.course, where) + timedelta(days=days), 0, where)


#: What was done, and its detail for the record.
Done = tuple[str, str] | None


class Stage:
    """Where people act."""

    def __init__(self, services: Services, people: People, record: Record, seed: int) -> None:
        """Take the program's parts, the people and the book."""
        self._services, self._people, self._record, self._seed = services, people, record, seed
        self.counts: Counter[str] = Counter()

    def act(self, deeds: Iterable[Deed], now: Now) -> None:
        """Do what people mean to do at this instant. Who means two things does one after the other."""
        waiting = list(deeds)
        while waiting:
            first: dict[str, Deed] = {}
            for deed in waiting:
                first.setdefault(deed.address, deed)
            waiting = [deed for deed in waiting if first[deed.address] is not deed]
            several = iter(first.values())
            while chunk := list(islice(several, TOGETHER)):
                self._together(chunk, now)

    def _together(self, deeds: list[Deed], now: Now) -> None:
        done: list[tuple[Deed, Done]] = []
        with store.writing(self._services.engine) as session, session.no_autoflush:
            people = self._find(session, deeds)
            for deed in deeds:
                draws = roll(self._seed, "does", deed.address, deed.kind, now.course)
                scene = Scene(session, deed, people.get(deed.address), now, draws)
                done.append((deed, self._way(deed.kind)(scene)))
        for deed, what in done:
            if what is not None:
                self._record.did(now.course, deed.address, *what)
                self.counts[what[0]] += 1
                kind = "pause without end" if what == ("pause", "null") else what[0]
                self._people.done(Deed(deed.address, kind, deed.about), now.course)

    def _find(self, session: Session, deeds: list[Deed]) -> dict[str, Subscriber]:
        query = select(Subscriber).where(Subscriber.email_canonical.in_([deed.address for deed in deeds]))
        return {person.email_canonical: person for person in session.scalars(query)}

    def _way(self, kind: str) -> Callable[[Scene], Done]:
        return {"sign_up": self._sign_up, "confirm": self._confirm}.get(kind) or _WAYS[kind]

    def _sign_up(self, scene: Scene) -> Done:
        address, where = scene.deed.address, self._people.known[scene.deed.address].zone
        name = FIRST_NAMES[int(scene.draws[0] * len(FIRST_NAMES))]
        request = Request(Address(address, address), name, where, "landing", WORDING, "en", page="/")
        receive(scene.session, request, scene.now)
        return "sign_up", where

    def _confirm(self, scene: Scene) -> Done:
        token = scene.deed.about.rpartition("/")[2]
        subscriber_id, issued_at = self._services.links.read_confirm(token)
        found, _ = confirm(scene.session, subscriber_id, issued_at, scene.now, Origin("192.0.2.1", "simulation"))
        if found is Answer.EXPIRED:
            renew(scene.session, subscriber_id, scene.now)
            return "renew", ""
        return ("confirm", "") if found is Answer.CONFIRMED else None


def _watch(scene: Scene) -> Done:
    if scene.person is None or not scene.deed.about:
        return None
    percent = round(scene.draws[0] * 100)
    watched(scene.session, scene.person, scene.deed.about, percent, scene.now.course)
    return "watch", str(percent)


def _check_in(scene: Scene) -> Done:
    if scene.person is None or not scene.deed.about:
        return None
    felt = Felt.HURT if scene.draws[0] < habits.HURT else (Felt.EASY, Felt.RIGHT, Felt.HARD)[int(scene.draws[1] * 3)]
    check_in(scene.session, scene.person, scene.deed.about, felt, scene.now.course)
    return ("hurt" if felt is Felt.HURT else "check_in"), ""


def _leave(scene: Scene) -> Done:
    if scene.person is None:
        return None
    return ("leave", "one-click") if leave(scene.session, scene.person, scene.now, "one-click") else None


def _pause(scene: Scene) -> Done:
    if (person := scene.active) is None:
        return None
    days = (7, 14, None)[int(scene.draws[0] * 3)]
    until = scene.days_on(person, days) if days else None
    steering.pause(scene.session, person, scene.now.course, until)
    return "pause", orjson.dumps(until and until.timestamp()).decode()


def _resume(scene: Scene) -> Done:
    if (person := scene.active) is None or person.paused_at is None:
        return None
    steering.resume(scene.session, person, scene.now.course)
    return "resume", ""


def _snooze(scene: Scene) -> Done:
    if (person := scene.active) is None:
        return None
    until = scene.days_on(person, 7)
    steering.snooze(scene.session, person, scene.now.course, until)
    return "snooze", orjson.dumps(until.timestamp()).decode()


def _rhythm(scene: Scene) -> Done:
    if (person := scene.active) is None:
        return None
    draws = scene.draws
    days = frozenset(day for day in range(7) if draws[day] < 0.5) or frozenset({int(draws[7] * 7)})
    hour = int(draws[8] * 24) if draws[9] < 0.5 else None
    places = sorted(all_zones() - NO_PLACE)
    where = places[int(draws[10] * len(places))] if draws[11] < 0.3 else person.timezone
    steering.set_rhythm(scene.session, person, scene.now.course, days=days, hour=hour, timezone=where)
    return "rhythm", orjson.dumps([sorted(days), hour, where]).decode()


def _go_on(scene: Scene) -> Done:
    if (person := scene.active) is None or person.hurt_at is None:
        return None
    steering.go_on(scene.session, person, scene.now.course, scene.deed.about)
    return "go_on", scene.deed.about


def _keep_reminding(scene: Scene) -> Done:
    if (person := scene.active) is None:
        return None
    steering.keep_reminding(scene.session, person, scene.now.course)
    return "keep_reminding", ""


def _next_now(scene: Scene) -> Done:
    if (person := scene.active) is None or not steering.next_now(scene.session, person, scene.now.course):
        return None
    return "next_now", ""


def _restart(scene: Scene) -> Done:
    if (person := scene.active) is None or not steering.restart(scene.session, person, scene.now.course):
        return None
    return "restart", ""


_WAYS: dict[str, Callable[[Scene], Done]] = {
    "watch": _watch,
    "check_in": _check_in,
    "leave": _leave,
    "pause": _pause,
    "resume": _resume,
    "snooze": _snooze,
    "rhythm": _rhythm,
    "go_on": _go_on,
    "keep_reminding": _keep_reminding,
    "next_now": _next_now,
    "restart": _restart,
}
