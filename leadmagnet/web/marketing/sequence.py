"""The sequence: its emails in order, how each does, what each looks like, and the rehearsal of all of them.

Must not know: how an email is compiled, how an instant is worked out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, make_response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from leadmagnet import store
from leadmagnet.audience.titles import Titles, titles_of
from leadmagnet.domain import schedule
from leadmagnet.domain.message import Expanded
from leadmagnet.domain.rehearsal import Planned, rehearse
from leadmagnet.domain.sequence import day_number
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.domain.weeks import monday_of
from leadmagnet.domain.zones import UnknownZone, all_zones, local_day, local_time, zone
from leadmagnet.rendering.outside import BOOKING
from leadmagnet.rendering.preview import sample_letter
from leadmagnet.store import reports
from leadmagnet.store.sequences import Sequence, Step, StepRevision
from leadmagnet.web import course
from leadmagnet.web.context import services
from leadmagnet.web.frames import frame_size
from leadmagnet.web.marketing import words
from leadmagnet.web.marketing.desk import blueprint, moment
from leadmagnet.web.security import policy
from leadmagnet.web.words import full_day, short_day

#: Where a rehearsal person exercises: the days a new subscriber has.
SAMPLE_DAYS = frozenset({0, 2, 4})
_EVERY = "Monday to Sunday"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _find(session: Session) -> Sequence | None:
    """Return the sequence of the landing page, or the first one there is."""
    form = course.landing_form(session)
    found = store.sequences.by_slug(session, form.sequence_slug) if form else None
    return found or session.scalars(select(Sequence).order_by(Sequence.id)).first()


@blueprint.get("/sequence")
def sequence() -> str:
    """Show the emails in order."""
    with store.reading(services().engine) as session:
        found = _find(session)
        if found is None:
            return render_template("marketing/sequence.html", sequence=None)
        lines = _lines(session, found)
        return render_template(
            "marketing/sequence.html",
            sequence=found,
            pause=next((one for one in store.pauses.standing(session) if one.sequence_id == found.id), None),
            here=moment(),
            lines=lines,
            length=max((line["day"] for line in lines), default=0),
            hour=schedule.clock_words(found.hour),
            window=f"{schedule.clock_words(found.opens)} to {schedule.clock_words(found.closes)}",
            weekdays=_weekdays(found.weekdays),
        )


def _lines(session: Session, found: Sequence) -> list[dict[str, Any]]:
    """Return the emails of a sequence with their days, words and figures."""
    titles, figures = titles_of(session), reports.steps(session, found.id)
    videos = {video.step_id: video for video in course.load(session, found).videos}
    rules = [step.rule() for step in store.sequences.steps_of(session, found.id) if not step.removed]
    days = day_number(rules)
    return [
        {
            "step": rule,
            "day": days[rule.id],
            "video": videos.get(rule.id),
            "title": titles.step(rule.slug),
            "subject": titles.subject(rule.id, "", rule.kind),
            "wait": f"{rule.delay.words()} after the email before" if place else "at once after confirming",
            "gap": rule.delay.words() if place else "",
            "figures": figures[rule.id],
        }
        for place, rule in enumerate(rules)
    ]


def _weekdays(digits: str) -> str:
    return _EVERY if len(set(digits)) == 7 else ", ".join(_DAYS[int(digit)] for digit in sorted(set(digits)))


@blueprint.get("/sequence/<int:step_id>")
def email(step_id: int) -> str:
    """Show one email as its readers see it, as HTML in a frame and as text."""
    with store.reading(services().engine) as session:
        step, letter = _letter(session, step_id)
        return render_template(
            "marketing/email.html",
            step=step,
            title=titles_of(session).step(step.slug),
            letter=letter,
            size=frame_size(letter.text),
            links=store.clicks.of_step(session, step.id),
            booking=BOOKING,
            counts_links=services().config.track_links,
        )


@blueprint.get("/sequence/<int:step_id>/frame")
def email_frame(step_id: int) -> Response:
    """Show the email's HTML alone. Its styles are inline, so this answer has a policy of its own; it runs nothing."""
    with store.reading(services().engine) as session:
        _, letter = _letter(session, step_id)
    response = make_response(letter.html)
    pictures = f"'self' data: {services().config.public_url}"
    response.headers["Content-Security-Policy"] = policy(
        script_src="'none'",
        style_src="'unsafe-inline'",
        img_src=pictures,
        frame_ancestors="'self'",
        form_action="'none'",
        sandbox="allow-popups",
    )
    return response


