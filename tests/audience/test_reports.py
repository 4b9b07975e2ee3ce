"""The marketer's figures against a handful of people counted by hand, on both databases."""

from datetime import timedelta

import pytest

from leadmagnet import store
from leadmagnet.store import reports
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.decisions import Decision
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.watching import Watch

DAY = timedelta(days=1)


@pytest.fixture
def clinic(session, person, enrolled, now):
    """Anna has finished and exercises; Bo did it once, long ago; Cy watched; Di only confirmed; Ed waits; two left."""
    at = now.course

    def watch(who, slug, percent, ago):
        session.add(Watch(subscriber_id=who.id, step_slug=slug, percent=percent, first_at=at - ago, last_at=at - ago))

    def did(who, slug, ago, felt="right"):
        then = at - ago
        session.add(CheckIn(subscriber_id=who.id, step_slug=slug, day=then.date(), at=then, felt=felt))

    def add(name, **more):
        return person(f"{name}@example.org", **({"confirmed_at": at - 20 * DAY, "created_at": at - 20 * DAY} | more))

    anna, bo, cy = add("anna"), add("bo", source="article-core", hurt_at=at - DAY), add("cy")
    di, ed = add("di", source="article-core"), add("ed", status="pending", confirmed_at=None)
    flo = add("flo", status="unsubscribed", left_at=at - DAY)
    gus = add("gus", status="complained", left_at=at - 40 * DAY, created_at=at - 45 * DAY)
    enrolled(anna, 6)
    enrolled(bo, 2)
    enrolled(cy, 1)
    watch(anna, "breathing-and-bracing", 100, DAY)
    watch(bo, "breathing-and-bracing", 50, 9 * DAY)
    watch(cy, "breathing-and-bracing", 60, 2 * DAY)
    watch(di, "breathing-and-bracing", 49, DAY)
    did(anna, "breathing-and-bracing", 2 * DAY)
    did(anna, "dead-bug", DAY)
    did(bo, "breathing-and-bracing", 15 * DAY)
    session.flush()
    return {"anna": anna, "bo": bo, "cy": cy, "di": di, "ed": ed, "flo": flo, "gus": gus}


def test_exercised(session, clinic, now):
    today = now.course.date()
    assert reports.exercised(session, today - 6 * DAY, today) == 1
    assert reports.exercised(session, today - 15 * DAY, today) == 2
    assert reports.exercised(session, today, today) == 0


def test_joined_confirmed_left_and_watched(session, clinic, now):
    at = now.course
    assert reports.joined(session, at - 30 * DAY, at) == reports.Joined(signed_up=6, confirmed=5)
    assert reports.joined(session, at - 60 * DAY, at - 30 * DAY) == reports.Joined(1, 1)
    assert reports.joined(session, at, at + DAY) == reports.Joined(0, 0)
    assert reports.left(session, at - 30 * DAY, at) == (1, 0)
    assert reports.left(session, at - 60 * DAY, at) == (2, 1)
    assert reports.watched(session, at - 7 * DAY, at) == 2
    assert reports.on_the_path(session) == 4


def test_funnel_counts_only_who_passed_the_step_before(session, clinic, now):
    at = now.course
    whole = reports.funnel(session, at - 30 * DAY, at, "breathing-and-bracing", "front-plank", at.date() - 14 * DAY)
    assert whole == [6, 5, 3, 2, 1, 1]
    bo = clinic["bo"]
    session.add(CheckIn(subscriber_id=bo.id, step_slug="dead-bug", day=at.date(), at=at, felt="easy"))
    session.flush()
    recent = at.date() - 14 * DAY
    assert reports.funnel(session, at - 30 * DAY, at, "breathing-and-bracing", "front-plank", recent)[-2:] == [1, 2]


def test_still_exercising_means_the_same_everywhere(session, clinic, now):
    """Who left is not exercising, whatever they did last week; who has not reached the last video may be."""
    at = now.course
    recent = at.date() - 14 * DAY
    for name in ("bo", "cy", "flo", "ed"):
        who = clinic[name].id
        session.add(CheckIn(subscriber_id=who, step_slug="dead-bug", day=at.date(), at=at, felt="easy"))
    session.flush()
    whole = reports.funnel(session, at - 30 * DAY, at, "breathing-and-bracing", "front-plank", recent)
    table = reports.sources(session, at - 30 * DAY, at, recent)
    assert whole[-1] == sum(source.exercising for source in table) == 3


