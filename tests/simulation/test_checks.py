"""Every check finds its violation, made by hand, and nothing where nothing is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from leadmagnet.simulation.checks import CHECKS
from leadmagnet.simulation.lives import Pass, Standing

AGREE, ONCE, MESSAGE = "the ledger and the provider agree", "a letter is taken once", "a letter keeps its Message-ID"
STEP, ORDER, DAY = "nobody gets a step twice", "videos come in order", "one automatic email a day"
WINDOW, WANTED, PAUSE = "inside the window", "nothing that is not wanted", "nothing in a pause"
HURT, SNOOZE, BURST = "nothing while it hurts", "no reminder while snoozed", "never a burst"
WEEK, DONE, LOST = "three reminders a week", "no reminder after a check-in", "nothing is lost"
SETTLED = "every unknown settles"

Telling = Callable[[Any], Any]


def begun(story: Any) -> Any:
    return story.joined().got("video", 1).wait(days=1)


#: What is broken, how the story goes, and how many times the check speaks.
BROKEN: list[tuple[str, Telling, int]] = [
    (AGREE, lambda s: begun(s).got("reminder", in_ledger=False), 1),
    (AGREE, lambda s: begun(s).row("reminder"), 1),
    (AGREE, lambda s: begun(s).got("reminder", status="skipped"), 1),
    (AGREE, lambda s: begun(s).got("reminder", delivery="x").row("video", public_id="y", status="delivered"), 1),
    (ONCE, lambda s: begun(s).got("reminder", delivery="x").got("reminder", delivery="x"), 1),
    (ONCE, lambda s: begun(s).got("reminder", delivery="x", known=0).did("told", "x").got("reminder", delivery="x"), 1),
    (MESSAGE, lambda s: begun(s).got("reminder", delivery="x").got("reminder", delivery="x", message="<other>"), 1),
    (MESSAGE, lambda s: begun(s).got("reminder", message="<m>").got("reminder", message="<m>"), 1),
    (STEP, lambda s: begun(s).got("video", 2).wait(days=3).got("video", 2), 1),
    (ORDER, lambda s: begun(s).got("video", 3).wait(days=3).got("video", 2), 1),
    (DAY, lambda s: begun(s).got("reminder").wait(hours=3).got("video", 2), 1),
    (WINDOW, lambda s: begun(s).wait(hours=12).got("video", 2), 1),
    (WINDOW, lambda s: begun(s).wait(hours=-2).got("reminder"), 1),
    (WINDOW, lambda s: begun(s).did("rhythm", [[0], None, "America/Vancouver"]).got("video", 2), 1),
    (WANTED, lambda s: s.did("sign_up", "Europe/Zurich").got("video", 1), 1),
    (WANTED, lambda s: begun(s).did("leave").got("video", 2), 1),
    (WANTED, lambda s: begun(s).did("stop", "complained").got("reminder"), 1),
    (WANTED, lambda s: begun(s).got("confirmation"), 1),
    (PAUSE, lambda s: begun(s).did("pause", None).got("reminder"), 1),
    (PAUSE, lambda s: begun(s).did("pause", s.at.timestamp() + 3601).wait(hours=1).got("video", 2), 1),
    (HURT, lambda s: begun(s).did("hurt").wait(days=3).got("video", 2), 1),
    (SNOOZE, lambda s: begun(s).did("snooze", s.at.timestamp() + 90_000).wait(days=1).got("reminder"), 1),
    (BURST, lambda s: begun(s).got("video", 2).wait(hours=19).got("video", 3), 1),
    (WEEK, lambda s: [begun(s), *(s.wait(days=2).got("reminder") for _ in range(4))][0], 1),
    (WEEK, lambda s: [begun(s), *(s.wait(days=1).got("reminder") for _ in range(5))][0], 2),
    (DONE, lambda s: begun(s).did("check_in").wait(hours=1).got("reminder"), 1),
    (SETTLED, lambda s: begun(s).row("reminder", status="unknown").row("reminder", status="claimed"), 2),
]


@pytest.mark.parametrize(("rule", "tell", "times"), BROKEN)
def test_a_check_speaks_where_its_rule_is_broken(story: Any, rule: str, tell: Telling, times: int) -> None:
    assert len(tell(story).broken(rule)) == times


@pytest.mark.parametrize(
    ("status", "wants", "rows", "standing"),
    [
        ("active", False, [], {}),
        ("active", False, ["due", "due"], {}),
        ("active", True, ["due", "claimed"], {}),
        ("active", False, ["held"], {}),
        ("active", False, ["due"], {"status": "unsubscribed"}),
        ("stopped", False, ["due"], {}),
        ("finished", False, [], {}),
    ],
)
def test_what_is_lost_is_found(
    story: Any, status: str, wants: bool, rows: list[str], standing: dict[str, object]
) -> None:
    begun(story).enrollments = [Pass(1, status, wants)]
    story.standing = story.standing._replace(**standing)
    for row in rows:
        story.row("video", 2, status="due" if row == "held" else row, held="paused" if row == "held" else None)
    assert len(story.broken(LOST)) == 1


def test_people_who_are_lost_are_found(story: Any) -> None:
    story.whole().enrollments = []
    assert story.broken(LOST)
    story.standing = None
    assert story.broken(LOST)
    story.enrollments, story.standing = [Pass(1, "stopped", False)], Standing("a", "active", False, False)
    assert story.broken(LOST) == []
    assert story.did("reported", "complained").broken(LOST)


@pytest.mark.parametrize("rule", CHECKS)
def test_nothing_is_said_where_nothing_is_broken(story: Any, rule: str) -> None:
    assert story.whole().broken(rule) == []


#: What looks like a violation and is none.
FINE: list[tuple[str, Telling]] = [
    (ONCE, lambda s: begun(s).got("reminder", delivery="x", known=0).wait(minutes=17).got("reminder", delivery="x")),
    (DAY, lambda s: s.joined().got("video", 1).wait(hours=1).got("reminder")),
    (DAY, lambda s: begun(s).got("reminder").wait(hours=1).did("next_now").got("video", 2)),
    (WINDOW, lambda s: s.wait(hours=14).joined().got("video", 1)),
    (WINDOW, lambda s: begun(s).wait(hours=12).did("next_now").got("video", 2)),
    (WINDOW, lambda s: begun(s).wait(hours=12).did("rhythm", [[0], 21, "Europe/Zurich"]).got("video", 2)),
    (WANTED, lambda s: begun(s).did("leave").did("sign_up", "Europe/Zurich").got("confirmation")),
    (PAUSE, lambda s: begun(s).did("pause", s.at.timestamp() + 3600).wait(hours=1).got("video", 2)),
    (PAUSE, lambda s: begun(s).did("pause", None).did("resume").got("video", 2)),
    (HURT, lambda s: begun(s).did("hurt").did("go_on", "clinic").got("video", 2)),
    (SNOOZE, lambda s: begun(s).did("snooze", s.at.timestamp() + 90_000).did("keep_reminding").got("reminder")),
    (BURST, lambda s: s.joined().got("video", 1).wait(hours=1).did("next_now").got("video", 2)),
    (DONE, lambda s: begun(s).did("check_in").wait(days=1).got("reminder")),
]


@pytest.mark.parametrize(("rule", "tell"), FINE)
def test_what_is_allowed_is_not_called_broken(story: Any, rule: str, tell: Telling) -> None:
    assert tell(story).broken(rule) == []


def test_every_check_has_a_violation_made_by_hand() -> None:
    assert {rule for rule, _, _ in BROKEN} | {LOST} == set(CHECKS)


def test_somebody_forgotten_takes_their_letters_along(story: Any) -> None:
    """Only who never confirmed, and only after thirty days."""
    story.did("sign_up", "Europe/Zurich").got("confirmation", in_ledger=False)
    story.standing, story.enrollments = None, []
    assert story.broken(AGREE)
    assert story.broken(LOST) == []


def test_a_row_of_another_kind_is_no_proof(story: Any) -> None:
    begun(story).got("reminder")
    story.rows[-1] = replace_row(story.rows[-1], kind="video")
    assert story.broken(AGREE) == ["a reminder that the ledger has as video"]


def replace_row(row: Any, **changes: Any) -> Any:
    return row._replace(**changes)
