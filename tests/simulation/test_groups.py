"""Large runs in groups: everybody once, the same each time, and the figures of all together."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from leadmagnet.simulation.checks import Broken
from leadmagnet.simulation.course import Plan
from leadmagnet.simulation.figures import EXAMPLES, Figures
from leadmagnet.simulation.groups import GROUP, groups_of
from leadmagnet.simulation.queues import Depth
from leadmagnet.simulation.run import Outcome
from leadmagnet.simulation.trouble import NONE

DAY = date(2026, 3, 1)


@pytest.mark.parametrize("people", [1, 2, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 1_000_003])
def test_everybody_is_in_one_group_and_no_group_is_too_large(people: int) -> None:
    groups = groups_of(Plan(people, 9, 4, datetime(2026, 3, 1, tzinfo=UTC), NONE))
    assert len(groups) == -(-people // GROUP)
    assert max(group.subscribers for group in groups) - min(group.subscribers for group in groups) <= 1
    assert max(group.subscribers for group in groups) <= GROUP
    behind = 0
    for group in groups:
        assert (group.first, group.days, group.seed) == (behind, 9, 4)
        behind += group.subscribers
    assert behind == people


def outcome(emails: int, latest: float, broken: int) -> Outcome:
    figures = Figures(Counter(video=emails), {DAY: Counter(video=emails)}, latest=latest, copies=1)
    figures.broken["a rule"] = broken
    figures.examples = [Broken("a rule", f"p{number}", 0.0, "words") for number in range(min(broken, EXAMPLES))]
    return Outcome(figures, Counter(watch=2), Counter(refused=1), {DAY: Depth(emails, 1)}, 10)


def test_the_figures_of_all_groups_are_added_up() -> None:
    whole = Outcome()
    for one in (outcome(3, 60.0, 4), outcome(5, 20.0, 9)):
        whole.include(one)
    figures = whole.figures
    assert (figures.kinds, figures.days, figures.latest, figures.copies) == (
        Counter(video=8),
        {DAY: Counter(video=8)},
        60.0,
        2,
    )
    assert figures.broken["a rule"] == 13
    assert len(figures.examples) == EXAMPLES
    assert (whole.deeds, whole.trouble, whole.depths, whole.passes) == (
        Counter(watch=4),
        Counter(refused=2),
        {DAY: Depth(8, 2)},
        20,
    )
