"""What must hold for every person of a run. Each check looks at one life and says what is broken, in words.

Must not know: how the engine keeps its promises.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from leadmagnet.simulation.lives import Course, Life, Pass, Row, Standing
from leadmagnet.simulation.moments import ANSWERS, COURSE, Moment, day_in
from leadmagnet.simulation.record import Deed

#: Seconds between claiming and calling that a letter may be late for its window: a lease.
GRACE = 120
LEAST_GAP = timedelta(hours=20).total_seconds()
MOST_REMINDERS, WEEK = 3, timedelta(days=7)
OUT = frozenset({"sent", "delivered", "bounced", "unknown", "claimed", "failed"})
OPEN = frozenset({"due", "claimed", "unknown"})


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken promise. `at` is in seconds since 1970, 0 where it is about the end of the run."""

    rule: str
    address: str
    at: float
    words: str


#: What one life looks like: the person, their letters, the sequence.
Look = tuple[Life, list[Moment], Course]
Found = Iterator[tuple[float, str]]


def _ledger_knows(look: Look) -> Found:
    """Every letter has its row in the ledger, and every row that says sent has its letter."""
    life, letters, course = look
    taken = {moment.letter.delivery for moment in letters}
    for moment in letters:
        if moment.row is None:
            if moment.letter.kind == "confirmation" and moment.may_write and moment.since <= course.forgotten:
                continue  # with the person, who never confirmed
            yield moment.letter.at, "a letter that is not in the ledger"
        elif moment.row.kind != moment.letter.kind:
            yield moment.letter.at, f"a {moment.letter.kind} that the ledger has as {moment.row.kind}"
        elif moment.row.status not in OUT and moment.letter.known:
            yield moment.letter.at, f"a letter was taken and its answer known, and its row is {moment.row.status}"
    for row in life.rows:
        if row.status in ("sent", "delivered", "bounced") and row.public_id not in taken:
            yield row.due_at.timestamp(), "the ledger says sent, and the provider took nothing"


def _taken_once(look: Look) -> Found:
    """A letter is taken once; again only where the answer was lost and the provider's events had not told."""
    for copies in _copies(look[1]).values():
        for before, copy in pairwise(copies):
            if before.letter.known:
                yield copy.letter.at, "taken again although the answer was known"
            elif copy.told:
                yield copy.letter.at, "taken again although an event had told of it"


def _one_message_id(look: Look) -> Found:
    """A letter that goes out once more has the same Message-ID, and no two deliveries share one."""
    names: dict[str, str] = {}
    for delivery, copies in _copies(look[1]).items():
        found = {moment.letter.message for moment in copies}
        if len(found) > 1:
            yield copies[-1].letter.at, "sent once more under another Message-ID"
        for name in found:
            if names.setdefault(name, delivery) != delivery:
                yield copies[-1].letter.at, "two deliveries with one Message-ID"


def _step_once(look: Look) -> Found:
    """Nobody gets a step twice in one enrollment."""
    seen: dict[tuple[int | None, int], str] = {}
    for moment in look[1]:
        if moment.row and moment.row.step_id is not None:
            key = moment.row.enrollment_id, moment.row.step_id
            if seen.setdefault(key, moment.letter.delivery) != moment.letter.delivery:
                yield moment.letter.at, f"step {moment.row.step_id} a second time"


def _in_order(look: Look) -> Found:
    """Steps of an enrollment come in their order."""
    _, letters, course = look
    reached: dict[int | None, int] = {}
    for moment in letters:
        if moment.row and moment.row.step_id is not None and not moment.again:
            position, before = course.positions[moment.row.step_id], reached.get(moment.row.enrollment_id, -1)
            if position < before:
                yield moment.letter.at, f"the step at {position} after the one at {before}"
            reached[moment.row.enrollment_id] = max(position, before)


def _one_a_day(look: Look) -> Found:
    """One automatic email a local day at most; what goes at once is exempt."""
    days: dict[date, str] = {}
    for moment in look[1]:
        if not moment.at_once and not moment.again:
            if moment.day in days:
                yield moment.letter.at, f"a second automatic email on {moment.day}"
            days[moment.day] = moment.letter.delivery


def _in_the_window(look: Look) -> Found:
    """Nothing outside the window or on a day on which nothing goes out, but for what goes at once."""
    weekdays = look[2].weekdays
    for moment in look[1]:
        if moment.at_once:
            continue
        late = moment.minute - moment.closes
        if moment.minute < moment.opens or late * 60 >= GRACE:
            yield moment.letter.at, f"at {moment.minute // 60:02}:{moment.minute % 60:02} in {moment.zone}"
        elif moment.day.weekday() not in weekdays:
            yield moment.letter.at, "on a weekday on which nothing may go out"


def _wanted(look: Look) -> Found:
    """Nothing before a yes, and nothing after it was taken back."""
    for moment in look[1]:
        if not moment.may_write:
            yield moment.letter.at, f"a {moment.letter.kind} to somebody who does not want it"


def _not_while_paused(look: Look) -> Found:
    """Nothing while everything is paused, but for answers."""
    for moment in look[1]:
        if moment.paused and moment.letter.kind not in ANSWERS:
            yield moment.letter.at, f"a {moment.letter.kind} in a pause"


