"""Each letter of a life with what was true of its reader when it was taken, worked out from the person's own deeds.

Independent of the engine: it has its own idea of local days, windows, pauses and consent. Must not know: the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache

import orjson

from leadmagnet.domain.zones import zone
from leadmagnet.simulation.lives import Course, Life, Row
from leadmagnet.simulation.record import Deed, Letter

ANSWERS = ("confirmation", "already_subscribed")
COURSE = ("video", "finished")


@dataclass(slots=True)
class State:
    """What a person's own deeds say about them so far."""

    zone: str = "UTC"
    hour: int | None = None
    days: frozenset[int] = frozenset({0, 2, 4})
    since: float = 0.0  #: when they first signed up
    asked: bool = False  #: has asked, and neither confirmed nor left since
    confirmed: bool = False
    paused: bool = False
    paused_until: float | None = None
    hurt: bool = False
    snoozed_until: float = 0.0
    hastened: bool = False  #: has asked for the next video at once
    done_on: date | None = None  #: the newest day with a check-in
    begun: set[int] = field(default_factory=set)  #: enrollments of which an email is out
    told: set[str] = field(default_factory=set)  #: deliveries of which the provider has told us
    out: dict[str, bool] = field(default_factory=dict)  #: deliveries taken before, and whether they went at once


@dataclass(frozen=True, slots=True)
class Moment:
    """A letter, its row in the ledger, and what was true when it was taken."""

    letter: Letter
    row: Row | None
    zone: str
    day: date
    minute: int
    opens: int  #: the window that holds for the reader, in minutes of the local day
    closes: int
    since: float  #: when they first signed up
    may_write: bool  #: whether the person wants emails of this kind
    paused: bool
    hurt: bool
    snoozed: bool
    done_today: bool
    at_once: bool  #: answers what the person did: the confirmation, video 1, "next video now"
    told: bool  #: whether the provider had told us of this delivery before
    again: bool  #: the same delivery was taken before


def moments(life: Life, course: Course) -> list[Moment]:
    """Return the letters of a life with what was true at the time, in order."""
    rows = {row.public_id: row for row in life.rows}
    return list(_walk(life, rows, course))


def _walk(life: Life, rows: dict[str, Row], course: Course) -> Iterator[Moment]:
    state = State()
    for event in life.events:
        if isinstance(event, Deed):
            _CHANGES.get(event.kind, _nothing)(state, event)
        else:
            yield _moment(state, event, rows.get(event.delivery), course)


def _moment(state: State, letter: Letter, row: Row | None, course: Course) -> Moment:
    day, minute = _local(letter.at, state.zone)
    opens, closes = course.opens, course.closes
    if state.hour is not None:
        opens, closes = min(opens, state.hour * 60), min(1440, max(closes, state.hour * 60 + 60))
    again = letter.delivery in state.out
    at_once = state.out[letter.delivery] if again else _at_once(state, letter, row)
    state.out[letter.delivery] = at_once
    return Moment(
        letter=letter,
        row=row,
        zone=state.zone,
        day=day,
        minute=minute,
        opens=opens,
        closes=closes,
        since=state.since,
        may_write=state.asked if letter.kind == "confirmation" else state.confirmed,
        paused=state.paused and (state.paused_until is None or letter.at < state.paused_until),
        hurt=state.hurt,
        snoozed=letter.at < state.snoozed_until,
        done_today=state.done_on == day,
        at_once=at_once,
        told=letter.delivery in state.told,
        again=again,
    )


def _at_once(state: State, letter: Letter, row: Row | None) -> bool:
    if letter.kind in ANSWERS:
        return True
    if row is None or row.enrollment_id is None:
        return False
    first = row.enrollment_id not in state.begun
    state.begun.add(row.enrollment_id)
    hastened, state.hastened = state.hastened, False
    return first or hastened


@lru_cache(maxsize=65_536)
def _local(at: float, name: str) -> tuple[date, int]:
    """Return local day and minute of the day."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone(name))
    return local.date(), local.hour * 60 + local.minute


def day_in(at: float, name: str) -> date:
    """Return the local day of an instant (seconds since 1970) in a zone."""
    return _local(at, name)[0]


def _nothing(_state: State, _deed: Deed) -> None:
    """A deed that changes nothing of what is followed here: watching, say."""


def _signed_up(state: State, deed: Deed) -> None:
    if not state.since:
        state.since, state.zone = deed.at, deed.detail
    state.asked = not state.confirmed


def _renewed(state: State, _deed: Deed) -> None:
    state.asked = not state.confirmed


def _confirmed(state: State, _deed: Deed) -> None:
    state.asked, state.confirmed = False, True


def _told(state: State, deed: Deed) -> None:
    state.told.add(deed.detail)


def _left(state: State, _deed: Deed) -> None:
    state.asked = state.confirmed = state.paused = False
    state.snoozed_until = 0.0


def _paused(state: State, deed: Deed) -> None:
    state.paused, state.paused_until = True, orjson.loads(deed.detail)


def _resumed(state: State, _deed: Deed) -> None:
    state.paused = False


def _snoozed(state: State, deed: Deed) -> None:
    state.snoozed_until = orjson.loads(deed.detail)


def _unsnoozed(state: State, _deed: Deed) -> None:
    state.snoozed_until = 0.0


def _changed(state: State, deed: Deed) -> None:
    days, hour, where = orjson.loads(deed.detail)
    if where != state.zone:
        state.done_on = None  # that day was one of another calendar
    state.days, state.hour, state.zone = frozenset(days), hour, where


def _checked_in(state: State, deed: Deed) -> None:
    state.done_on = day_in(deed.at, state.zone)


def _hurt(state: State, deed: Deed) -> None:
    state.hurt = True
    _checked_in(state, deed)


def _went_on(state: State, _deed: Deed) -> None:
    state.hurt = False


def _hastened(state: State, _deed: Deed) -> None:
    state.hastened = True


_CHANGES = {
    "sign_up": _signed_up,
    "renew": _renewed,
    "confirm": _confirmed,
    "leave": _left,
    "stop": _left,
    "told": _told,
    "pause": _paused,
    "resume": _resumed,
    "snooze": _snoozed,
    "keep_reminding": _unsnoozed,
    "rhythm": _changed,
    "check_in": _checked_in,
    "hurt": _hurt,
    "go_on": _went_on,
    "next_now": _hastened,
}
