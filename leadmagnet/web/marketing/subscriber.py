"""One subscriber: what happened and why, how the weeks went, what comes next, and what somebody may do about it.

Must not know: how the rooms do what is asked of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import groupby

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from leadmagnet import erasing, store
from leadmagnet.audience.erase import erase
from leadmagnet.audience.groups import group_of
from leadmagnet.audience.marks import marks_of
from leadmagnet.audience.timeline import Event, timeline_of
from leadmagnet.domain.consent import Channel
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.domain.weeks import weeks
from leadmagnet.domain.zones import local_day, zone
from leadmagnet.enrollment.path import path_of
from leadmagnet.feedback import leaving, steering
from leadmagnet.feedback.reach import lift
from leadmagnet.feedback.way_back import open_way_back, stays_stopped
from leadmagnet.store.forms import Form
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing import story, words
from leadmagnet.web.marketing.desk import actor, blueprint, editors, moment, owners
from leadmagnet.web.marketing.words import Moment
from leadmagnet.web.words import week

WEEKS_SHOWN = 4


@blueprint.get("/subscribers/<int:number>")
def subscriber(number: int) -> str:
    """Show one person."""
    here = moment()
    with store.reading(services().engine) as session:
        person = _find(session, number)
        group = group_of(person, here.now)
        form = session.get(Form, person.source)
        path = path_of(session, person, here.now)
        events = timeline_of(session, person, here.zone)
        due = [event for event in events if event.status == DeliveryStatus.DUE]
        return render_template(
            "marketing/subscriber.html",
            person=person,
            group=group,
            state=words.badge(group, person.status),
            marks=[words.MARKS[mark] for mark in marks_of(person.email_canonical)],
            came_from=form.title if form else person.source,
            hurt=story.hurt_words(events, person, here) if person.hurt_at else "",
            days=_days(story.folded([event for event in events if event.status != DeliveryStatus.DUE]), here),
            path=path,
            sent=sum(station.state != "next" for station in path.stations),
            weeks=_weeks(session, person, here),
            due=[story.told(event, here) for event in due],
            here=here,
            rhythm=story.rhythm_words(person),
            stay=_stay(person, here),
            for_good=stays_stopped(session, person, services().config.suppression_key),
        )


def _stay(person: Subscriber, here: Moment) -> int:
    """Return after how many days emails move out of the ledger; 0 where this person's cannot have yet."""
    stay = services().config.ledger_retention_days
    return stay if person.created_at < here.now - timedelta(days=stay) else 0


def _find(session: Session, number: int, *, lock: bool = False) -> Subscriber:
    person = session.get(Subscriber, number, with_for_update=lock) if number < 2**63 else None
    if person is None:
        abort(404)
    return person


def _days(events: list[Event], here: Moment) -> list[tuple[str, list[story.Told]]]:
    """Return the events by the clinic's day, the newest first, in both directions."""
    newest = reversed(events)
    return [
        (here.long_day(day), [story.told(event, here) for event in group])
        for day, group in groupby(newest, key=lambda event: event.at.date())
    ]


def _weeks(session: Session, person: Subscriber, here: Moment) -> list[dict[str, object]]:
    """Return the person's last weeks, by their own calendar."""
    days = [check.day for check in store.check_ins.of_subscriber(session, person.id)]
    today = local_day(here.now, zone(person.timezone))
    since = local_day(person.confirmed_at or person.created_at, zone(person.timezone))
    last = weeks(days, len(person.days), today, WEEKS_SHOWN)
    shown = [w for w in last if w.done or story.sunday(w.monday) >= since]
    return [
        {
            "name": "This week" if (today - w.monday).days < 7 else week(w.monday, story.sunday(w.monday)),
            "slots": [number < w.done for number in range(max(w.goal, w.done))],
            "words": f"{w.done} of {w.goal}" if w.done <= w.goal else f"{w.done} done",
        }
        for w in shown
    ]


def _act(number: int, act: Callable[[Session, Subscriber], object], words_after: str) -> Response:
    """Do something to a person in one transaction, say so, and go back to the page."""
    with store.writing(services().engine) as session:
        act(session, _find(session, number, lock=True))
    flash(words_after)
    return redirect(url_for("marketing.subscriber", number=number), 303)


@blueprint.post("/subscribers/<int:number>/pause")
@editors
def pause(number: int) -> Response:
    """Pause all emails until somebody resumes."""
    at, who = now().course, actor()
    said = "Paused. Nothing goes out until somebody resumes."
    return _act(number, lambda s, p: steering.pause(s, p, at, until=None, actor=who), said)


@blueprint.post("/subscribers/<int:number>/resume")
@editors
def resume(number: int) -> Response:
    """End a pause, and write again to a mailbox from which several emails came back."""
    at, who = now(), actor()

    def act(session: Session, person: Subscriber) -> None:
        lift(session, person.id, at, actor=who)
        steering.resume(session, person, at.course, actor=who)

    return _act(number, act, "Emails go on, one at a time.")


@blueprint.post("/subscribers/<int:number>/go-on")
@editors
def go_on(number: int) -> Response:
    """Let emails come again after somebody said that it hurt."""
    at, who = now().course, actor()
    return _act(number, lambda s, p: steering.go_on(s, p, at, actor=who), "Videos and reminders go on.")


@blueprint.get("/subscribers/<int:number>/stop")
@editors
def ask_stop(number: int) -> str:
    """Ask before all emails are stopped: the clinic cannot start them again, only the person can."""
    with store.reading(services().engine) as session:
        return render_template("marketing/stop.html", person=_find(session, number))


@blueprint.post("/subscribers/<int:number>/stop")
@editors
def stop(number: int) -> Response:
    """Stop all emails to a person."""
    at, who = now(), actor()

    def act(session: Session, person: Subscriber) -> None:
        leaving.leave(session, person, at, channel=Channel.MARKETER, actor=who)

    return _act(number, act, "All emails to this person have stopped.")


@blueprint.get("/subscribers/<int:number>/way-back")
@editors
def ask_way_back(number: int) -> str:
    """Ask before somebody whose address stays stopped may sign up again."""
    with store.reading(services().engine) as session:
        person = _find(session, number)
        stopped = stays_stopped(session, person, services().config.suppression_key)
        return render_template("marketing/way-back.html", person=person, stopped=stopped)


@blueprint.post("/subscribers/<int:number>/way-back")
@editors
def way_back(number: int) -> Response:
    """Let somebody sign up again whose address stays stopped."""
    at, who, key = now().course, actor(), services().config.suppression_key

    with store.writing(services().engine) as session:
        opened = open_way_back(session, _find(session, number).email_canonical, at, key=key, actor=who)
    flash("They may sign up again, and confirm then." if opened else "Nothing kept them out.")
    return redirect(url_for("marketing.subscriber", number=number), 303)


@blueprint.get("/subscribers/<int:number>/erase")
@owners
def ask_erase(number: int) -> str:
    """Ask before a person is erased."""
    with store.reading(services().engine) as session:
        return render_template("marketing/erase.html", person=_find(session, number))


@blueprint.post("/subscribers/<int:number>/erase")
@owners
def erase_person(number: int) -> Response:
    """Erase a person and everything about them."""
    parts, at = services(), now()
    with store.writing(parts.engine) as session:
        email = _find(session, number, lock=True).email_canonical
        erase(session, email, at, parts.config.suppression_key, clinic_zone=parts.config.clinic_timezone)
    erasing.finish(parts, at)
    flash("Erased. Nothing about this person is kept, except that an address which asked for silence stays silent.")
    return redirect(url_for("marketing.subscribers"), 303)
