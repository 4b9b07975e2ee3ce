"""May a reminder go out, how is it worded, and if not, why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.reminders import (
    SILENCE_AFTER,
    WATCHED_ENOUGH,
    WEEKLY_CAP,
    Cadence,
    Facts,
    Hold,
    ReminderState,
    Send,
    cadence,
    decide,
    explain,
    pick,
)
from leadmagnet.domain.status import SkipReason

WEDNESDAY = date(2026, 6, 3)
FACTS = Facts(today=WEDNESDAY, exercise_days=frozenset({0, 2, 4}), started=True)
YESTERDAY = WEDNESDAY - timedelta(days=1)


def ago(*days: int) -> tuple[date, ...]:
    return tuple(WEDNESDAY - timedelta(days=day) for day in days)


def test_an_answer_is_a_quarter_of_a_video() -> None:
    assert WATCHED_ENOUGH == 0.25


def test_a_reminder_goes_out_on_an_exercise_day() -> None:
    assert decide(FACTS) == Send(ReminderState.ACTIVE)


#: In the order in which reasons count, each with facts that give it.
REASONS: tuple[tuple[SkipReason, dict[str, Any]], ...] = (
    (SkipReason.NOT_ACTIVE, {"active": False}),
    (SkipReason.NO_CONSENT, {"wants_reminders": False}),
    (SkipReason.HURT, {"hurt": True}),
    (SkipReason.PAUSED, {"paused": True}),
    (SkipReason.SEQUENCE_PAUSED, {"sequence_paused": True}),
    (SkipReason.SNOOZED, {"snoozed_until": WEDNESDAY + timedelta(days=1)}),
    (SkipReason.STOPPED_ANSWERING, {"unanswered": SILENCE_AFTER}),
    (SkipReason.SUPERSEDED, {"exercise_days": frozenset({0, 4})}),
    (SkipReason.DONE_TODAY, {"checked_in_today": True}),
    (SkipReason.VIDEO_TODAY, {"video_today": True}),
    (SkipReason.MAILED_TODAY, {"mailed_today": True}),
    (SkipReason.WEEKLY_CAP, {"recent": ago(6, 5, 2)}),
    (SkipReason.WEEKLY_PACE, {"unanswered": 3, "recent": ago(6)}),
)


@pytest.mark.parametrize(("reason", "facts"), REASONS)
def test_each_reason_holds_a_reminder_back(reason: SkipReason, facts: dict[str, Any]) -> None:
    assert decide(replace(FACTS, **facts)) == Hold(reason)


@pytest.mark.parametrize("place", range(len(REASONS) - 1))
def test_the_earlier_reason_is_the_one_on_record(place: int) -> None:
    merged: dict[str, Any] = {}
    for _, facts in reversed(REASONS[place:]):
        merged |= facts
    assert decide(replace(FACTS, **merged)) == Hold(REASONS[place][0])


def test_a_snooze_ends_on_its_day() -> None:
    assert decide(replace(FACTS, snoozed_until=WEDNESDAY)) == Send(ReminderState.ACTIVE)


def test_a_reminder_never_goes_twice_on_one_day() -> None:
    assert decide(replace(FACTS, recent=(WEDNESDAY,))) == Hold(SkipReason.MAILED_TODAY)


@pytest.mark.parametrize(
    ("recent", "sent"), [(ago(6, 5, 1), False), (ago(7, 6, 1), True), (ago(2, 1), True), (ago(9, 8, 7), True)]
)
def test_at_most_three_go_out_in_any_seven_days(recent: tuple[date, ...], sent: bool) -> None:
    assert isinstance(decide(replace(FACTS, recent=recent)), Send) is sent


@pytest.mark.parametrize(
    ("unanswered", "expected"),
    [(0, Cadence.EXERCISE_DAYS), (2, Cadence.EXERCISE_DAYS), (3, Cadence.WEEKLY), (5, Cadence.WEEKLY),
     (6, Cadence.LAST_QUESTION), (7, Cadence.SILENCE), (70, Cadence.SILENCE)],
)  # fmt: skip
def test_reminders_without_an_answer_grow_rarer(unanswered: int, expected: Cadence) -> None:
    assert cadence(unanswered) is expected


@pytest.mark.parametrize(
    ("unanswered", "last", "decision"),
    [
        (2, 2, Send(ReminderState.ACTIVE)),
        (3, 2, Hold(SkipReason.WEEKLY_PACE)),
        (3, 6, Hold(SkipReason.WEEKLY_PACE)),
        (3, 7, Send(ReminderState.ACTIVE)),
        (5, 7, Send(ReminderState.ACTIVE)),
        (6, 6, Hold(SkipReason.WEEKLY_PACE)),
        (6, 7, Send(ReminderState.LAST_QUESTION)),
        (7, 30, Hold(SkipReason.STOPPED_ANSWERING)),
    ],
)
def test_three_in_a_row_then_three_weekly_then_one_last_question_then_silence(
    unanswered: int, last: int, decision: Send | Hold
) -> None:
    assert decide(replace(FACTS, unanswered=unanswered, recent=ago(last))) == decision


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"started": False}, ReminderState.NEVER_STARTED),
        ({"started": False, "good_weeks": 3}, ReminderState.NEVER_STARTED),
        ({}, ReminderState.ACTIVE),
        ({"good_weeks": 1}, ReminderState.ACTIVE),
        ({"good_weeks": 2}, ReminderState.STREAK),
        ({"last_active_on": ago(13)[0]}, ReminderState.ACTIVE),
        ({"last_active_on": ago(14)[0]}, ReminderState.LAPSED),
        ({"last_active_on": ago(1)[0], "good_weeks": 2}, ReminderState.STREAK),
        ({"last_active_on": ago(14)[0], "good_weeks": 2}, ReminderState.LAPSED),
        ({"unanswered": 6, "started": False}, ReminderState.LAST_QUESTION),
        ({"unanswered": 6, "last_active_on": ago(40)[0]}, ReminderState.LAST_QUESTION),
    ],
)
def test_the_wording_fits_the_state(facts: dict[str, Any], state: ReminderState) -> None:
    assert decide(replace(FACTS, **facts)) == Send(state)


@pytest.mark.parametrize(
    ("history", "expected"),
    [([], "a"), (["a"], "b"), (["a", "b"], "c"), (["a", "b", "c"], "a"), (["b", "c", "a"], "b"), (["c", "gone"], "a"),
     (["a", "b", "c", "a"], "b")],
)  # fmt: skip
def test_the_wording_used_least_recently_is_picked(history: list[str], expected: str) -> None:
    assert pick(["a", "b", "c"], history) == expected


@given(variants=st.lists(st.sampled_from("abcd"), min_size=2, unique=True), history=st.lists(st.sampled_from("abcde")))
def test_no_wording_comes_twice_running_and_all_get_their_turn(variants: list[str], history: list[str]) -> None:
    history = list(history)
    for _ in variants:
        wording = pick(variants, history)
        assert history[-1:] != [wording]
        history.append(wording)
    assert set(history[-len(variants) :]) == set(variants)


def test_one_wording_alone_is_used_again_and_none_is_an_error() -> None:
    assert pick(["a"], ["a"]) == "a"
    with pytest.raises(ValueError, match="at least one wording"):
        pick([], [])


@pytest.mark.parametrize("reason", list(SkipReason))
def test_every_reason_has_one_plain_sentence(reason: SkipReason) -> None:
    sentence = explain(reason)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert sentence.count(".") == 1
    assert str(reason) not in sentence or "_" not in reason


DAYS_OF_A_LIFE = st.lists(
    st.fixed_dictionaries(
        {
            "answers": st.booleans(),
            "checked_in_today": st.booleans(),
            "video_today": st.booleans(),
            "paused": st.booleans(),
            "sequence_paused": st.booleans(),
        }
    ),
    min_size=20,
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(days=DAYS_OF_A_LIFE, exercise_days=st.frozensets(st.integers(0, 6), min_size=1))
def test_through_any_life_the_caps_and_the_way_to_silence_hold(
    days: list[dict[str, bool]], exercise_days: frozenset[int]
) -> None:
    sent: list[date] = []
    unanswered = 0
    for number, day in enumerate(days):
        today = WEDNESDAY + timedelta(days=number)
        if day["answers"] or day["checked_in_today"]:
            unanswered = 0
        told: dict[str, Any] = {name: value for name, value in day.items() if name != "answers"}
        facts = Facts(today=today, exercise_days=exercise_days, recent=tuple(sent), unanswered=unanswered, **told)
        if isinstance(decide(facts), Send):
            assert today.weekday() in exercise_days
            assert not (day["checked_in_today"] or day["video_today"] or day["paused"] or day["sequence_paused"])
            assert unanswered < SILENCE_AFTER
            assert unanswered < 3 or not sent or today - sent[-1] >= timedelta(days=7)
            sent.append(today)
            unanswered += 1
    for first in sent:
        assert sum(first <= other < first + timedelta(days=7) for other in sent) <= WEEKLY_CAP
