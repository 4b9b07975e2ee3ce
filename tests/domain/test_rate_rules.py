"""How many emails may go out now: rate, cap, ramp."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.rates import (
    DomainRates,
    Limits,
    Pace,
    carried,
    day_limit,
    filled,
    full,
    ramp_today,
    room,
    slowest,
    sort_out,
    whole,
    whole_at,
)

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def pace(tokens: float = 0.0, sent: int = 0, began: date | None = None) -> Pace:
    return Pace(tokens, NOW, TODAY, sent, began)


def test_nothing_set_is_no_limit() -> None:
    assert not Limits(zone="Europe/Zurich")
    assert all((Limits(per_second=1.0), Limits(per_day=1), Limits(ramp=(1,))))
    assert all((Limits(domains=DomainRates(others=1.0)), Limits(domains=DomainRates((("a.example", 1.0),)))))
    assert not Limits(per_second=1.0, domains=DomainRates(others=1.0)).counts_days
    assert room(pace(), Limits(), 1000, in_hand=10**6, answers=False) == 1000


@pytest.mark.parametrize(
    ("rate", "tokens", "seconds", "expected"),
    [
        (20, 0, 0.5, 10),
        (20, 15, 0.5, 20),  # one second's worth at most
        (20, 20, 3600, 20),
        (0.1, 0, 5, 0),
        (0.1, 0, 10, 1),  # a slow rate may save up one email
        (0.1, 0, 1000, 1),
        (20, -30, 1, 0),
        (20, 7, -60, 7),  # a clock that was set back
    ],
)
def test_tokens_come_in_with_time(rate: float, tokens: float, seconds: float, expected: int) -> None:
    limits = Limits(per_second=rate)
    later = carried(pace(tokens), limits, NOW + timedelta(seconds=seconds), TODAY)
    assert room(later, limits, 1000, in_hand=0, answers=False) == expected
    assert room(later, limits, 1000, in_hand=0, answers=True) == expected, "answers keep the rate, too"


@pytest.mark.parametrize(
    ("ramp", "begins", "began", "day", "expected"),
    [
        ((), None, None, 0, None),
        ((50, 100), None, None, 0, 50),
        ((50, 100), None, TODAY, 1, 100),
        ((50, 100), None, TODAY, 2, None),
        ((50, 100), TODAY, TODAY - timedelta(days=9), 0, 50),
        ((50, 100), TODAY, None, 1, 100),
        ((50, 100), TODAY + timedelta(days=3), None, 0, 50),
    ],
)
def test_the_ramp_by_day(
    ramp: tuple[int, ...], begins: date | None, began: date | None, day: int, expected: int | None
) -> None:
    limits = Limits(ramp=ramp, ramp_begins=begins)
    assert ramp_today(limits, began, TODAY + timedelta(days=day)) == expected


def test_the_smaller_bound_holds() -> None:
    assert day_limit(Limits(per_day=70, ramp=(50, 100)), TODAY, TODAY) == 50
    assert day_limit(Limits(per_day=70, ramp=(50, 100)), TODAY, TODAY + timedelta(days=1)) == 70
    assert day_limit(Limits(per_day=70), None, TODAY) == 70
    assert day_limit(Limits(per_second=1.0), None, TODAY) is None


def test_the_day_counts_what_is_in_hand_and_answers_do_not_wait() -> None:
    limits = Limits(per_day=100)
    assert room(pace(sent=60), limits, 1000, in_hand=30, answers=False) == 10
    assert room(pace(sent=60), limits, 1000, in_hand=50, answers=False) == 0
    assert room(pace(sent=200), limits, 7, in_hand=0, answers=True) == 7
    tomorrow = carried(pace(sent=100), limits, NOW + timedelta(days=1), TODAY + timedelta(days=1))
    assert room(tomorrow, limits, 1000, in_hand=0, answers=False) == 100


@given(
    rate=st.floats(0.01, 1000),
    claims=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 500)), min_size=1, max_size=40),
)
def test_the_rate_is_never_exceeded(rate: float, claims: list[tuple[float, int]]) -> None:
    """Over any time: no more than the rate times the seconds, and one second's worth (or one email) beforehand."""
    limits, standing, at, sent = Limits(per_second=rate), pace(1.0), NOW, 0
    for wait, wanted in claims:
        at += timedelta(seconds=wait)
        standing = carried(standing, limits, at, TODAY)
        taken = room(standing, limits, wanted, in_hand=0, answers=False)
        assert 0 <= taken <= wanted
        standing = Pace(standing.tokens - taken, at, TODAY)
        sent += taken
        assert sent <= rate * (at - NOW).total_seconds() + max(1.0, rate) + 1e-6


