"""Short versions of what `make flood` and `make timing` measure, on the program as it is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.abuse import flood, timing
from tests.abuse.served import serving

#: Visitors, hostile networks, and what is open to anybody from one of them.
PEOPLE, NETWORKS, OPEN = 4, 2, 2


@pytest.mark.timeout(240)
def test_a_flood_sends_as_many_confirmations_as_the_caps_allow_and_visitors_come_in(tmp_path: Path) -> None:
    settings = {"SIGNUP_REQUESTS_PER_MINUTE": "24", "SIGNUP_NETWORK_CAP": str(2 * OPEN)}
    with serving(tmp_path, f"sqlite:///{tmp_path / 'flood.db'}", **settings) as server:
        report = flood.besiege(server, posts=120, seconds=1, visitors=PEOPLE, networks=NETWORKS)
    assert report.answers.total() == 120
    assert report.answers.keys() <= {303, 429}, report.words()
    assert report.answers[429] > 0, report.words()
    assert 0 < report.hostile_emails <= NETWORKS * OPEN, report.words()
    assert report.hostile_emails + report.held == report.answers[303], "one is lost"
    assert report.real_emails == PEOPLE, report.words()


@pytest.mark.timeout(240)
def test_no_time_and_no_byte_tells_a_known_address_from_an_unknown_one(tmp_path: Path) -> None:
    """Chance alone would fail this once in two million comparisons: see timing.py."""
    with timing.quiet_server(tmp_path, f"sqlite:///{tmp_path / 'timing.db'}") as server:
        _, confirmed, answers = timing.differences(server, requests=112)
    assert confirmed == []
    assert len(answers) == 1
