"""The timeline: what is on it, in which order, and in which words."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from leadmagnet import store
from leadmagnet.audience.timeline import Event, explained, timeline_of
from leadmagnet.domain.zones import zone
from leadmagnet.store.activities import Activity
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.decisions import Decision
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.signups import SignUp
from leadmagnet.store.watching import Watch

ZONE = zone("America/Vancouver")


def deliver(session, person, kind, at, status, **more):
    row = Delivery(subscriber_id=person.id, kind=kind, created_at=at, due_at=at, status=status, **more)
    session.add(row)
    session.flush()
    return row


def test_a_whole_story_in_order(session, person, now):
    start = now.course - timedelta(days=5)
    anna = person("anna@example.org", created_at=start)
    wording = store.consents.keep_wording(session, "Yes, send me the videos.", "en", start)
    step = store.sequences.steps_of(session, store.sequences.by_slug(session, "six-core-videos").id)[0]
    hour = timedelta(hours=1)
    session.add(
        SignUp(email=anna.email, email_canonical=anna.email, form="landing", wording_id=wording, page="https://c.example/",
               asked_at=start, asked_real_at=start, handled_at=start, outcome="confirmation")
    )  # fmt: skip
    session.add(
        ConsentEvent(
            subscriber_id=anna.id, kind="requested", wording_id=wording, at=start, channel="form", form="landing"
        )
    )
    session.add(ConsentEvent(subscriber_id=anna.id, kind="confirmed", at=start + hour, channel="confirmation link"))
    deliver(
        session,
        anna,
        "video",
        start + hour,
        "delivered",
        sent_at=start + hour,
        step_id=step.id,
        reason="at confirmation",
    )
    session.add(Watch(subscriber_id=anna.id, step_slug=step.slug, percent=75, first_at=start, last_at=start + 2 * hour))
    day = (start + timedelta(days=1)).date()
    session.add(
        Decision(subscriber_id=anna.id, reason="done_today", at=start + timedelta(days=1), first_day=day,
                 last_day=day + timedelta(days=2), times=2)
    )  # fmt: skip
    at = start + timedelta(days=2)
    session.add(
        CheckIn(subscriber_id=anna.id, step_slug=step.slug, day=at.date(), at=at, felt="hurt", note="A sharp pull.")
    )
    session.add(Activity(subscriber_id=anna.id, at=at, kind="hurt", detail=step.slug))
    session.add(Activity(subscriber_id=anna.id, at=at + hour, kind="went on", actor="priya@clinic.example"))
    deliver(session, anna, "reminder", at + 2 * hour, "skipped", skip_reason="expired", text_slug="reminder-active-1")
    deliver(session, anna, "video", now.course + hour, "due", step_id=step.id + 1, reason="3 days after", held="hurt")
    session.flush()

    events = timeline_of(session, anna, ZONE)
    told = [(event.kind, event.status) for event in events]
    assert told == [
        ("sign_up", "confirmation"),
        ("consent", "requested"),
        ("consent", "confirmed"),
        ("video", "delivered"),
        ("watch", "75%"),
        ("reminder", "not_sent"),
        ("check_in", "hurt"),
        ("act", "hurt"),
        ("act", "went on"),
        ("reminder", "skipped"),
        ("video", "due"),
    ]
    reasons = [event.reason for event in events]
    assert reasons[0] == "On the form “Landing page”, on https://c.example/. Asked to confirm."
    assert reasons[1] == "For videos and reminders. On the form landing."
    assert [event.wording for event in events if event.wording] == [wording]
    assert reasons[3] == "At confirmation."
    assert reasons[5].startswith("The person had already exercised that day. 2 days, the last on 21 November 2026.")
    assert reasons[6] == "A sharp pull."
    assert reasons[8] == "By priya@clinic.example."
    assert reasons[9] == "It could not go out before its time was over, and a late one would be of no use."
    assert reasons[10].startswith("3 days after. Held: The person said that an exercise hurt")
    assert events[3].title.startswith("Video 1")
    assert events[4].title == "Breathing and bracing"
    assert events[9].title == "Ten quiet minutes?"
    assert {event.at.utcoffset() for event in events} == {timedelta(hours=-7)}


def test_another_person_is_not_in_it(session, person, enrolled):
    anna, bo = person("anna@example.org"), person("bo@example.org")
    enrolled(bo, 3)
    assert timeline_of(session, anna, ZONE) == []


def test_failures_and_second_tries_are_told(session, person, now):
    anna = person("anna@example.org")
    deliver(session, anna, "reminder", now.course, "failed", reason="exercise day", detail="mailbox unavailable")
    deliver(
        session,
        anna,
        "reminder",
        now.course + timedelta(days=1),
        "sent",
        sent_at=now.course + timedelta(days=1),
        resent=1,
    )
    first, second = timeline_of(session, anna, ZONE)
    assert first.reason == "Exercise day. Mailbox unavailable."
    assert second.reason.strip() == "Sent again 1 time, to be sure."


def test_instants_come_in_the_zone_asked_for(session, person, now):
    anna = person("anna@example.org")
    deliver(session, anna, "reminder", now.course, "due")
    (event,) = timeline_of(session, anna, zone("Asia/Tokyo"))
    assert isinstance(event, Event)
    assert (event.at.hour, event.at) == (3, now.course)
    assert isinstance(event.at.tzinfo, ZoneInfo)


def test_a_reason_of_a_later_version_is_shown_as_it_stands():
    assert explained("full_moon") == "Full moon."
