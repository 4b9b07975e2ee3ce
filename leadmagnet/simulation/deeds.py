"""Simulated people act: through the functions that the pages call, several people in one transaction.

What many do (sign up, confirm, watch, check in) goes by the set, through the very functions that the single ones call.
Each deed that was accepted goes into the record. Must not know: the provider, how deeds come about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice

import orjson
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import Origin
from leadmagnet.domain.schedule import local_day, to_utc
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.domain.zones import zone
from leadmagnet.feedback import steering
from leadmagnet.feedback.check_ins import Exercised, check_in_all
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.watching import Progress, watched_all
from leadmagnet.services import Services
from leadmagnet.signup.addresses import Address
from leadmagnet.signup.confirm import Answer, Press, confirm_all, renew
from leadmagnet.signup.receive import Request, receive_all
from leadmagnet.simulation import habits
from leadmagnet.simulation.dice import roll
from leadmagnet.simulation.hours import VirtualClock
from leadmagnet.simulation.people import Deed, People, everywhere
from leadmagnet.simulation.record import Record
from leadmagnet.store.check_ins import Felt
from leadmagnet.store.subscribers import Subscriber

#: People in one transaction.
TOGETHER = 1000
#: Seconds between two things that one person does at an instant.
MOMENT = 0.001
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
#: What pressing the button in the confirmation comes to.
_AFTER_PRESS: dict[Answer, Done] = {Answer.EXPIRED: ("renew", ""), Answer.CONFIRMED: ("confirm", "")}
#: Deeds that say by themselves whose they are.
_WITHOUT_PERSON = ("sign_up", "confirm")


class Stage:
    """Where people act."""

    def __init__(self, services: Services, people: People, record: Record, seed: int) -> None:
        """Take the program's parts, the people and the book."""
        self._services, self._people, self._record, self._seed = services, people, record, seed
        self._ways: dict[str, Callable[[Sequence[Scene]], list[Done]]] = {
            "sign_up": self._sign_up,
            "confirm": self._confirm,
            "watch": _watch,
            "check_in": _check_in,
        }
        self.counts: Counter[str] = Counter()

    def act(self, deeds: Iterable[Deed], clock: VirtualClock) -> None:
        """Do what people mean to do at this instant. Who means two things does one a moment after the other."""
        waiting = list(deeds)
        while waiting:
            first: dict[str, Deed] = {}
            for deed in waiting:
                first.setdefault(deed.address, deed)
            waiting = [deed for deed in waiting if first[deed.address] is not deed]
            several = iter(first.values())
            while chunk := list(islice(several, TOGETHER)):
                self._together(chunk, clock.now())
            if waiting:
                clock.wait(MOMENT)

    def _together(self, deeds: list[Deed], now: Now) -> None:
        done: dict[str, Done] = {}
        with store.writing(self._services.engine) as session, session.no_autoflush:
            people = self._find(session, deeds)
            kinds: dict[str, list[Scene]] = defaultdict(list)
            for deed in deeds:
                draws = roll(self._seed, "does", deed.address, deed.kind, now.course)
                kinds[deed.kind].append(Scene(session, deed, people.get(deed.address), now, draws))
            for kind, scenes in kinds.items():
                if way := self._ways.get(kind):
                    done |= {scene.deed.address: what for scene, what in zip(scenes, way(scenes), strict=True)}
                else:
                    done |= {scene.deed.address: _WAYS[kind](scene) for scene in scenes}
        for deed in deeds:
            if (what := done[deed.address]) is not None:
                self._record.did(now.course, deed.address, *what)
                self.counts[what[0]] += 1
                kind = "pause without end" if what == ("pause", "null") else what[0]
                self._people.done(Deed(deed.address, kind, deed.about), now.course)

    def _find(self, session: Session, deeds: list[Deed]) -> dict[str, Subscriber]:
        wanted = [deed.address for deed in deeds if deed.kind not in _WITHOUT_PERSON]
        if not wanted:
            return {}
        people = session.scalars(_by_address(), {"addresses": wanted})
        return {person.email_canonical: person for person in people}

    def _sign_up(self, scenes: Sequence[Scene]) -> list[Done]:
        places = [self._people.known[scene.deed.address].zone for scene in scenes]
        requests = [_request(scene, where) for scene, where in zip(scenes, places, strict=True)]
        receive_all(scenes[0].session, requests, scenes[0].now)
        return [("sign_up", where) for where in places]

    def _confirm(self, scenes: Sequence[Scene]) -> list[Done]:
        session, now = scenes[0].session, scenes[0].now
        tokens = (scene.deed.about.rpartition("/")[2] for scene in scenes)
        presses = [Press(*self._services.links.read_confirm(token)) for token in tokens]
        found = confirm_all(session, presses, now, Origin("192.0.2.1", "simulation"))
        done: list[Done] = []
        for press in presses:
            answer, _ = found[press.subscriber_id]
            if answer is Answer.EXPIRED:
                renew(session, press.subscriber_id, now)
            done.append(_AFTER_PRESS.get(answer))
        return done


@cache
def _by_address() -> Select[Subscriber]:
    at = Subscriber.email_canonical.in_(bindparam("addresses", expanding=True))
    return select(Subscriber).where(at).order_by(Subscriber.id)


def _request(scene: Scene, where: str) -> Request:
    address, name = scene.deed.address, FIRST_NAMES[int(scene.draws[0] * len(FIRST_NAMES))]
    return Request(Address(address, address), name, where, "landing", WORDING, "en", page="/")


def _watch(scenes: Sequence[Scene]) -> list[Done]:
    told = [(scene, scene.person, round(scene.draws[0] * 100)) for scene in scenes]
    progress = [Progress(person, scene.deed.about, played) for scene, person, played in told if person]
    watched_all(scenes[0].session, [one for one in progress if one.step_slug], scenes[0].now.course)
    return [("watch", str(played)) if person and scene.deed.about else None for scene, person, played in told]


def _check_in(scenes: Sequence[Scene]) -> list[Done]:
    told = [(scene.person, scene.deed.about, _feeling(scene)) for scene in scenes]
    sessions = [Exercised(person, about, felt) for person, about, felt in told if person and about]
    check_in_all(scenes[0].session, sessions, scenes[0].now.course)
    words = ("hurt" if felt is Felt.HURT else "check_in" for *_, felt in told)
    return [(word, "") if person and about else None for (person, about, _), word in zip(told, words, strict=True)]


def _feeling(scene: Scene) -> Felt:
    if scene.draws[0] < habits.HURT:
        return Felt.HURT
    return (Felt.EASY, Felt.RIGHT, Felt.HARD)[int(scene.draws[1] * 3)]


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
    places = everywhere()
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
