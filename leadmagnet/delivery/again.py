"""Failed emails, once more, because somebody of the clinic says so. Must not know: who asks, pages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.schedule import local_day
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.domain.zones import zone
from leadmagnet.store.dead_letters import Candidate

#: Failed emails that one transaction looks at: visitors' sign-ups wait for it where all share a SQLite file.
BATCH = 500


class Left(StrEnum):
    """Why a failed email stays as it is."""

    GONE_ON = "gone_on"  #: it is not failed any more, or was erased
    REMINDER = "reminder"  #: it belongs to its day
    PAUSED = "sequence_paused"
    NOT_NOW = "not_now"  #: the person has left, pauses, or has said that it hurt
    DAY_TAKEN = "day_taken"  #: the person gets another email today


@dataclass(slots=True)
class Again:
    """What became of a wish to try again, in emails."""

    due: int = 0
    left: Counter[Left] = field(default_factory=Counter)
    more: bool = False
    """Whether there are more that were not looked at."""

    def add(self, other: Again) -> None:
        """Add what became of another batch."""
        self.due += other.due
        self.left += other.left


def try_again(session: Session, ids: Collection[int], now: Now) -> Again:
    """Make failed emails due now. An automatic email counts towards one a day, on the person's local day."""
    found = store.dead_letters.candidates(session, ids)
    done = Again(left=Counter({Left.GONE_ON: len(set(ids)) - len(found)}))
    ready: list[Candidate] = []
    for one in found:
        if why := _stays(one):
            done.left[why] += 1
        else:
            ready.append(one)
    for day, chosen in _by_day(session, ready, now, done).items():
        due = store.dead_letters.make_due(session, chosen, now.course, day)
        done.due += due
        done.left[Left.DAY_TAKEN] += len(chosen) - due
    done.left = +done.left
    return done


def _stays(one: Candidate) -> Left | None:
    if one.status != DeliveryStatus.FAILED:
        return Left.GONE_ON
    if one.kind == DeliveryKind.REMINDER:
        return Left.REMINDER
    if one.rests:
        return Left.PAUSED
    return None if one.allowed else Left.NOT_NOW


def _by_day(session: Session, ready: list[Candidate], now: Now, done: Again) -> dict[date | None, list[int]]:
    """Return the ids to make due by the day they count for; of one person's, the oldest goes first."""
    today = {one.timezone: local_day(now.course, zone(one.timezone)) for one in ready}
    people = {one.subscriber_id for one in ready if one.counts}
    taken = store.dead_letters.taken(session, people, set(today.values())) if people else set()
    by_day: dict[date | None, list[int]] = defaultdict(list)
    for one in ready:
        day = today[one.timezone] if one.counts else None
        if day is not None and (one.subscriber_id, day) in taken:
            done.left[Left.DAY_TAKEN] += 1
            continue
        if day is not None:
            taken.add((one.subscriber_id, day))
        by_day[day].append(one.id)
    return by_day


def try_matching(engine: Engine, wanted: Callable[[str], bool], clock: Callable[[], Now], most: int | None) -> Again:
    """Try all failed emails again whose words are `wanted`, the newest first, in short transactions.

    After `most` looked at (None: no end) it stops and says that there are more.
    """
    done, before, looked_at = Again(), None, 0
    while most is None or looked_at < most:
        with store.writing(engine) as session:
            rows = store.dead_letters.walk(session, BATCH, before)
            done.add(try_again(session, [row_id for row_id, detail in rows if wanted(detail)], clock()))
        if len(rows) < BATCH:
            return done
        looked_at, before = looked_at + len(rows), rows[-1][0]
    done.more = True
    return done
