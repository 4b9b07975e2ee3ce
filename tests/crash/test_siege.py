"""Workers killed at every boundary of the send path: nothing lost, nothing twice. The long one is `make crash`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.siege import BOUNDARIES, Outcome, Siege

PEOPLE, KILLS = 900, 14


@pytest.fixture
def besiege(tmp_path: Path) -> Iterator[Callable[..., Outcome]]:
    """Run a siege; whatever it started is stopped."""
    made: list[Siege] = []

    def run(transport: str, url: str, seed: int, **more: Any) -> Outcome:
        cuts = more.pop("cuts", False)
        made.append(Siege(transport, url, tmp_path, PEOPLE, seed, **more))
        return made[-1].run(KILLS, 150, cuts=cuts)

    yield run
    for siege in made:
        siege.close()


@pytest.mark.timeout(180)
def test_with_events_nothing_is_lost_and_nothing_sent_twice(besiege: Callable[..., Outcome], database_url: str) -> None:
    out = besiege("sendgrid", database_url, seed=7, batch=25)
    assert out.kills.total() >= KILLS
    assert out.kills.keys() >= set(BOUNDARIES), out.words()
    assert (out.lost, out.twice, out.unplanned, out.renamed) == (0, 0, 0, 0), out.words()


@pytest.mark.timeout(180)
def test_over_smtp_each_possible_repetition_is_counted(besiege: Callable[..., Outcome], tmp_path: Path) -> None:
    out = besiege("smtp", f"sqlite:///{tmp_path / 'siege.db'}", seed=11, batch=25)
    assert out.kills.total() >= KILLS
    assert (out.lost, out.uncounted, out.unplanned, out.renamed) == (0, 0, 0, 0), out.words()


@pytest.mark.postgres
@pytest.mark.timeout(180)
def test_a_database_that_ends_all_connections_costs_nothing(besiege: Callable[..., Outcome], postgres_url: str) -> None:
    out = besiege("sendgrid", postgres_url, seed=3, batch=25, cuts=True)
    assert out.cuts > 5
    assert (out.lost, out.twice, out.unplanned, out.renamed) == (0, 0, 0, 0), out.words()
