"""The subscriber's own page: the path, days and hour, pace, breaks, next video now, start again, go on, leave.

The link may have been forwarded, so nothing here shows or changes the address: a copy, an erasure and another address
are asked for here, and a link to each goes out by email. Must not know: what each act changes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from leadmagnet import store
from leadmagnet.domain.fresh_links import FOR_WHOM, Opens
from leadmagnet.domain.sequence import Pace
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.domain.zones import UnknownZone
from leadmagnet.enrollment.path import path_of
from leadmagnet.feedback import fresh_links, steering
from leadmagnet.feedback.clicks import stop_counting
from leadmagnet.feedback.way_back import stays_stopped
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web.context import now, objects_to_tracking, services
from leadmagnet.web.security import keep_private
from leadmagnet.web.subscriber import breaks
from leadmagnet.web.subscriber.own_page_view import SAVED, view
from leadmagnet.web.subscriber.tokens import by_page

blueprint = Blueprint("own_page", __name__, url_prefix="/p")
blueprint.after_request(keep_private)

#: What an act answers: a code for the address, whose sentence is in own_page_view.SAVED.
Act = Callable[[Session, Subscriber, datetime], str]


@blueprint.get("/<token>")
def show(token: str) -> Response:
    """Show the page. Changes nothing."""
    with store.reading(services().engine) as session:
        person = by_page(session, token)
        return _page(session, person, request.args.get("saved", ""))


@blueprint.post("/<token>")
def press(token: str) -> AnyResponse:
    """Do what the pressed button says."""
    action = request.form.get("action", "")
    act, asked = _ACTS.get(action), _ASKED.get(action)
    with store.writing(services().engine) as session:
        person = by_page(session, token)
        if asked is not None and person.status in FOR_WHOM[asked]:
            # The answer is the same whether a link goes out or the last one is too fresh.
            fresh_links.ask(session, person, asked, now())
            saved = "asked"
        elif act is not None and person.status == SubscriberStatus.ACTIVE:
            saved = act(session, person, now().course)
        else:
            return redirect(f"/p/{token}", 303)
        if objects_to_tracking():
            stop_counting(session, person)
    return redirect(f"/p/{token}?saved={saved}#said", 303)


def _page(session: Session, person: Subscriber, saved: str) -> Response:
    if person.status != SubscriberStatus.ACTIVE:
        rights = person.status in FOR_WHOM[Opens.DATA]
        for_good = stays_stopped(session, person, services().config.suppression_key)
        shown = {"status": person.status, "for_good": for_good, "rights": rights}
        return make_response(render_template("own-page-stopped.html", **shown, said=SAVED.get(saved)))
    return make_response(render_template("own-page.html", **view(session, person, now().course, saved)))


def _rhythm(session: Session, person: Subscriber, moment: datetime) -> str:
    days = frozenset(int(day) for day in request.form.getlist("day") if day in "0123456" and len(day) == 1)
    hour, where = request.form.get("hour", ""), request.form.get("timezone", "")
    if not days:
        return "no_days"
    if hour and not (hour.isascii() and hour.isdecimal() and len(hour) <= 2 and int(hour) <= 23):
        return "no_hour"
    chosen = int(hour) if hour else None
    try:
        steering.set_rhythm(session, person, moment, days=days, hour=chosen, timezone=where or None)
    except UnknownZone:
        return "no_zone"
    return "rhythm"


def _resume(session: Session, person: Subscriber, moment: datetime) -> str:
    steering.resume(session, person, moment)
    return "resumed"


def _next(session: Session, person: Subscriber, moment: datetime) -> str:
    if steering.next_now(session, person, moment):
        return "next"
    return "resting" if _resting(session, person, moment) else "no_next"


def _restart(session: Session, person: Subscriber, moment: datetime) -> str:
    if not steering.restart(session, person, moment):
        return "no_restart"
    session.flush()
    return "restarted_later" if _resting(session, person, moment) else "restarted"


def _resting(session: Session, person: Subscriber, moment: datetime) -> bool:
    """Say whether the clinic has paused what the person is on the way through."""
    return path_of(session, person, moment).resting


def _pace(session: Session, person: Subscriber, moment: datetime) -> str:
    chosen = request.form.get("pace", "")
    if chosen not in list(Pace):
        return "no_pace"
    steering.set_pace(session, person, moment, Pace(chosen))
    return "pace"


def _go_on(session: Session, person: Subscriber, moment: datetime) -> str:
    steering.go_on(session, person, moment)
    return "go_on"


def _remind(session: Session, person: Subscriber, moment: datetime) -> str:
    steering.keep_reminding(session, person, moment)
    return "reminding"


def _links(session: Session, person: Subscriber, _moment: datetime) -> str:
    stop_counting(session, person)
    return "links"


_ACTS: dict[str, Act] = {
    "rhythm": _rhythm,
    "pace": _pace,
    "pause": breaks.pause,
    "pause_until": breaks.pause_until,
    "resume": _resume,
    "snooze": breaks.snooze,
    "snooze_until": breaks.snooze_until,
    "next": _next,
    "restart": _restart,
    "go_on": _go_on,
    "remind": _remind,
    "links": _links,
}
#: What a link by email is asked for.
_ASKED = {"ask_data": Opens.DATA, "ask_erase": Opens.ERASE, "ask_address": Opens.ADDRESS}
