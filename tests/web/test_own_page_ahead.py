"""What is ahead, on the own page: the next email, a pace, breaks until a date, and the days in a calendar."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest

from leadmagnet import store
from leadmagnet.domain.status import DeliveryKind, EnrollmentStatus
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber


def act(site, person, action, **fields):
    return site.post(site.own_page(person), action=action, **fields)


def page(site, person):
    return site.get(site.own_page(person)).text


def change(site, person, **columns):
    with store.writing(site.services.engine) as session:
        row = session.get_one(Subscriber, person.id)
        for name, value in columns.items():
            setattr(row, name, value)


def test_the_next_email_is_named_with_its_day_and_hour(site):
    """Monday, 2 March 2026, seven in the morning in Vancouver; video 2 comes on Thursday."""
    person = site.person(sent=1)
    assert "That’s your next email, around 9 in the morning." in page(site, person)
    change(site, person, remind_at=site.clock.course)
    aside = "unless you’ve done your exercises by then."
    assert f"a reminder, today, around 9 in the morning, {aside}" in page(site, person)
    with store.writing(site.services.engine) as session:
        check_in(session, session.get_one(Subscriber, person.id), "dead-bug", Felt.RIGHT, site.clock.course)
    assert f"a reminder, on Wednesday, 4 March, around 9 in the morning, {aside}" in page(site, person)
    # On the day of a video no reminder comes, and while reminders rest the video is next.
    change(site, person, exercise_days="3")
    assert "That’s your next email" in page(site, person)
    change(site, person, exercise_days="02", snoozed_until=site.clock.course + timedelta(days=9))
    assert "That’s your next email" in page(site, person)
    change(site, person, snoozed_until=None, unanswered=4)
    assert "That’s your next email" in page(site, person)
    change(site, person, paused_at=site.clock.course)
    assert "next email" not in page(site, person)


def test_after_the_last_video_the_closing_email_is_next_and_then_reminders(site):
    person = site.person(sent=6)
    with store.writing(site.services.engine) as session:
        course = session.query(Enrollment).one()
        row = Delivery(subscriber_id=person.id, enrollment_id=course.id, kind=DeliveryKind.FINISHED)
        row.created_at, row.due_at = site.clock.course, datetime(2026, 3, 20, 16, tzinfo=UTC)
        session.add(row)
    assert "a few words to end the course, on Friday, 20 March, around 9 in the morning." in page(site, person)
    with store.writing(site.services.engine) as session:
        session.query(Enrollment).one().status = EnrollmentStatus.FINISHED
        session.delete(session.query(Delivery).filter_by(kind="finished").one())
    change(site, person, remind_at=site.clock.course)
    assert "Your next email: a reminder, today" in page(site, person)
    assert "As planned" not in page(site, person)


def test_the_pace_is_chosen_in_words(site):
    person = site.person(sent=1)
    assert "Slower, one every six days" in page(site, person)
    assert "follows your new pace" in site.get(act(site, person, "pace", pace="slower").location).text
    assert site.again(person).pace == "slower"
    assert 'value="slower" checked' in page(site, person)
    assert "comes on Sunday, 8 March" in page(site, person)
    for wrong in ("", "fastest", "usual "):
        assert "Choose one of the three paces" in site.get(act(site, person, "pace", pace=wrong).location).text
    assert site.again(person).pace == "slower"
    change(site, person, wants_videos=False)
    assert "Save the pace" not in page(site, person), "nobody paces what does not come"


def test_a_break_ends_on_a_day_of_the_person_s_own_calendar(site):
    """Monday morning in Vancouver is Tuesday in Auckland: there, the first day on offer is Wednesday."""
    person = site.person(sent=1, timezone="Pacific/Auckland")
    assert 'min="2026-03-04" max="2027-03-04"' in page(site, person)
    for wrong in ("2026-03-03", "2026-03-02", "2027-03-05", "4 March", "", "2026-02-30"):
        for what in ("pause_until", "snooze_until"):
            assert "Choose a day from tomorrow on" in site.get(act(site, person, what, until=wrong).location).text
    again = site.again(person)
    assert (again.paused_at, again.snoozed_until) == (None, None)
    act(site, person, "snooze_until", until="2026-03-04")
    assert site.again(person).snoozed_until == datetime(2026, 3, 3, 11, tzinfo=UTC)
    answer = act(site, person, "pause_until", until="2026-04-06")
    assert "Your emails are paused until Monday, 6 April." in site.get(answer.location).text
    # The clocks have gone back by then.
    assert site.again(person).paused_until == datetime(2026, 4, 5, 12, tzinfo=UTC)


def test_the_calendar_holds_the_chosen_days_and_is_linked_from_the_page(site):
    person = site.person(sent=1, exercise_days="15", chosen_hour=18)
    path = site.services.links.calendar(person.id).removeprefix(site.services.config.public_url)
    assert f'href="{path}"' in page(site, person)
    answer = site.get(path)
    assert answer.content_type == "text/calendar; charset=utf-8"
    (event,) = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    assert event.decoded("DTSTART").isoformat() == "2026-03-03T18:00:00-08:00"
    assert event["RRULE"].to_ical() == b"FREQ=WEEKLY;BYDAY=TU,SA"
    for key in (person.leave_id, "anna", "/p/"):
        assert key not in answer.text.lower()


def test_while_nothing_should_be_done_the_calendar_is_empty(site):
    person, now = site.person(sent=1), site.clock.course
    path = site.services.links.calendar(person.id).removeprefix(site.services.config.public_url)
    for columns, begins in (
        ({}, ["2026-03-02"]),
        ({"paused_at": now, "paused_until": now + timedelta(days=9)}, ["2026-03-11"]),
        ({"paused_until": None}, []),
        ({"paused_at": None, "hurt_at": now}, []),
        ({"hurt_at": None, "status": "unsubscribed"}, []),
    ):
        change(site, person, **columns)
        events = icalendar.Calendar.from_ical(site.get(path).data).walk("VEVENT")
        assert [event.decoded("DTSTART").date().isoformat() for event in events] == begins, columns


@pytest.mark.parametrize(("sent", "go_on"), [(2, True), (6, False)])
def test_a_rest_from_reminders_speaks_of_videos_only_where_some_come(site, sent, go_on):
    person = site.person(sent=sent)
    assert ("ideos go on" in page(site, person)) == go_on
    act(site, person, "snooze")
    assert ("ideos go on" in page(site, person)) == go_on
