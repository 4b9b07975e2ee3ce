"""What one letter needs to know of its reader, and the words that go into its slots.

Must not know: any text, where the facts come from, the present moment (it is an argument).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering import phrases
from leadmagnet.rendering.clinic import one_line
from leadmagnet.rendering.links import Links


@dataclass(slots=True, kw_only=True)
class Reader:
    """One reader and the step in hand. A confirmation has no step: `step_id` is None, the step's fields stay empty."""

    subscriber_id: int
    leave_id: str
    first_name: str
    timezone: ZoneInfo
    signed_up_at: datetime
    kind: DeliveryKind
    #: Real time, from which a confirmation link's seven days count.
    issued_real: datetime
    #: False for people who were imported: the footer must not say that they confirmed.
    confirmed: bool = True
    step_id: int | None = None
    step_slug: str = ""
    step_title: str = ""
    step_number: int = 0
    film_seconds: float | None = None
    exercise_days: Collection[int] = (0, 2, 4)  #: weekdays, Monday is 0
    goal: int = 3  #: sessions a week
    good_weeks: int = 0
    #: The next video and its instant; None where no video follows.
    next_title: str | None = None
    next_at: datetime | None = None
    #: The email itself, for links that are led through /c/.
    delivery_id: int = 0
    #: What a link on request opens, and its id; None in all other emails.
    fresh: tuple[Opens, int] | None = None
    sequence_slug: str = "six-core-videos"
    sequence_title: str = "Six core videos"


_Maker = Callable[[Reader, Links, datetime], str]


def _video(reader: Reader, links: Links, _now: datetime) -> str:
    return links.video(reader.subscriber_id, reader.step_slug) if reader.step_slug else links.page(reader.subscriber_id)


def _done(felt: str = "") -> _Maker:
    def url(reader: Reader, links: Links, _now: datetime) -> str:
        if reader.step_id is None:
            return links.page(reader.subscriber_id)
        return links.done(reader.subscriber_id, reader.step_id, felt=felt)

    return url


def _fresh(reader: Reader, links: Links, _now: datetime) -> str:
    return links.fresh(*reader.fresh, reader.issued_real) if reader.fresh else links.page(reader.subscriber_id)


def _comma_name(reader: Reader, _links: Links, _now: datetime) -> str:
    name = phrases.safe_name(reader.first_name)
    return f", {name}" if name else ""


def _signed_up_on(reader: Reader, _links: Links, _now: datetime) -> str:
    return phrases.long_date(reader.signed_up_at.astimezone(reader.timezone).date())


def _exercise(reader: Reader, _links: Links, _now: datetime) -> str:
    return phrases.in_sentence(one_line(reader.step_title)) or "your exercise"


def _next_line(reader: Reader, _links: Links, now: datetime) -> str:
    if not reader.next_title or reader.next_at is None:
        return ""
    return _next_sentence(reader.next_title, reader.next_at, now, reader.timezone)


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
        "video_title": lambda reader, *_: one_line(reader.step_title),
        "video_number": lambda reader, *_: str(reader.step_number),
        "video_length": lambda reader, *_: phrases.length(reader.film_seconds),
        "exercise": _exercise,
        "next_line": _next_line,
        "days_phrase": lambda reader, *_: phrases.days(tuple(reader.exercise_days)),
        "goal_phrase": lambda reader, *_: phrases.count(reader.goal, "session"),
        "weeks_phrase": lambda reader, *_: phrases.count(reader.good_weeks, "good week"),
        "strip_number": lambda reader, *_: str(max(1, reader.step_number)),
    }
)


def values_for(
    reader: Reader, links: Links, now: datetime, wanted: Collection[str] = frozenset(_MAKERS)
) -> dict[str, str]:
    """Return the value of each wanted slot; all that are not constants of the clinic unless told otherwise.

    Raises KeyError for a slot that does not exist.
    """
    return {slot: _MAKERS[slot](reader, links, now) for slot in wanted}