def _letter(session: Session, step_id: int) -> tuple[Step, Expanded]:
    step = session.get(Step, step_id) if step_id < 2**63 else None
    revision = session.get(StepRevision, step.revision_id) if step and step.revision_id else None
    if step is None or revision is None:
        abort(404)
    parts = services()
    found = session.get_one(Sequence, step.sequence_id)
    videos = course.load(session, found).videos
    # Nothing follows the last video, nor one that was taken out.
    after = next((two.title for one, two in pairwise(videos) if one.step_id == step.id), None)
    letter = sample_letter(
        revision.source,
        parts.clinic,
        parts.config.public_url,
        moment().now,
        home_title=found.title,
        videos=len(videos),
        next_title=after,
    )
    return step, letter


@blueprint.get("/sequence/calendar")
def calendar() -> str:
    """Rehearse: every email of somebody who confirms at an instant and never answers."""
    where, start, problem = _asked()
    with store.reading(services().engine) as session:
        found = _find(session)
        weeks = _weeks(session, found, start, where) if found else []
    return render_template(
        "marketing/calendar.html",
        sequence=found,
        weeks=weeks,
        start=f"{local_time(start, where):%Y-%m-%dT%H:%M}",
        typed=request.args.get("timezone", "").strip() or where.key,
        zone=where.key,
        zones=sorted(name for name in all_zones() if "/" in name and not name.startswith("Etc/")),
        problem=problem,
        confirmed=f"{full_day(local_day(start, where))} {local_time(start, where):%Y, %H:%M}",
    )


def _asked() -> tuple[ZoneInfo, datetime, str]:
    """Return zone and instant that the address asks for, and what of it could not be read."""
    here = moment()
    where, start, problem = here.zone, here.now, ""
    asked_zone, asked_start = (request.args.get(name, "").strip() for name in ("timezone", "start"))
    try:
        where = zone(asked_zone) if asked_zone else where
    except UnknownZone:
        problem = "That is not a time zone. One looks like America/Vancouver."
    try:
        start = _instant(asked_start, where) if asked_start else start
    except (ValueError, OverflowError):
        problem = "That is not a date and time. One looks like 2026-11-23T10:30."
    return where, start, problem


def _instant(text: str, where: ZoneInfo) -> datetime:
    """Read an instant; without an offset it is local time. Raises ValueError, also for years no calendar can show."""
    read = datetime.fromisoformat(text)
    at = read if read.tzinfo else schedule.to_utc(read.date(), read.hour * 60 + read.minute, where)
    if not 2000 <= at.year <= 2100:
        raise ValueError("a year that nobody rehearses")
    return at.astimezone(UTC)


def _weeks(session: Session, found: Sequence, start: datetime, where: ZoneInfo) -> list[dict[str, object]]:
    rules = [step.rule() for step in store.sequences.steps_of(session, found.id)]
    titles = titles_of(session)
    planned = rehearse(rules, found.rhythm(None), where, start, SAMPLE_DAYS)
    by_week = groupby(planned, key=lambda email: monday_of(local_day(email.at, where)))
    return [
        {
            "name": f"Week {number}",
            "span": f"{short_day(monday)} to {short_day(monday + timedelta(days=6))}",
            "emails": [_line(email, titles, local_day(start, where), where) for email in emails],
        }
        for number, (monday, emails) in enumerate(by_week, 1)
    ]


def _line(email: Planned, titles: Titles, first: date, where: ZoneInfo) -> dict[str, object]:
    day, name = local_day(email.at, where), words.kind(email.kind)
    return {
        "day": short_day(day),
        "hour": f"{local_time(email.at, where):%H:%M}",
        "number": (day - first).days + 1,
        "head": f"{name}: {titles.step(email.step)}" if email.kind is DeliveryKind.VIDEO else name,
        "why": email.reason,
        "reminder": email.kind is DeliveryKind.REMINDER,
    }
