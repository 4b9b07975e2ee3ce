"""What one letter needs to know of its lesson and its reader, and the words that go into its slots.

What hangs on the lesson alone is worked out once for all its readers. Must not know: any text, where the facts come
from, the present moment (it is an argument).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering import phrases
from leadmagnet.rendering.clinic import one_line
from leadmagnet.rendering.links import Links


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A kind of email and the step in hand: what many readers share. Only itself is equal to it.

    A confirmation has no step: `step_id` is None, the step's fields stay empty.
    """

    kind: DeliveryKind
    step_id: int | None = None
    step_slug: str = ""
    step_title: str = ""
    step_number: int = 0
    film_seconds: float | None = None
    sequence_slug: str = "six-core-videos"
    sequence_title: str = "Six core videos"


class Reader(NamedTuple):
    """One reader of a lesson."""

    lesson: Lesson
    subscriber_id: int
    leave_id: str
    first_name: str
    timezone: ZoneInfo
    signed_up_at: datetime
    issued_real: datetime
    """Real time, from which a confirmation link's seven days count."""
    confirmed: bool = True
    """False for people who were imported: the footer must not say that they confirmed."""
    exercise_days: Collection[int] = (0, 2, 4)
    """Weekdays, Monday is 0."""
    goal: int = 3
    """Sessions a week."""
    good_weeks: int = 0
    following: tuple[str, datetime] | None = None
    """Title and instant of the next video; None where no video follows."""
    delivery_id: int = 0
    """The email itself, for links that are led through /c/."""
    fresh: tuple[Opens, int] | None = None
    """What a link on request opens, and its id; None in all other emails."""


_Maker = Callable[[Reader, Links, datetime], str]


def _video(reader: Reader, links: Links, _now: datetime) -> str:
    slug = reader.lesson.step_slug
    return links.video(reader.subscriber_id, slug) if slug else links.page(reader.subscriber_id)


def _done(felt: str = "") -> _Maker:
    def url(reader: Reader, links: Links, _now: datetime) -> str:
        if reader.lesson.step_id is None:
            return links.page(reader.subscriber_id)
        return links.done(reader.subscriber_id, reader.lesson.step_id, felt=felt)

    return url


def _fresh(reader: Reader, links: Links, _now: datetime) -> str:
    return links.fresh(*reader.fresh, reader.issued_real) if reader.fresh else links.page(reader.subscriber_id)


def _comma_name(reader: Reader, _links: Links, _now: datetime) -> str:
    name = phrases.safe_name(reader.first_name)
    return f", {name}" if name else ""


def _signed_up_on(reader: Reader, _links: Links, _now: datetime) -> str:
    return phrases.long_date(reader.signed_up_at.astimezone(reader.timezone).date())


def _next_line(reader: Reader, _links: Links, now: datetime) -> str:
    return _next_sentence(*reader.following, now, reader.timezone) if reader.following else ""


# People of one batch mostly share the zone and the rhythm.
@lru_cache(maxsize=1024)
def _next_sentence(title: str, at: datetime, now: datetime, zone: ZoneInfo) -> str:
    today, day = now.astimezone(zone).date(), at.astimezone(zone).date()
    return f"Next, {phrases.day_from(today, day)}: {phrases.in_sentence(one_line(title))}."


class _Makers(dict[str, _Maker]):
    """Makers by slot. Those of stored links, link_7, are made as they are asked for."""

    def __missing__(self, slot: str) -> _Maker:
        name, _, number = slot.rpartition("_")
        if name != "link" or not number.isdecimal():
            raise KeyError(slot)
        link_id = int(number)
        return lambda reader, links, _now: links.tracked(reader.delivery_id, link_id)


#: How each slot that is not a constant of the clinic gets its value.
_MAKERS: Mapping[str, _Maker] = _Makers(
    {
        "page_url": lambda reader, links, _: links.page(reader.subscriber_id),
        "leave_url": lambda reader, links, _: links.leave(reader.leave_id),
        "confirm_url": lambda reader, links, _: links.confirm(reader.subscriber_id, reader.issued_real),
        "fresh_url": _fresh,
        "video_url": _video,
        "done_url": _done(),
        "hurt_url": _done("hurt"),
        "comma_name": _comma_name,
        "signed_up_on": _signed_up_on,
        "and_confirmed": lambda reader, *_: " and confirmed your address" if reader.confirmed else "",
        "next_line": _next_line,
        "days_phrase": lambda reader, *_: phrases.days(tuple(reader.exercise_days)),
        "goal_phrase": lambda reader, *_: phrases.count(reader.goal, "session"),
        "weeks_phrase": lambda reader, *_: phrases.count(reader.good_weeks, "good week"),
    }
)

#: How the slots that hang on the lesson alone get theirs.
_OF_LESSON: Mapping[str, Callable[[Lesson], str]] = {
    "video_title": lambda lesson: one_line(lesson.step_title),
    "video_number": lambda lesson: str(lesson.step_number),
    "video_length": lambda lesson: phrases.length(lesson.film_seconds),
    "exercise": lambda lesson: phrases.in_sentence(one_line(lesson.step_title)) or "your exercise",
    "strip_number": lambda lesson: str(max(1, lesson.step_number)),
}


class Values:
    """Makes the values of some slots for one reader after the other."""

    def __init__(
        self, links: Links, now: datetime, wanted: Collection[str] = frozenset({*_MAKERS, *_OF_LESSON})
    ) -> None:
        """Take the wanted slots; all that are not constants of the clinic unless told otherwise.

        Raises KeyError for a slot that does not exist.
        """
        self._links, self._now = links, now
        self._shared = [slot for slot in wanted if slot in _OF_LESSON]
        self._own = [(slot, _MAKERS[slot]) for slot in wanted if slot not in _OF_LESSON]
        self._of_lesson: dict[Lesson, dict[str, str]] = {}

    def of(self, reader: Reader) -> dict[str, str]:
        """Return the value of each wanted slot."""
        shared = self._of_lesson.get(reader.lesson)
        if shared is None:
            shared = {slot: _OF_LESSON[slot](reader.lesson) for slot in self._shared}
            self._of_lesson[reader.lesson] = shared
        values = shared.copy()
        for slot, make in self._own:
            values[slot] = make(reader, self._links, self._now)
        return values
