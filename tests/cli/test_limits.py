"""Instants at the edges of the calendar, and files that cannot be used: one line each, and status 1 or 2."""

from __future__ import annotations

from typing import Any

import pytest

from leadmagnet.editing.shipped import SLUG

FAR = [
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "9000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:00:00Z",
]
EDGES = ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00+14:00", "8999-12-31T23:59:59Z", "8999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("instant", FAR)
def test_an_instant_too_far_away_is_refused(shell: Any, instant: str) -> None:
    assert "too far away" in shell.refused("tick", "--now", instant, status=2)
    zoned = ("sequence", "calendar", SLUG, "--timezone", "Europe/Zurich", "--start")
    assert "too far away" in shell.refused(*zoned, instant, status=2)


@pytest.mark.parametrize("instant", EDGES)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_up_to_there_everything_works(shell: Any, instant: str, zone: str) -> None:
    assert shell.json("tick", "--now", instant)["sent"] == 0
    rows = shell.json("sequence", "calendar", SLUG, "--start", instant, "--timezone", zone)
    assert [row["kind"] for row in rows].count("video") == 6


@pytest.mark.parametrize("target", ["/etc/passwd/below", "/proc/nowhere", "/no/such/folder.csv"])
def test_an_export_to_a_place_that_takes_no_file_is_one_line(shell: Any, target: str) -> None:
    assert target in shell.refused("subscribers", "export", "--to", target, status=1)


@pytest.mark.parametrize("command", [("deliveries", "retry"), ("signups", "release"), ("signups", "discard")])
def test_a_number_that_no_row_can_have_is_one_line(shell: Any, command: tuple[str, ...]) -> None:
    assert "range" in shell.refused(*command, "99999999999999999999", status=2)
