"""'I did it': a check-in with how it felt. 'It hurt' leads to a page of its own, with a note and a way back.

Must not know: what a check-in changes.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from leadmagnet import store
from leadmagnet.domain.zones import local_day, zone
from leadmagnet.enrollment.path import path_of
from leadmagnet.feedback.check_ins import add_note, check_in
from leadmagnet.feedback.steering import go_on
from leadmagnet.store.check_ins import Felt
from leadmagnet.store.sequences import Step
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import course, progress, words
from leadmagnet.web.context import here, now, services
from leadmagnet.web.security import keep_private
from leadmagnet.web.subscriber.tokens import by_done

blueprint = Blueprint("done", __name__, url_prefix="/done")
blueprint.after_request(keep_private)

_FELT = {felt.value for felt in Felt}


@blueprint.get("/<token>")
def show(token: str) -> Response:
    """Show the four answers, or what follows one. Changes nothing."""
    with store.reading(services().engine) as session:
        person, step = by_done(session, token)
        saved = request.args.get("saved", "")
        if saved in ("hurt", "note"):
            return _hurt(person, noted=saved == "note")
        if saved in _FELT:
            return _thanks(session, person, step.id)
        return _ask(session, person, step, request.args.get("felt", ""))


@blueprint.post("/<token>")
def press(token: str) -> AnyResponse:
    """Record the answer, a note about pain, or that the person wants to go on."""
    moment, action = now().course, request.form.get("action", "")
    felt, note = request.form.get("felt", ""), request.form.get("note", "").strip()
    with store.writing(services().engine) as session:
        person, step = by_done(session, token)
        if action == "go_on":
            go_on(session, person, moment)
            return redirect(f"{here(services().links.page(person.id))}?saved=go_on", 303)
        if action == "note":
            if not note:
                # Nothing was written, so nothing is said to have arrived.
                return redirect(f"/done/{token}?saved=hurt#note", 303)
            add_note(session, person, step.slug, note, moment)
            return redirect(f"/done/{token}?saved=note", 303)
        if felt not in _FELT:
            response = _ask(session, person, step, "", missing=True)
            response.status_code = 422
            return response
        check_in(session, person, step.slug, Felt(felt), moment, note)
    return redirect(f"/done/{token}?saved={felt}", 303)


def _ask(session: Session, person: Subscriber, step: Step, felt: str, *, missing: bool = False) -> Response:
    found = course.of_subscriber(session, person.id)
    video = found.by_step(step.id) if found else None
    page = render_template(
        "done.html",
        title=video.title if video else "Your exercise",
        chosen=felt if felt in _FELT else "",
        missing=missing,
        video_href=here(services().links.video(person.id, video.slug)) if video else "",
        page_href=here(services().links.page(person.id)),
    )
    return make_response(page)


def _hurt(person: Subscriber, *, noted: bool) -> Response:
    page = render_template(
        "hurt.html", noted=noted, held=person.hurt_at is not None, page_href=here(services().links.page(person.id))
    )
    return make_response(page)


def _thanks(session: Session, person: Subscriber, step_id: int) -> Response:
    moment, where = now().course, zone(person.timezone)
    rows, sentence = progress.of_person(session, person, local_day(moment, where))
    path = path_of(session, person, moment)
    coming = path.next if path.next and path.next.at and path.next.step_id != step_id else None
    page = render_template(
        "did-it.html",
        weeks=rows,
        sentence=sentence,
        goal=words.number(len(person.days)),
        coming=coming,
        coming_on=words.full_day(local_day(coming.at, where)) if coming and coming.at else "",
        page_href=here(services().links.page(person.id)),
    )
    return make_response(page)