def test_a_funnel_of_nobody(session, clinic, now):
    at = now.course
    nobody = reports.funnel(session, at, at + DAY, "breathing-and-bracing", "front-plank", at.date())
    assert nobody == [0] * 6


def test_sources(session, clinic, now):
    at = now.course
    found = reports.sources(session, at - 30 * DAY, at, at.date() - 14 * DAY)
    assert found == [reports.Source("landing", 4, 3, 1), reports.Source("article-core", 2, 2, 0)]


def test_steps(session, clinic):
    sequence = store.sequences.by_slug(session, "six-core-videos")
    figures = reports.steps(session, sequence.id)
    first, second, third, *_, last, finished = [
        figures[step.id] for step in store.sequences.steps_of(session, sequence.id)
    ]
    assert first == reports.StepFigures(sent=3, waiting=0, watched=3, did=2)
    assert second == reports.StepFigures(sent=2, waiting=1, watched=0, did=1)
    assert third == reports.StepFigures(sent=1, waiting=1, watched=0, did=0)
    assert (last.sent, finished) == (1, reports.StepFigures(waiting=1))


def test_hurt(session, clinic):
    number, people = reports.hurt(session, 5)
    assert (number, [one.email for one in people]) == (1, ["bo@example.org"])


def test_trouble_and_today(session, clinic, now):
    at = now.course

    def add(kind, status, due, **more):
        session.add(
            Delivery(subscriber_id=clinic["di"].id, kind=kind, status=status, created_at=due, due_at=due, **more)
        )

    for ago in (1, 8):
        add("reminder", "failed", at - ago * DAY)
        add("reminder", "bounced", at - ago * DAY)
    add("reminder", "unknown", at - 8 * DAY)
    add("reminder", "due", at - 2 * DAY, held="paused")
    add("reminder", "due", at + timedelta(hours=1))
    add("reminder", "sent", at - DAY, sent_at=at - timedelta(hours=1), resent=1)
    session.flush()
    # Three videos of the clinic are due since a while: the ones that `enrolled` leaves open in the future are not.
    found = reports.trouble(session, at - 7 * DAY, at)
    assert (found.failed, found.bounced, found.unknown, found.sent_again, found.overdue) == (1, 1, 1, 1, 0)
    start = at.replace(hour=0)
    today = reports.day(session, start, start + DAY)
    assert today["reminder"] == (3, 1)
    assert today["video"] == (3, 3)
    assert today["finished"] == (0, 0)


def test_not_reminded(session, clinic, now):
    today = now.course.date()
    for who, reason, day in (("anna", "done_today", today), ("cy", "done_today", today), ("di", "paused", today - DAY)):
        session.add(
            Decision(subscriber_id=clinic[who].id, reason=reason, at=now.course, first_day=day, last_day=day, times=1)
        )
    session.add(
        Decision(
            subscriber_id=clinic["bo"].id, reason="hurt", at=now.course, first_day=today - DAY, last_day=today, times=2
        )
    )
    session.flush()
    assert reports.not_reminded(session, today) == {"done_today": 2, "hurt": 1}


def test_an_empty_clinic_has_zeros(session, now):
    at, today = now.course, now.course.date()
    assert (
        reports.exercised(session, today, today)
        == reports.watched(session, at, at)
        == reports.on_the_path(session)
        == 0
    )
    assert reports.left(session, at - DAY, at) == (0, 0)
    assert reports.funnel(session, at - DAY, at, "a", "b", today) == [0] * 6
    assert reports.sources(session, at - DAY, at, today) == []
    assert reports.hurt(session, 5) == (0, [])
    assert reports.trouble(session, at - DAY, at) == reports.Trouble(0, 0, 0, 0, 0)
    assert reports.day(session, at - DAY, at) == {"video": (0, 0), "finished": (0, 0), "reminder": (0, 0)}
    assert reports.not_reminded(session, today) == {}
