"""What one letter needs to know of its reader, and the words that go into its slots.

Must not know: any text, where the facts come from, the present moment (it is an argument).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering import phrases
from leadmagnet.rendering.clinic import one_line
from leadmagnet.rendering.links import Links


@dataclass(frozen=True, slots=True, kw_only=True)
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
    sequence_slug: str = "six-core-videos"
    sequence_title: str = "Six core videos"


def values_for(reader: Reader, links: Links, now: datetime) -> dict[str, str]:
    """Return a value for every slot that is not a constant of the clinic."""
    return _urls(reader, links) | _words(reader, now)


def _urls(reader: Reader, links: Links) -> dict[str, str]:
    person, step = reader.subscriber_id, reader.step_id
    page = links.page(person)
    return {
        "page_url": page,
        "leave_url": links.leave(reader.leave_id),
        "confirm_url": links.confirm(person, reader.issued_real),
        "video_url": links.video(person, reader.step_slug) if reader.step_slug else page,
        "done_url": page if step is None else links.done(person, step),
        "hurt_url": page if step is None else links.done(person, step, felt="hurt"),
    }


def _words(reader: Reader, now: datetime) -> dict[str, str]:
    name = phrases.safe_name(reader.first_name)
    title = one_line(reader.step_title)
    return {
        "comma_name": f", {name}" if name else "",
        "signed_up_on": phrases.long_date(reader.signed_up_at.astimezone(reader.timezone).date()),
        "and_confirmed": " and confirmed your address" if reader.confirmed else "",
        "video_title": title,
        "video_number": str(reader.step_number),
        "video_length": phrases.length(reader.film_seconds),
        "exercise": phrases.in_sentence(title) or "your exercise",
        "next_line": _next_line(reader, now),
        "days_phrase": phrases.days(reader.exercise_days),
        "goal_phrase": phrases.count(reader.goal, "session"),
        "weeks_phrase": phrases.count(reader.good_weeks, "good week"),
        "strip_number": str(max(1, reader.step_number)),
    }


def _next_line(reader: Reader, now: datetime) -> str:
    if not reader.next_title or reader.next_at is None:
        return ""
    today = now.astimezone(reader.timezone).date()
    day = reader.next_at.astimezone(reader.timezone).date()
    return f"Next, {phrases.day_from(today, day)}: {phrases.in_sentence(one_line(reader.next_title))}."
