"""The confirmation page: a button, because link scanners follow every link; pressing it confirms.

Must not know: what confirming changes.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from leadmagnet import store
from leadmagnet.domain.consent import Purpose
from leadmagnet.domain.tokens import BadToken
from leadmagnet.domain.zones import local_day, zone
from leadmagnet.enrollment.path import Station, path_of
from leadmagnet.feedback.clicks import stop_counting
from leadmagnet.rendering.phrases import safe_name
from leadmagnet.signup.confirm import Answer, confirm, look, purposes_of, renew, requested
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import course, words
from leadmagnet.web.context import here, now, objects_to_tracking, origin, services
from leadmagnet.web.security import keep_private
from leadmagnet.web.stations import of_person
from leadmagnet.web.subscriber.tokens import OldLink

blueprint = Blueprint("confirm", __name__, url_prefix="/confirm")
blueprint.after_request(keep_private)

_GONE = {
    "heading": "This link is old or was cut in two",
    "words": "Please copy the whole link from the email, or sign up once more. It takes a moment.",
    "link": {"href": "/", "words": "Sign up"},
}
_EXPIRED = {
    "heading": "This link has run out",
    "words": "A confirmation link works for seven days. We can send you a fresh one.",
    "button": {"action": "renew", "words": "Send me a fresh link"},
    "hint": "If you didn’t sign up, you can close this page. We send nothing more.",
}
_STOPPED = {
    "heading": "We can’t write to this address",
    "words": "An earlier email came back or was reported as unwanted, so our emails have stopped.",
    "hint": "If that is a mistake, please call us, or sign up with another address.",
    "show_phone": True,
}


def _read(token: str) -> tuple[int, datetime]:
    try:
        return services().links.read_confirm(token)
    except BadToken as error:
        raise OldLink from error


@blueprint.get("/<token>")
def show(token: str) -> tuple[str, int]:
    """Show what the link can do. Changes nothing."""
    subscriber_id, issued = _read(token)
    with store.reading(services().engine) as session:
        answer, person = look(session, subscriber_id, issued, now())
        return _page(session, answer, person)


@blueprint.post("/<token>")
def press(token: str) -> tuple[str, int] | AnyResponse:
    """Confirm, or send a fresh link."""
    subscriber_id, issued = _read(token)
    moment = now()
    with store.writing(services().engine) as session:
        if request.form.get("action") == "renew":
            if look(session, subscriber_id, issued, moment)[0] is Answer.EXPIRED:
                renew(session, subscriber_id, moment)
            return redirect("/signup/check-inbox", 303)
        shown = request.form.get("request", type=int)
        answer, person = confirm(session, subscriber_id, issued, moment, origin(token), shown)
        if person is not None and objects_to_tracking():
            stop_counting(session, person)
        session.flush()
        return _page(session, answer, person)


def _page(session: Session, answer: Answer, person: Subscriber | None) -> tuple[str, int]:
    if person is None or answer is Answer.GONE:
        return render_template("message.html", **_GONE), 404
    if answer is Answer.READY:
        return _ready(session, person), 200
    if answer in (Answer.CONFIRMED, Answer.ALREADY):
        return _thanks(session, answer, person), 200
    return render_template("message.html", **(_EXPIRED if answer is Answer.EXPIRED else _STOPPED)), 200


def _ready(session: Session, person: Subscriber) -> str:
    """Return the page with the button. It says what is confirmed, and the button confirms just that."""
    asked = requested(session, person.id)
    return render_template(
        "confirm.html",
        name=safe_name(person.first_name),
        email=person.email,
        request_id=asked.id if asked else "",
        news=Purpose.NEWS in purposes_of(asked),
    )


def _thanks(session: Session, answer: Answer, person: Subscriber) -> str:
    links, moment = services().links, now().course
    found, path = course.of_subscriber(session, person.id), path_of(session, person, moment)
    first = path.stations[0] if path.stations else None
    newest = next((place for place in reversed(path.stations) if place.state != "next"), first)

    def link(slug: str) -> str:
        return here(links.video(person.id, slug))

    fresh = answer is Answer.CONFIRMED and newest is not None and newest.state == "next"
    today = local_day(moment, zone(person.timezone))
    return render_template(
        "thanks.html",
        name=safe_name(person.first_name),
        headline=_COMES if fresh and not path.resting else "Your address is confirmed.",
        lead=_LEAD_RESTING if fresh and path.resting else _LEAD_FRESH if fresh else _LEAD_ALREADY,
        watch=_watch(newest, found, link(newest.slug)) if newest else None,
        stations=of_person(path, found, person, today, link) if found else [],
        hour=hour_of(person, found),
        place=words.place(person.timezone),
        page_href=here(links.page(person.id)),
    )


def _watch(station: Station, found: course.Course | None, href: str) -> dict[str, str]:
    """Return the button that leads to a video."""
    video = found.find(station.slug) if found else None
    return {"href": href, "words": f"Watch video {station.number}", "aside": aside(video) if video else ""}


_COMES = "Video\N{NO-BREAK SPACE}1 is on its way."
_LEAD_FRESH = "It will be in your inbox in a minute. Or start right here, while you’re thinking of it."
_LEAD_RESTING = "We are taking a short break with the emails; yours begin when we go on. Or start right here."
_LEAD_ALREADY = "There’s nothing more to press. The videos and your own page are here whenever you like."


def aside(video: course.Video) -> str:
    """Return what to know before pressing play: the film's length and what is needed."""
    known = (video.length, video.document.text("equipment"))
    return ", ".join(part for part in known if part)


def hour_of(person: Subscriber, found: course.Course | None) -> str:
    """Return the hour at which a person's emails come, in words."""
    if person.chosen_hour is not None:
        return words.hour(person.chosen_hour * 60)
    return words.hour(found.sequence.hour if found else 9 * 60)
