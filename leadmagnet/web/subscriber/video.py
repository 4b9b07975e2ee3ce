"""The video page: film, steps, dose, when to stop, and 'how did it feel?'. And what its script reports.

The first video is open to everybody; the others open with the link from an email, once they have been sent.
Must not know: what watching or checking in changes.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from leadmagnet import store
from leadmagnet.domain.zones import local_day, zone
from leadmagnet.enrollment.path import Path, path_of
from leadmagnet.feedback.watching import acknowledge, watched
from leadmagnet.store.deliveries import OUT, Delivery
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import course, pages, progress, words
from leadmagnet.web.context import here, now, services
from leadmagnet.web.course import Course, Video
from leadmagnet.web.security import allow_media_from, csrf, keep_private
from leadmagnet.web.stations import of_person
from leadmagnet.web.subscriber.tokens import by_video

blueprint = Blueprint("video", __name__, url_prefix="/v")
blueprint.after_request(keep_private)

_PERCENT = re.compile(r"[0-9]|[1-9][0-9]|100")
#: Headings of a step's text that the page shows; the others are emails.
SECTIONS = (
    "Purpose",
    "Steps",
    "Easier",
    "Harder",
    "On a chair or standing",
    "Common mistakes",
    "When to stop",
    "Transcript",
)


@blueprint.get("/<slug>")
def show(slug: str) -> str | Response:
    """Show a video's page."""
    token = request.args.get("t", "")
    with store.reading(services().engine) as session:
        if not token:
            return _public(session, slug)
        person = by_video(session, token)
        found, video = _find(session, person, slug)
        path = path_of(session, person, now().course)
        if not _open(session, person, found, video):
            if video in found.former:
                abort(404)
            return _not_yet(path, video, person)
        return _personal(session, person, found, video, path, token)


@blueprint.post("/<slug>/ready")
def ready(slug: str) -> AnyResponse:
    """Record that the list of whom to ask first has been read, and show the film."""
    token = request.args.get("t", "")
    with store.writing(services().engine) as session:
        person = by_video(session, token)
        _find(session, person, slug)
        acknowledge(session, person, now().course)
    return redirect(f"{here(services().links.video(person.id, slug))}#film", 303)


@blueprint.post("/<slug>/progress")
@csrf.exempt
def report(slug: str) -> tuple[str, int]:
    """Take how much has been played. The token in the body is the key, so no cookie is needed."""
    token, percent = _reported()
    with store.writing(services().engine) as session:
        person = by_video(session, token)
        found, video = _find(session, person, slug)
        if _open(session, person, found, video):
            watched(session, person, slug, percent, now().course)
    return "", 204


def _reported() -> tuple[str, int]:
    body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    if not isinstance(body, dict):
        abort(400)
    token, percent = body.get("t"), str(body.get("percent", ""))
    if not isinstance(token, str) or not _PERCENT.fullmatch(percent):
        abort(400)
    return token, int(percent)


def _find(session: Session, person: Subscriber, slug: str) -> tuple[Course, Video]:
    found = course.of_subscriber(session, person.id) or course.of_form(session, course.landing_form(session))
    video = found.find(slug) if found else None
    if found is None or video is None:
        abort(404)
    return found, video


def _open(session: Session, person: Subscriber, found: Course, video: Video) -> bool:
    """Say whether the video has been sent to this person, in any pass. The first is open to everybody."""
    if video in found.videos[:1]:
        return True
    sent = exists().where(
        Delivery.subscriber_id == person.id, Delivery.step_id == video.step_id, Delivery.status.in_(OUT)
    )
    return bool(session.scalar(select(sent)))


def _public(session: Session, slug: str) -> str:
    found = course.of_form(session, course.landing_form(session))
    video = found.find(slug) if found else None
    if found is None or video is None:
        abort(404)
    if video is not found.videos[0]:
        abort(403)
    asks = None if request.args.get("ready") else {"href": "?ready=1#film"}
    return render_template("video.html", **_content(found, video), asks=asks, person=None)


def _not_yet(path: Path, video: Video, person: Subscriber) -> Response:
    station = next((place for place in path.stations if place.step_id == video.step_id), None)
    where = zone(person.timezone)
    at = station.at if station else None
    if at is None:
        when = "It comes when your emails go on."
    elif local_day(at, where) <= local_day(now().course, where):
        when = "It comes today."
    else:
        when = f"It comes on {words.full_day(local_day(at, where))}."
    page = render_template(
        "message.html",
        heading=f"Video {video.number}, {video.title}, isn’t here yet",
        words=when,
        hint="There is time to try the earlier ones again. On your own page you can ask for it sooner.",
        link={"href": here(services().links.page(person.id)), "words": "Open my page"},
    )
    return make_response(page)


def _content(found: Course, video: Video) -> dict[str, object]:
    """Return what the page shows to anybody."""
    clinic = services().clinic
    allow_media_from(video.film)
    return {
        "video": video,
        "many": len(found.videos),
        "parts": {title: video.text(title, clinic) for title in SECTIONS},
        "pictures": course.pictures(video.document),
        "doses": course.doses(video.document),
        "poster": video.document.text("poster"),
        "ask_first": pages.page("ask-first"),
        "ask_first_html": pages.html(pages.page("ask-first").sections[""], clinic),
        "page_href": "",
    }


def _personal(session: Session, person: Subscriber, found: Course, video: Video, path: Path, token: str) -> str:
    links, moment = services().links, now().course
    today = local_day(moment, zone(person.timezone))
    needs_asking = person.asked_first_at is None
    rows, sentence = progress.of_person(session, person, today)
    coming = path.next if path.next and path.next.at and path.next.step_id != video.step_id else None
    return render_template(
        "video.html",
        **_content(found, video)
        | {
            "asks": {"post": f"/v/{video.slug}/ready?t={token}"} if needs_asking else None,
            "person": person,
            "token": token,
            "weeks": rows,
            "weeks_sentence": sentence,
            "goal": words.number(len(person.days)),
            "done_action": here(links.done(person.id, video.step_id)),
            "page_href": here(links.page(person.id)),
            "stations": of_person(path, found, person, today, lambda slug: here(links.video(person.id, slug))),
            "coming": coming,
            "coming_on": words.full_day(local_day(coming.at, zone(person.timezone))) if coming and coming.at else "",
        },
    )