def _not_while_hurt(look: Look) -> Found:
    """No video and no reminder between 'it hurt' and 'go on'."""
    for moment in look[1]:
        if moment.hurt and moment.letter.kind not in ANSWERS:
            yield moment.letter.at, f"a {moment.letter.kind} after 'it hurt'"


def _not_while_snoozed(look: Look) -> Found:
    """No reminder while reminders are to stay away."""
    for moment in look[1]:
        if moment.snoozed and moment.letter.kind == "reminder":
            yield moment.letter.at, "a reminder that was to stay away"


def _no_burst(look: Look) -> Found:
    """Emails of the course are 20 hours apart or more, outage or not; what goes at once is exempt."""
    before: Moment | None = None
    for moment in look[1]:
        if moment.letter.kind in COURSE and not moment.again:
            if before and not moment.at_once and moment.letter.at - before.letter.at < LEAST_GAP:
                yield moment.letter.at, f"{(moment.letter.at - before.letter.at) / 3600:.1f} hours after the last one"
            before = moment


def _reminders_at_most(look: Look) -> Found:
    """Three reminders in any seven local days at most, counted on the calendar of the newest."""
    sent: list[float] = []
    for moment in look[1]:
        if moment.letter.kind == "reminder" and not moment.again:
            week = [at for at in sent[-7:] if day_in(at, moment.zone) > moment.day - WEEK]
            if len(week) >= MOST_REMINDERS:
                yield moment.letter.at, f"reminder {len(week) + 1} within seven days"
            sent.append(moment.letter.at)


def _not_when_done(look: Look) -> Found:
    """No reminder on a day on which the person has checked in before it."""
    for moment in look[1]:
        if moment.letter.kind == "reminder" and moment.done_today and not moment.again:
            yield moment.letter.at, "a reminder on a day with a check-in"


def _nothing_lost(look: Look) -> Found:
    """At the end every active enrollment has exactly one open row, or wants a plan; a held row has its reason."""
    life, _, course = look
    if words := _person(life):
        yield 0.0, words
    if life.standing is None:
        return
    for enrollment in life.enrollments:
        mine = [row for row in life.rows if row.enrollment_id == enrollment.id]
        words = _active(enrollment, mine, life.standing) if enrollment.status == "active" else _over(enrollment, mine)
        if words:
            yield 0.0, words
        if enrollment.status == "finished":
            missing = course.in_use - {row.step_id for row in mine if row.status in OUT}
            if missing:
                yield 0.0, f"finished without {len(missing)} of the steps"


def _person(life: Life) -> str:
    """Say what is wrong with where a person stands, if anything."""
    kinds = {event.kind for event in life.events if isinstance(event, Deed)}
    if "confirm" in kinds and (life.standing is None or not life.enrollments):
        return "somebody who has confirmed is not there any more, or in no sequence"
    if "reported" in kinds and life.standing and life.standing.status not in ("bounced", "complained"):
        return f"a bounce or complaint was reported, and they are {life.standing.status}"
    return ""


def _active(enrollment: Pass, rows: list[Row], standing: Standing) -> str:
    """Say what is wrong with an active enrollment, if anything."""
    mine = [row for row in rows if row.status in OPEN]
    if standing.status != "active":
        return f"an active enrollment of somebody who is {standing.status}"
    if len(mine) != 1 and not (enrollment.wants_plan and not mine):
        return f"an active enrollment with {len(mine)} open rows"
    if any(row.held for row in mine) and not (standing.paused or standing.hurt):
        return "an email is held, and nobody is paused or hurt"
    return ""


def _over(enrollment: Pass, rows: list[Row]) -> str:
    """Say what is wrong with an enrollment that is over, if anything."""
    left = sum(row.status in OPEN for row in rows)
    return f"an enrollment that is {enrollment.status} has {left} open rows" if left else ""


def _all_settled(look: Look) -> Found:
    """At the end, with days of quiet behind it, no email is claimed or unknown."""
    for row in look[0].rows:
        if row.status in ("claimed", "unknown"):
            yield 0.0, f"delivery {row.id} is still {row.status}"


#: Every promise, with the name that is printed.
CHECKS: dict[str, Callable[[Look], Found]] = {
    "the ledger and the provider agree": _ledger_knows,
    "a letter is taken once": _taken_once,
    "a letter keeps its Message-ID": _one_message_id,
    "nobody gets a step twice": _step_once,
    "videos come in order": _in_order,
    "one automatic email a day": _one_a_day,
    "inside the window": _in_the_window,
    "nothing that is not wanted": _wanted,
    "nothing in a pause": _not_while_paused,
    "nothing while it hurts": _not_while_hurt,
    "no reminder while snoozed": _not_while_snoozed,
    "never a burst": _no_burst,
    "three reminders a week": _reminders_at_most,
    "no reminder after a check-in": _not_when_done,
    "nothing is lost": _nothing_lost,
    "every unknown settles": _all_settled,
}


def broken(look: Look) -> Iterator[Broken]:
    """Return what is broken in one life."""
    for rule, check in CHECKS.items():
        for at, words in check(look):
            yield Broken(rule, look[0].address, at, words)


def _copies(letters: Iterable[Moment]) -> dict[str, list[Moment]]:
    found: dict[str, list[Moment]] = defaultdict(list)
    for moment in letters:
        found[moment.letter.delivery].append(moment)
    return found
