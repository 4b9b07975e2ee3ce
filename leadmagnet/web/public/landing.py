"""The landing page, other forms' pages, and the sign-up itself. The answer is the same for every address.

Must not know: what becomes of a sign-up.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from leadmagnet import store
from leadmagnet.domain.networks import network_of
from leadmagnet.signup.receive import Request, receive
from leadmagnet.store.forms import Form
from leadmagnet.web import course, pages, words
from leadmagnet.web.context import now, objects_to_tracking, origin, remote_ip, services, shows_outbox
from leadmagnet.web.public.signup_form import TOO_QUICK, Shown, SignUpForm, stamp, too_quick
from leadmagnet.web.stations import on_landing

blueprint = Blueprint("landing", __name__)


@blueprint.get("/")
def landing() -> Response:
    """Show the landing page."""
    with store.reading(services().engine) as session:
        return _page(session, course.landing_form(session))


@blueprint.get("/f/<slug>")
def form(slug: str) -> Response:
    """Show the page of one form."""
    with store.reading(services().engine) as session:
        found = store.forms.get(session, slug)
        if found is None:
            abort(404)
        return _page(session, found)


@blueprint.post("/signup")
def signup() -> AnyResponse:
    """Take a sign-up, or show the form again with what is to be mended."""
    sent = SignUpForm()
    sound, moment = sent.validate(), now()
    if sent.homepage.data:
        # No person meets this field. The answer tells a machine nothing.
        return redirect("/signup/check-inbox", 303)
    if not sound or too_quick(sent.shown.data or ""):
        with store.reading(services().engine) as session:
            return _again(session, sent)
    with store.reading(services().engine) as session:
        known = _request(session, sent)
    # Nothing but the row: on SQLite, everybody else waits meanwhile.
    with store.writing(services().engine) as session:
        receive(session, known, moment)
    return redirect("/signup/check-inbox", 303)


@blueprint.get("/signup")
def signup_again() -> AnyResponse:
    """Lead to the form: somebody has loaded the address anew under which it was shown to be mended."""
    return redirect("/#signup", 303)


@blueprint.get("/signup/check-inbox")
def check_inbox() -> str:
    """Say where to look now. The same for everybody."""
    return render_template("check-inbox.html", trial=shows_outbox())


def _request(session: Session, sent: SignUpForm) -> Request:
    slug = _known_form(session, sent.form.data or "")
    consent, came_from = _consent(session, slug), origin()
    return Request(
        address=sent.address,
        first_name=sent.name,
        timezone=sent.timezone.data or "",
        form=slug,
        wording=consent.wording,
        language=consent.language,
        version=consent.version,
        purposes=sent.purposes,
        page=_where(),
        ip=came_from.ip,
        user_agent=came_from.user_agent,
        network=network_of(remote_ip()),
        track_links=services().config.track_links and not objects_to_tracking(),
        proof=sent.altcha.data or "",
    )


def _where() -> str:
    """Return the page that carried the form, without what follows a question mark."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    return f"{came_from.scheme}://{came_from.netloc}{came_from.path}" if came_from.netloc else ""


def _known_form(session: Session, slug: str) -> str:
    found = store.forms.get(session, slug) or course.landing_form(session)
    return found.slug if found else course.LANDING


def _consent(session: Session, slug: str) -> pages.Consent:
    found = course.of_form(session, store.forms.get(session, slug))
    return pages.consent(services().clinic, found.interval_phrase if found else course.ANY_INTERVAL)


def shown_form(session: Session, slug: str, sent: SignUpForm | None = None) -> Shown:
    """Return the form for a template; with `sent`, what was typed and what is to be mended."""
    found = course.of_form(session, store.forms.get(session, slug))
    interval = found.interval_phrase if found else course.ANY_INTERVAL
    fresh = Shown(slug, interval, pages.consent(services().clinic, interval), stamp(now().real))
    if sent is None:
        return fresh
    mistakes = sent.mistakes()
    return Shown(
        fresh.slug,
        fresh.interval,
        fresh.consent,
        fresh.shown,
        sent.first_name.data or "",
        sent.email.data or "",
        sent.timezone.data or "",
        bool(sent.consent.data),
        bool(sent.news.data),
        "" if mistakes else TOO_QUICK,
        mistakes,
    )


def _again(session: Session, sent: SignUpForm) -> Response:
    slug = _known_form(session, sent.form.data or "")
    response = _page(session, store.forms.get(session, slug), sent)
    response.status_code = 422
    return response


def _page(session: Session, form: Form | None, sent: SignUpForm | None = None) -> Response:
    clinic, found = services().clinic, course.of_form(session, form)
    videos = found.videos if found else []
    days = videos[-1].day if videos else 0
    response = make_response(
        render_template(
            "landing.html",
            title=found.sequence.title if found else "Six core videos",
            f=shown_form(session, form.slug if form else course.LANDING, sent),
            stations=on_landing(videos),
            days_phrase=words.capital(words.count(days, "day")),
            stations_phrase=words.count(len(videos), "station"),
            pace=words.capital(found.interval_phrase) + ", so there is time to try each twice." if found else "",
            films=found.films_phrase if found else "",
            good_to_know=pages.parts(pages.page("good-to-know"), clinic),
            ask_first=pages.html(pages.page("ask-first").sections[""], clinic),
        )
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response
