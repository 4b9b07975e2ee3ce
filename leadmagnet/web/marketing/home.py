"""The first page of the workspace: how many people exercise, what needs a look, and where people come from.

Must not know: how a figure is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import render_template, request
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience.timeline import explained
from leadmagnet.audience.titles import titles_of
from leadmagnet.domain.zones import to_utc
from leadmagnet.hearing import refused_lately
from leadmagnet.store import reports
from leadmagnet.store.forms import Form
from leadmagnet.web import course
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing.desk import blueprint, moment
from leadmagnet.web.marketing.words import Moment, low

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
#: Somebody who has checked in within this time is still exercising.
STILL = timedelta(days=14)
#: The cohorts that the funnel can show, in days.
COHORTS = (30, 90, 365)
HURT_SHOWN = 5
_STAGES = (
    "Signed up",
    "Confirmed",
    "Watched video 1",
    "Said “I did it” once",
    "Reached the last video",
    "Still exercising",
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a funnel: its words, its number, its share of the longest, and what stands beside the number."""

    name: str
    number: int
    share: float
    beside: str


@blueprint.get("/")
def home() -> str:
    """Show how it goes."""
    here = moment()
    days = request.args.get("days", COHORTS[1], type=int)
    days = days if days in COHORTS else COHORTS[1]
    with store.reading(services().engine) as session:
        shown = course.of_form(session, course.landing_form(session))
        return render_template(
            "marketing/home.html",
            here=here,
            brake=store.halts.BRAKE,
            exercised=reports.exercised(session, here.today - WEEK + timedelta(days=1), here.today),
            active=reports.on_the_path(session),
            figures=_figures(session, here.now),
            funnel=_funnel(session, shown, here, days),
            cohorts=COHORTS,
            days=days,
            steps=_steps(session, shown),
            look=_worth_a_look(session, here),
            sources=_sources(session, here, days),
            today=_today(session, here),
        )


def _figures(session: Session, now: datetime) -> dict[str, object]:
    joined, before = reports.joined(session, now - MONTH, now), reports.joined(session, now - MONTH * 2, now - MONTH)
    left, complaints = reports.left(session, now - MONTH, now)
    return {
        "joined": joined,
        "change": joined.signed_up - before.signed_up,
        "share": percent(joined.confirmed, joined.signed_up),
        "watched": reports.watched(session, now - WEEK, now),
        "left": left,
        "complaints": complaints,
    }


def percent(part: int, whole: int) -> str:
    """Return "84%"; nothing where there is no whole."""
    return f"{round(100 * part / whole)}%" if whole else ""


def _funnel(session: Session, shown: course.Course | None, here: Moment, days: int) -> list[Bar]:
    if shown is None or not shown.videos:
        return []
    since, recent = here.now - timedelta(days=days), here.today - STILL
    first, last = shown.videos[0].slug, shown.videos[-1].slug
    numbers = reports.funnel(session, since, here.now, first, last, recent)
    whole = max(numbers[0], 1)
    # Of the line above; the last line counts people from all the others, so its share is of everybody.
    wholes = [0, *numbers[:-2], numbers[0]]
    return [
        Bar(name, number, round(100 * number / whole, 1), percent(number, of))
        for name, number, of in zip(_STAGES, numbers, wholes, strict=True)
    ]


def _steps(session: Session, shown: course.Course | None) -> list[dict[str, object]]:
    if shown is None:
        return []
    figures = reports.steps(session, shown.sequence.id)
    return [{"video": video, "figures": figures[video.step_id]} for video in shown.videos]


def _worth_a_look(session: Session, here: Moment) -> dict[str, object]:
    titles = titles_of(session)
    number, people = reports.hurt(session, HURT_SHOWN)
    hurt = []
    for person in people:
        checks = [c for c in store.check_ins.of_subscriber(session, person.id) if c.felt == store.check_ins.Felt.HURT]
        what = low(titles.step(checks[-1].step_slug)) if checks else ""
        hurt.append({"person": person, "what": what, "when": here.when(person.hurt_at or here.now)})
    trouble = reports.trouble(session, here.now - WEEK, here.now)
    found = {"hurt": hurt, "more": number - len(hurt), "trouble": trouble, "halt": store.halts.current(session)}
    return found | {"refused": refused_lately(session, now().real), "held": store.held.count(session)}


def _sources(session: Session, here: Moment, days: int) -> list[dict[str, object]]:
    rows = reports.sources(session, here.now - timedelta(days=days), here.now, here.today - STILL)
    forms = {row.slug: session.get(Form, row.slug) for row in rows}
    return [{"row": row, "title": form.title if (form := forms[row.slug]) else row.slug} for row in rows]


def _today(session: Session, here: Moment) -> dict[str, object]:
    start, end = _day(here.today, here), _day(here.today + timedelta(days=1), here)
    emails = reports.day(session, start, end)
    videos = tuple(map(sum, zip(emails["video"], emails["finished"], strict=True)))
    reasons = reports.not_reminded(session, here.today)
    return {
        "videos": videos,
        "reminders": emails["reminder"],
        "not_sent": sum(reasons.values()),
        "reasons": [(explained(reason), number) for reason, number in reasons.items()],
    }


def _day(day: date, here: Moment) -> datetime:
    """Return the first instant of a day of the clinic's calendar."""
    return to_utc(day, 0, here.zone)
