"""The path of six as pages draw it: what each station looks like, what stands under it, where it leads.

Must not know: how a path is worked out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from leadmagnet.domain.zones import local_day, zone
from leadmagnet.enrollment.path import Path
from leadmagnet.enrollment.path import Station as Place
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import words
from leadmagnet.web.course import Course, Video


@dataclass(frozen=True, slots=True)
class Station:
    """One station as it is drawn. `look`: done, now, next or plain; `aside` is for those who cannot see it."""

    look: str
    number: int
    title: str
    caption: str
    figure: str
    href: str = ""
    aside: str = ""
    tick: bool = False


def on_landing(videos: list[Video]) -> list[Station]:
    """Return the path for somebody who has not begun: each station with its day of the course."""
    return [Station("plain", video.number, video.title, f"Day {video.day}", video.figure) for video in videos]


def of_person(path: Path, course: Course, person: Subscriber, today: date, link: Callable[[str], str]) -> list[Station]:
    """Return a person's path. `link` gives the address of a video's page."""
    return [_station(place, path, course, person, today, link) for place in path.stations]


def _station(
    place: Place, path: Path, course: Course, person: Subscriber, today: date, link: Callable[[str], str]
) -> Station:
    video = course.by_step(place.step_id)
    figure = video.figure if video else f"figures/{place.number}.svg"
    day = local_day(place.at, zone(person.timezone)) if place.at else None
    just_begun = place == path.stations[0] and place.state == "next" and day is not None and day <= today
    look = "now" if place.state == "here" or just_begun else place.state
    href = "" if look == "next" else link(place.slug)
    caption = _caption(look, place, day, today)
    said = "Done" if place.checked_in else "You are here" if look == "now" else ""
    aside = "" if said == caption else said
    return Station(look, place.number, place.title, caption, figure, href, aside, place.checked_in)


def _caption(look: str, place: Place, day: date | None, today: date) -> str:
    if look == "now":
        return "Today" if day == today else "You are here"
    if day is None:
        return "Later" if look == "next" else ""
    if look == "next":
        return "Today" if day == today else words.short_day(day)
    return "Done" if place.checked_in else f"Since {words.bare_day(day)}"
