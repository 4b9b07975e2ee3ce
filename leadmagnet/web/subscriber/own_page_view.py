"""What the own page shows: the words for a person's state, the path, the choices. Changes nothing."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from leadmagnet.domain.reminders import Cadence, cadence
from leadmagnet.domain.sequence import Pace
from leadmagnet.domain.zones import all_zones, local_day, zone
from leadmagnet.enrollment.path import Path, path_of
from leadmagnet.rendering.phrases import WEEKDAYS, safe_name
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import course, progress, words
from leadmagnet.web.context import here, services
from leadmagnet.web.course import Course
from leadmagnet.web.stations import of_person
from leadmagnet.web.subscriber.breaks import bounds
from leadmagnet.web.subscriber.next_email import next_email
from leadmagnet.web.subscriber.which_emails import around, boxes

#: Sentences after an act, by the code in the address: what stands there is never shown itself. True: it worked.
SAVED = {
    "rhythm": (True, "Saved. The next email follows your new days and hour."),
    "paused": (True, "Paused. Nothing piles up; you go on where you left off."),
    "resumed": (True, "Welcome back. You go on where you left off."),
    "snoozed": (True, "Done. The reminders rest."),
    "next": (True, "The next video is on its way to your inbox."),
    "restarted": (True, "You begin again with video 1. It is on its way to your inbox."),
    "restarted_later": (True, "You begin again with video 1. It comes as soon as we send videos again."),
    "pace": (True, "Saved. The next video follows your new pace."),
    "asked": (True, "Look in your inbox: we send a link there. It works for one hour."),
    "go_on": (True, "Good. Start gently; the easier versions are a good place."),
    "links": (True, "Done. We note no link that you follow, and have forgotten those we had noted."),
    "reminding": (True, "Good. Reminders come on your exercise days again."),
    "emails": (True, "Saved. From now on you get just these emails."),
    "emails_same": (True, "Nothing has changed: these are the emails that you get."),
    "no_days": (False, "Choose at least one day. If you’d like a rest, take a break instead."),
    "no_hour": (False, "Please choose one of the hours from the list."),
    "no_zone": (False, "We don’t know that time zone. Please choose one from the list."),
    "no_date": (False, "Choose a day from tomorrow on, within a year, as in 2026-03-14."),
    "no_pace": (False, "Choose one of the three paces."),
    "no_next": (False, "The next video can’t be sent right now. It may be on its way already."),
    "resting": (False, "We are taking a short break with the videos. The next one comes by itself when we go on."),
    "no_restart": (False, "You can begin again once the course is finished."),
}
#: Hours on offer. The hours of the night can't be chosen by mistake.
HOURS = range(5, 23)
_AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def view(session: Session, person: Subscriber, moment: datetime, saved: str) -> dict[str, object]:
    """Return everything the template shows."""
    where = zone(person.timezone)
    found, path = course.of_subscriber(session, person.id), path_of(session, person, moment)
    rows, weeks_sentence = progress.of_person(session, person, local_day(moment, where))
    return {
        "said": SAVED.get(saved),
        "name": safe_name(person.first_name),
        "lead": _lead(person, path, moment, where),
        "next_email": next_email(session, person, path, moment),
        "finished": path.finished,
        "weeks": rows,
        "weeks_sentence": weeks_sentence,
        "goal": words.number(len(person.days)),
        "snoozed": _snoozed(person, moment, where),
        "quiet": cadence(person.unanswered) is not Cadence.EXERCISE_DAYS,
        "since": _date(person.created_at, where),
        **_emails(person),
        **_way(person, path, found, local_day(moment, where)),
        "paces": _paces(person, found) if path.next is not None and person.wants_videos else [],
        "break_days": [day.isoformat() for day in bounds(person, moment)],
        **_choices(person, found),
    }


def _emails(person: Subscriber) -> dict[str, object]:
    """Return which emails the person gets, and the addresses that say so or lead away."""
    parts = services()
    return {
        "wants_reminders": person.wants_reminders,
        "emails": boxes(person, parts.clinic),
        "emails_around": around(parts.clinic),
        "emails_href": f"{here(parts.links.page(person.id))}/emails",
        "counts_links": person.track_links and parts.config.track_links,
        "leave_href": here(parts.links.leave(person.leave_id)),
        "calendar_href": here(parts.links.calendar(person.id)),
    }


def _way(person: Subscriber, path: Path, found: Course | None, today: date) -> dict[str, object]:
    """Return the path and what may be done on it now."""

    def link(slug: str) -> str:
        return here(services().links.video(person.id, slug))

    current = next((place for place in path.stations if place.state == "here"), None)
    paused, hurt = person.paused_at is not None, person.hurt_at is not None
    return {
        "stations": of_person(path, found, person, today, link) if found else [],
        "current": current,
        "current_href": link(current.slug) if current else "",
        "coming": path.next if not (paused or hurt or path.resting) and person.wants_videos else None,
        "paused": paused,
        "hurt": hurt,
    }


def _choices(person: Subscriber, found: Course | None) -> dict[str, object]:
    """Return the fields of days, hour and zone."""
    return {
        "days": [(number, name, number in person.days) for number, name in enumerate(WEEKDAYS)],
        "hours": _hours(person, found),
        "zones": _zones(),
        "timezone": person.timezone,
        "place": words.place(person.timezone),
    }


def _paces(person: Subscriber, found: Course | None) -> list[tuple[str, str, bool]]:
    """Return the choices of pace: value, words, chosen."""
    choices = {Pace.FASTER: "Faster", Pace.USUAL: "As planned", Pace.SLOWER: "Slower"}
    every = {pace: course.every(found.delays, pace) if found else "" for pace in choices}
    return [
        (pace, f"{name}, {every[pace]}" if every[pace] else name, person.pace == pace) for pace, name in choices.items()
    ]


def _date(at: datetime, where: ZoneInfo) -> str:
    day = local_day(at, where)
    return f"{words.full_day(day)} {day.year}"


def _lead(person: Subscriber, path: Path, moment: datetime, where: ZoneInfo) -> str:
    if person.hurt_at is not None:
        return "You told us that it hurt, so reminders and videos wait until you say go on."
    if person.paused_at is not None:
        until = person.paused_until
        end = words.full_day(local_day(until, where)) if until else "you come back"
        return f"Your emails are paused until {end}. Rest well."
    if path.next is not None and not person.wants_videos:
        return f"Video {path.next.number}, {path.next.title}, waits until you want videos again."
    if path.resting and path.next is not None:
        return f"We are taking a short break. Video {path.next.number}, {path.next.title}, waits for you."
    if path.next is not None and path.next.at is not None:
        day = local_day(path.next.at, where)
        when = "today" if day <= local_day(moment, where) else f"on {words.full_day(day)}"
        return f"Video {path.next.number}, {path.next.title}, comes {when}."
    return "All the videos are here. Do the ones that feel useful, two or three times a week."


def _snoozed(person: Subscriber, moment: datetime, where: ZoneInfo) -> str:
    if person.snoozed_until is None or person.snoozed_until <= moment:
        return ""
    return words.full_day(local_day(person.snoozed_until, where))


def _hours(person: Subscriber, found: Course | None) -> list[tuple[str, str, bool]]:
    """Return the choices of the hour field: value, words, chosen."""
    usual = words.hour(found.sequence.hour if found else 9 * 60)
    listed = sorted({*HOURS, *([] if person.chosen_hour is None else [person.chosen_hour])})
    choices = [(str(hour), words.capital(words.hour(hour * 60)), person.chosen_hour == hour) for hour in listed]
    return [("", f"{words.capital(usual)}, as usual", person.chosen_hour is None), *choices]


def _zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the time zones by area, each with its towns."""
    areas: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in sorted(all_zones()):
        area, slash, town = name.partition("/")
        if slash and area in _AREAS:
            areas[area].append((name, town.replace("_", " ").replace("/", ", ")))
    return list(areas.items())
