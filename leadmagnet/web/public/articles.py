"""Pages to read: the article with its form, and privacy. Must not know: a subscriber."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from leadmagnet import store
from leadmagnet.web import course, pages
from leadmagnet.web.context import services
from leadmagnet.web.public.landing import shown_form

blueprint = Blueprint("articles", __name__)
_CORE = "article-core"


@blueprint.get("/articles/core")
def core() -> Response:
    """Show the article about the core, with a form at its end."""
    document = pages.page(_CORE)
    with store.reading(services().engine) as session:
        form = store.forms.get(session, _CORE) or course.landing_form(session)
        shown = shown_form(session, form.slug if form else course.LANDING)
    parts = pages.parts(document, services().clinic)
    response = make_response(render_template("article.html", article=document, parts=parts, f=shown))
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/privacy")
def privacy() -> str:
    """Say what is kept, why, how long, and whom to ask."""
    document = pages.page("privacy")
    links = document.sections["Links noted" if services().config.track_links else "Links not noted"]
    body = pages.html(document.sections[""], services().clinic, {"links_sentence": " ".join(links.split())})
    lead = pages.plain(document.text("lead"), services().clinic)
    return render_template("privacy.html", title=document.text("title"), lead=lead, body=body)
