"""Whole runs: everything switched on and no promise broken, the same bytes for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from leadmagnet.simulation.report import as_words
from leadmagnet.simulation.trouble import HEAVY, NONE

Run = Callable[..., dict[str, Any]]


def broken(found: dict[str, Any]) -> dict[str, int]:
    return {rule: count for rule, count in found["broken"].items() if count}


@pytest.mark.timeout(900)
def test_two_hundred_people_and_everything_that_can_go_wrong(run: Run) -> None:
    found = run(subscribers=200, days=45, trouble=HEAVY, step=timedelta(minutes=15))
    assert broken(found) == {}, found["examples"]
    for (
        deed
    ) in "sign_up confirm renew watch check_in hurt go_on pause resume snooze rhythm next_now leave restart".split():
        assert found["deeds"][deed], deed
    seen = found["trouble"]
    for trouble in ("refused", "postponed", "lost answers", "slow calls", "calls in an outage", "calls refused"):
        assert seen[trouble], trouble
    for edge in ("before a transaction", "before a commit", "before a call", "after a call"):
        assert seen[f"deaths {edge}"], edge
    for event in ("delivered", "bounced_hard", "complained", "lost", "doubled"):
        assert seen[f"events {event}"], event
    assert found["people"]["bounced"]
    assert found["people"]["complained"]
    assert found["sent_again"]
    assert found["kinds"]["video"] > 500
    assert found["kinds"]["reminder"] > 500


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_no_promise_is_broken_on_postgresql(run: Run, postgres_url: str) -> None:
    found = run(postgres_url, subscribers=60, days=25, trouble=HEAVY)
    assert broken(found) == {}, found["examples"]
    assert found["kinds"]["video"] > 100
    assert sum(count for name, count in found["trouble"].items() if name.startswith("deaths")) > 20


@pytest.mark.timeout(300)
def test_retries_within_seconds_break_nothing_either(run: Run) -> None:
    found = run(subscribers=25, days=6, trouble=HEAVY, step=timedelta(seconds=20))
    assert broken(found) == {}, found["examples"]


@pytest.mark.timeout(300)
def test_the_same_seed_gives_the_same_bytes(run: Run) -> None:
    one, two = run(trouble=HEAVY), run(trouble=HEAVY)
    assert orjson.dumps(one) == orjson.dumps(two)
    assert as_words(one) == as_words(two)
    assert orjson.dumps(run(trouble=HEAVY, seed=8)) != orjson.dumps(one)


@pytest.mark.timeout(300)
def test_without_trouble_everybody_gets_everything_in_time(run: Run) -> None:
    found = run(subscribers=30, days=40, trouble=NONE)
    assert broken(found) == {}, found["examples"]
    assert found["sent_again"] == found["taken_twice"] == 0
    assert found["deliveries"].keys() <= {"delivered", "due", "skipped"}
    assert sum(found["per_hour"]) == found["emails"] == sum(day["emails"] for day in found["per_day"])
    assert found["enrollments"]["finished"] > 15
    # A confirmation waits for the next full hour at most, because people act on the hour, and so does video 1.
    assert found["latest_seconds"] <= 15 * 60
