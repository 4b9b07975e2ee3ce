"""A copy of everything kept about a person: to read and print, or as a file. For a link that came by email.

Must not know: what is kept.
"""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, make_response, render_template, request

from leadmagnet import store
from leadmagnet.audience import own_data
from leadmagnet.clock import Now
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.zones import local_day, zone
from leadmagnet.feedback.fresh_links import Found, State
from leadmagnet.rendering.phrases import long_date
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import words
from leadmagnet.web.context import now, services
from leadmagnet.web.security import keep_private
from leadmagnet.web.subscriber.data_words import told
from leadmagnet.web.subscriber.fresh import closed, see, take

blueprint = Blueprint("data", __name__, url_prefix="/data")
blueprint.after_request(keep_private)

FILE = "my-data.json"


@blueprint.get("/<token>")
def show(token: str) -> str:
    """Show what can be taken, each with a button. Changes nothing."""
    with store.reading(services().engine) as session:
        return _choice(see(session, Opens.DATA, token))


@blueprint.post("/<token>")
def press(token: str) -> str | Response:
    """Give the copy that the pressed button names. Each can be had once."""
    part, moment = request.form.get("part", ""), now()
    with store.writing(services().engine) as session:
        found = take(session, Opens.DATA, token)
        if found.link is None or found.person is None or part not in found.parts:
            return _choice(found)
        found.link.take(part)
        sections = own_data.collect(session, found.person, services().config.suppression_key)
        store.activities.add(session, found.person.id, moment.course, "took a copy", detail=_WORDS[part])
        return _file(sections, moment) if part == "file" else _page(found.person, sections, moment)


_WORDS = {"page": "to read", "file": "as a file"}


def _choice(found: Found) -> str:
    if found.state is not State.OPEN:
        return closed(found)
    return render_template("data.html", parts=found.parts)


def _file(sections: list[own_data.Section], moment: Now) -> Response:
    body = orjson.dumps(own_data.as_json(sections, moment.real), option=orjson.OPT_INDENT_2)
    response = make_response(body)
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE}"'
    return response


def _page(person: Subscriber, sections: list[own_data.Section], moment: Now) -> str:
    where = zone(person.timezone)
    told_sections = [(section.title, told(section, where)) for section in sections]
    made_on = long_date(local_day(moment.real, where))
    left_out = sorted(set(own_data.COLUMNS_LEFT_OUT) | set(own_data.LEFT_OUT))
    return render_template(
        "my-data.html",
        sections=told_sections,
        email=person.email,
        made_on=made_on,
        place=words.place(person.timezone),
        left_out=[name.replace("_", " ") for name in left_out],
    )