def test_a_domain_has_its_own_rate_or_that_of_all_others() -> None:
    rates = DomainRates((("gmail.com", 50.0), ("slow.example", 0.5)), 200.0)
    assert [rates.of(name) for name in ("gmail.com", "mail.gmail.com", "")] == [50.0, 200.0, 200.0]
    assert DomainRates((("gmail.com", 50.0),)).of("other.example") is None
    assert slowest(rates) == 2.0
    assert slowest(DomainRates()) == 0.0


@pytest.mark.parametrize(
    ("tokens", "rate", "seconds"), [(0, 0.5, 2), (0.5, 50, 0.01), (1, 50, 0), (7.5, 50, 0), (-4, 5, 1)]
)
def test_when_the_next_one_may_go(tokens: float, rate: float, seconds: float) -> None:
    at = whole_at(tokens, rate, NOW)
    assert at == NOW + timedelta(seconds=seconds)
    assert whole(filled(tokens, NOW, rate, at)) >= 1
    assert whole_at(tokens, None, NOW) == NOW


@pytest.mark.parametrize(
    ("queue", "free", "room", "go", "wait"),
    [
        ("", {}, 5, [], {}),
        ("aab", {}, 5, [0, 1, 2], {}),
        ("aaaab", {"a": 1}, 5, [0, 4], {"a": [1, 2, 3]}),
        ("aaaab", {"a": 1}, 1, [0], {}),  # what comes behind a full batch stays where it is
        ("aabab", {"a": 0, "b": 1}, 9, [2], {"a": [0, 1, 3], "b": [4]}),
        ("abcabc", {"a": 1, "c": 2}, 3, [0, 1, 2], {}),
        ("aaa", {"a": 9}, 0, [], {}),
    ],
)
def test_a_queue_is_sorted_out(
    queue: str, free: dict[str, int], room: int, go: list[int], wait: dict[str, list[int]]
) -> None:
    found = sort_out(enumerate(queue), free, room)
    assert (found.go, dict(found.wait)) == (go, wait)


@given(
    queue=st.lists(st.sampled_from("abcd"), max_size=60),
    free=st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
    room=st.integers(0, 40),
)
def test_nobody_waits_for_another_domain(queue: list[str], free: dict[str, int], room: int) -> None:
    found = sort_out(enumerate(queue), free, room)
    waits = [row for rows in found.wait.values() for row in rows]
    seen = found.go + waits
    assert len(seen) == len(set(seen))
    assert len(found.go) <= room
    assert sorted(seen) == list(range(len(seen))), "from the beginning, with nothing left out"
    assert len(found.go) == room or len(seen) == len(queue)
    for domain in set(queue):
        mine = [row for row in found.go if queue[row] == domain]
        assert len(mine) <= free.get(domain, len(queue))
        assert not found.wait.get(domain) or len(mine) == free[domain] < found.wait[domain][0] + 1
        assert found.taken.get(domain, 0) == (len(mine) if domain in free else 0)


@given(
    rate=st.floats(0.01, 500),
    claims=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 500)), min_size=1, max_size=40),
)
def test_a_domains_rate_is_never_exceeded(rate: float, claims: list[tuple[float, int]]) -> None:
    tokens, at, sent = full(rate), NOW, 0
    for wait, wanted in claims:
        tokens, at = filled(tokens, at, rate, at + timedelta(seconds=wait)), at + timedelta(seconds=wait)
        found = sort_out(((row, "a") for row in range(wanted)), {"a": whole(tokens)}, wanted)
        tokens -= found.taken.get("a", 0)
        sent += len(found.go)
        assert sent <= rate * (at - NOW).total_seconds() + full(rate) + 1e-6
