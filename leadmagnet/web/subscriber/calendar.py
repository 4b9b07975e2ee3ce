"""The exercise days for a calendar program, which asks for them again each day.

While nothing should be done (it hurt, all is paused without an end, the emails have stopped) the calendar is empty, so
that a program that follows it takes the days away. Must not know: how such a file is written.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, make_response
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.domain.tokens import BadToken
from leadmagnet.domain.zones import zone
from leadmagnet.rendering.calendar import ExerciseDays, calendar_file, first_day
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web import course
from leadmagnet.web.context import now, services
from leadmagnet.web.security import keep_private
from leadmagnet.web.subscriber.tokens import OldLink

blueprint = Blueprint("calendar", __name__)
blueprint.after_request(keep_private)

#: What the calendar is called, where family and colleagues may see it.
CALENDAR = "Quiet minutes"
#: The course's hour where somebody is in no course: nine in the morning.
NINE = 9 * 60


@blueprint.get("/calendar/<token>.ics")
def show(token: str) -> Response:
    """Send the file. Changes nothing."""
    with store.reading(services().engine) as session:
        person = _person(session, token)
        body = _body(session, person, now())
    response = make_response(body)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = 'inline; filename="exercise-days.ics"'
    return response


def _person(session: Session, token: str) -> Subscriber:
    try:
        subscriber_id = services().links.read_calendar(token)
    except BadToken as error:
        raise OldLink from error
    person = session.get(Subscriber, subscriber_id)
    if person is None:
        raise OldLink
    return person


def _body(session: Session, person: Subscriber, moment: Now) -> bytes:
    where, endless = zone(person.timezone), person.paused_at is not None and person.paused_until is None
    rests = person.status != SubscriberStatus.ACTIVE or person.hurt_at is not None or endless
    rhythm = ExerciseDays(
        () if rests else person.days,
        _minute(session, person),
        where,
        first_day(moment.course, where, person.paused_until),
    )
    # Stable for the person and telling nothing of them: the stored id of their way out, hashed.
    uid = hashlib.sha256(f"exercise days {person.leave_id}".encode()).hexdigest()[:24]
    return calendar_file(rhythm, f"{uid}@leadmagnet", CALENDAR, moment.course)


def _minute(session: Session, person: Subscriber) -> int:
    if person.chosen_hour is not None:
        return person.chosen_hour * 60
    found = course.of_subscriber(session, person.id)
    return found.sequence.hour if found else NINE
