"""The own page: every button does what it says, and what stands in the address is never shown."""

from datetime import UTC, datetime, timedelta

import pytest

from leadmagnet import store
from leadmagnet.domain.status import DeliveryKind, EnrollmentStatus, SubscriberStatus
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment


def act(site, person, action, **fields):
    return site.post(site.own_page(person), action=action, **fields)


def test_the_page_shows_the_path_and_the_choices_but_not_the_address(site):
    person = site.person(sent=2)
    page = site.get(site.own_page(person)).text
    for words in (
        "Your exercises, Anna",
        "Video 3, Glute bridge, comes on Sunday, 8 March.",
        "Go on with video 2",
        "Days and hour",
        "9 in the morning, as usual",
        "Vancouver time",
        "Take a break",
        "Stop all emails",
        "Monday, 2 March 2026",
    ):
        assert words in page
    assert "anna@example.org" not in page


def test_days_hour_and_zone_are_saved(site):
    person = site.person(sent=1)
    answer = act(site, person, "rhythm", day=["1", "3"], hour="18", timezone="Europe/Zurich")
    assert answer.location.endswith("?saved=rhythm#said")
    assert "Saved. The next email follows" in site.get(answer.location).text
    person = site.again(person)
    assert (person.exercise_days, person.chosen_hour, person.timezone) == ("13", 18, "Europe/Zurich")


def test_the_usual_hour_can_be_chosen_again(site):
    person = site.person(sent=1, chosen_hour=23)
    assert '<option value="23" selected>11 at night</option>' in site.get(site.own_page(person)).text
    act(site, person, "rhythm", day="0", hour="", timezone="America/Vancouver")
    assert site.again(person).chosen_hour is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hour": "8"}, "Choose at least one day"),
        ({"day": ["7", "x", "01"]}, "Choose at least one day"),
        ({"day": "0", "timezone": "../etc/passwd"}, "We don’t know that time zone"),
        ({"day": "0", "hour": "25"}, "Please choose one of the hours"),
        ({"day": "0", "hour": "²"}, "Please choose one of the hours"),
    ],
)
def test_choices_that_cannot_be_are_explained(site, fields, words):
    person = site.person(sent=1)
    answer = act(site, person, "rhythm", **fields)
    assert words in site.get(answer.location).text
    assert site.again(person).exercise_days == "024"


def test_a_pause_ends_at_the_beginning_of_a_local_day(site):
    person = site.person(sent=1)
    answer = act(site, person, "pause", pause="7")
    page = site.get(answer.location).text
    assert "Your emails are paused until Monday, 9 March." in page
    assert "Go on now" in page
    # The clocks change on 8 March in Vancouver.
    assert site.again(person).paused_until == datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
    act(site, person, "resume")
    assert site.again(person).paused_at is None


def test_a_pause_may_last_until_the_person_comes_back(site):
    person = site.person(sent=1)
    act(site, person, "pause", pause="0")
    person = site.again(person)
    assert (person.paused_at, person.paused_until) == (site.clock.course, None)
    assert "paused until you come back" in site.get(site.own_page(person)).text


def test_reminders_can_rest_for_a_week(site):
    person = site.person(sent=1)
    page = site.get(act(site, person, "snooze").location).text
    assert "Reminders rest until Monday, 9 March" in page
    assert site.again(person).snoozed_until == datetime(2026, 3, 9, 7, 0, tzinfo=UTC)


def test_the_next_video_can_come_now(site):
    person = site.person(sent=1)
    assert "can’t be sent right now" in site.get(act(site, person, "next").location).text
    with store.writing(site.services.engine) as session:
        course = store.enrollments.newest_of(session, person.id)
        assert course is not None
        row = Delivery(subscriber_id=person.id, enrollment_id=course.id, step_id=site.step_id("dead-bug"))
        row.kind, row.created_at = DeliveryKind.VIDEO, site.clock.course
        row.due_at = site.clock.course + timedelta(days=3)
        session.add(row)
    assert "on its way to your inbox" in site.get(act(site, person, "next").location).text
    assert max(row.due_at for row in site.rows(Delivery)) == site.clock.course


def test_who_has_finished_can_begin_again(site):
    person = site.person(sent=6)
    assert "once the course is finished" in site.get(act(site, person, "restart").location).text
    with store.writing(site.services.engine) as session:
        session.query(Enrollment).one().status = EnrollmentStatus.FINISHED
    assert "Begin again with video 1" in site.get(site.own_page(person)).text
    assert "You begin again" in site.get(act(site, person, "restart").location).text
    assert [row.number for row in site.rows(Enrollment)] == [1, 2]
    again = site.again(person)
    with store.writing(site.services.engine) as session:
        session.get_one(store.subscribers.Subscriber, person.id).asked_first_at = site.clock.course
    # What was sent in the first pass stays open in the second.
    assert "<video" in site.get(site.video(again, "front-plank")).text


def test_after_it_hurt_the_page_offers_to_go_on(site):
    person = site.person(sent=1, hurt_at=site.clock.course)
    page = site.get(site.own_page(person)).text
    assert "You told us that it hurt" in page
    assert "Take a break" not in page
    act(site, person, "go_on")
    assert site.again(person).hurt_at is None


@pytest.mark.parametrize("status", [status for status in SubscriberStatus if status != SubscriberStatus.ACTIVE])
def test_who_is_not_active_steers_nothing(site, status):
    person = site.person(sent=1, status=status)
    page = site.get(site.own_page(person)).text
    back = status not in (SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)
    assert ("Sign up again" in page) == back, "what would change nothing is not offered"
    assert "anna@example.org" not in page
    before = site.dump()
    token = site.hidden("/")["csrf_token"]
    site.client.post(site.own_page(person), data={"csrf_token": token, "action": "pause"})
    assert site.dump() == before


def test_unknown_acts_do_nothing(site):
    person = site.person(sent=1)
    before = site.dump()
    assert act(site, person, "erase").status_code == 303
    assert site.dump() == before


def test_what_stands_in_the_address_is_never_shown(site):
    person = site.person(sent=1)
    page = site.get(site.own_page(person) + "?saved=You+have+won").text
    assert "won" not in page
    assert 'id="said"' not in page


def test_while_the_sequence_rests_the_page_says_so_and_offers_no_next_video(site):
    person = site.person(sent=1)
    with store.writing(site.services.engine) as session:
        course = store.sequences.by_slug(session, "six-core-videos")
        course.paused_at = site.clock.course
    page = site.get(site.own_page(person)).text
    assert "We are taking a short break. Video 2, " in page
    assert "Send video 2 now" not in page
    answer = act(site, person, "next")
    assert "saved=resting" in answer.location
    assert "The next one comes by itself when we go on." in site.get(answer.location.partition("#")[0]).text
