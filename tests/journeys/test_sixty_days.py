"""Sixty days in steps of an hour, two hundred people in forty zones, with the real engine.

The rules hold for everybody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from config import Config
from leadmagnet import store
from leadmagnet.domain import schedule
from leadmagnet.domain.zones import zone
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.feedback.watching import watched
from leadmagnet.services import Services
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

ZONES = """
Africa/Cairo Africa/Casablanca Africa/Johannesburg Africa/Lagos America/Argentina/Buenos_Aires America/Bogota
America/Chicago America/Denver America/Halifax America/Los_Angeles America/Mexico_City America/New_York
America/Santiago America/Sao_Paulo America/St_Johns America/Vancouver Asia/Dhaka Asia/Dubai Asia/Hong_Kong
Asia/Jerusalem Asia/Kathmandu Asia/Kolkata Asia/Manila Asia/Seoul Asia/Tehran Asia/Tokyo Atlantic/Azores
Atlantic/Reykjavik Australia/Adelaide Australia/Lord_Howe Australia/Perth Australia/Sydney Europe/Athens Europe/London
Europe/Moscow Europe/Zurich Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Honolulu
""".split()
#: In 2026 summer time begins on 8 March in North America, on 29 March in Europe; Australia's ends on 5 April.
BEGIN = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
PEOPLE, DAYS = 200, 60


@pytest.mark.timeout(600)
@pytest.mark.parametrize("outage_days", [0, 10])
def test_everybody_gets_six_videos_and_nothing_twice(
    tmp_path: Path, new_config: Callable[..., Config], life: Callable[..., Any], outage_days: int
) -> None:
    world = life(BEGIN)
    for number in range(PEOPLE):
        world.sign_up(f"p{number:03}@example.org", name="", zone=ZONES[number % len(ZONES)])
    world.tick()
    joined = 0
    for hour in range(DAYS * 24):
        for number in range(joined, min(PEOPLE, joined + 3)):
            world.press_confirm(f"p{number:03}@example.org")
            joined = number + 1
        in_outage = outage_days and 20 * 24 <= hour < (20 + outage_days) * 24
        if not in_outage:
            world.tick()
            exercise(world, hour)
        world.clock.move(hours=1)
    outage = (BEGIN + timedelta(days=20), BEGIN + timedelta(days=20 + outage_days)) if outage_days else None
    check(world.services, outage)


def exercise(world: Any, hour: int) -> None:
    """Every third person watches and exercises now and then, so that streaks and lapses come about."""
    if hour % 24 != 18:
        return
    now = world.clock.now().course
    with store.writing(world.services.engine) as session:
        for person in session.query(Subscriber).filter(Subscriber.id % 3 == 0, Subscriber.status == "active"):
            if (person.id + hour // 24) % 3 == 0 and hour // 24 < 40:
                check_in(session, person, "breathing-and-bracing", Felt.RIGHT, now)
            elif person.id % 2:
                watched(session, person, "dead-bug", 60, now)


def check(services: Services, outage: tuple[datetime, datetime] | None) -> None:
    with store.reading(services.engine) as session:
        people = {person.id: person for person in session.query(Subscriber)}
        rows = session.query(Delivery).filter(Delivery.status == "sent").order_by(Delivery.sent_at, Delivery.id).all()
        steps = {step.id: step.position for step in session.query(store.sequences.Step)}
        decisions = session.query(store.decisions.Decision).all()
        rhythm = session.query(store.sequences.Sequence).one().rhythm(None)
    assert len(people) == PEOPLE
    by_person: dict[int, list[Delivery]] = defaultdict(list)
    for row in rows:
        by_person[row.subscriber_id].append(row)
    reasons = {(run.subscriber_id, run.reason) for run in decisions}
    for person_id, mine in by_person.items():
        where = zone(people[person_id].timezone)
        videos = [row for row in mine if row.kind == "video"]
        assert [steps[row.step_id] for row in videos] == [10, 20, 30, 40, 50, 60]
        assert [row.kind for row in mine].count("finished") == 1
        ordinary = [row for row in mine if row.kind != "confirmation" and row is not videos[0]]
        outside = [row for row in ordinary if not schedule.inside(row.sent_at, rhythm, where)]
        assert not outside, (person_id, [(row.kind, row.sent_at) for row in outside])
        days = Counter(schedule.local_day(row.sent_at, where) for row in ordinary)
        assert max(days.values()) == 1, (person_id, days.most_common(3))
        gaps = [b.sent_at - a.sent_at for a, b in pairwise(videos)]
        assert min(gaps) >= timedelta(hours=20)
        if outage:
            no_burst(videos, outage)
        reminders_follow_rules(people[person_id], mine, where)
    # Each day without a reminder has its reason on record for the people who never answered.
    silent = [person for person in people.values() if person.unanswered >= 7]
    assert silent
    assert all((person.id, "stopped_answering") in reasons for person in silent)


def no_burst(videos: list[Delivery], outage: tuple[datetime, datetime]) -> None:
    """After the outage one overdue video, and the next one a full delay later."""
    after = [row.sent_at for row in videos if row.sent_at >= outage[1]]
    assert not [row for row in videos if outage[0] <= row.sent_at < outage[1]]
    assert all(b - a >= timedelta(days=2, hours=12) for a, b in pairwise(after))


def reminders_follow_rules(person: Subscriber, mine: list[Delivery], where: Any) -> None:
    """Only on exercise days, never on a video's day, never before video 1, at most three in any seven days."""
    reminders = [schedule.local_day(row.sent_at, where) for row in mine if row.kind == "reminder"]
    course = {schedule.local_day(row.sent_at, where) for row in mine if row.kind in ("video", "finished")}
    assert reminders
    assert not course.intersection(reminders)
    assert {day.weekday() for day in reminders} <= person.days
    for day in reminders:
        assert sum(0 <= (day - other).days < 7 for other in reminders) <= 3
    first_video = min(row.sent_at for row in mine if row.kind == "video")
    assert all(row.sent_at > first_video for row in mine if row.kind == "reminder")


@pytest.fixture
def life(tmp_path: Path, new_config: Callable[..., Config], make_world: Callable[..., Any]) -> Callable[..., Any]:
    """A world on SQLite that begins at a given instant, with letters kept in memory."""
    return lambda begin: make_world(new_config(), begin)


def test_two_workers_share_one_ledger(world: Any) -> None:
    """Two sets of services on one database: whatever one has claimed, the other leaves alone."""
    world.join()
    other = replace(world, services=replace(world.services))
    for _ in range(20 * 24):
        world.clock.move(hours=1)
        world.tick()
        other.tick()
    kinds = Counter(kind for kind, _ in world.sent())
    assert kinds["video"] == 6
    assert kinds["finished"] == 1
