"""Zones come from the pinned package, and local times find their instants on the nights when clocks change."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.zones import UnknownZone, all_zones, in_utc, known, local_day, local_time, to_utc, zone

#: One night each on which clocks change: spring and autumn, north and south, half an hour, at midnight, a whole day.
NIGHTS = (
    ("America/Vancouver", date(2024, 3, 10)),
    ("America/Vancouver", date(2024, 11, 3)),
    ("Europe/Zurich", date(2026, 3, 29)),
    ("Europe/Zurich", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/St_Johns", date(2010, 3, 14)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Africa/Casablanca", date(2026, 3, 22)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kolkata", date(2026, 3, 29)),
    ("Pacific/Chatham", date(2026, 9, 27)),
    ("Pacific/Chatham", date(2026, 4, 5)),
    ("America/Santiago", date(2025, 9, 7)),
    ("America/Santiago", date(2025, 4, 6)),
    ("America/Nuuk", date(2025, 3, 29)),
)


@pytest.fixture
def a_system_copy_that_lies(tmp_path: Path) -> Iterator[None]:
    """Put a file on the system's path that says Vancouver keeps the time of Kolkata."""
    (tmp_path / "America").mkdir()
    kolkata = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Kolkata").read_bytes()
    (tmp_path / "America" / "Vancouver").write_bytes(kolkata)
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    zone.cache_clear()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


def test_the_systems_copy_is_never_read(a_system_copy_that_lies: None) -> None:
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert summer.astimezone(zoneinfo.ZoneInfo("America/Vancouver")).utcoffset() == timedelta(hours=5, minutes=30)
    assert summer.astimezone(zone("America/Vancouver")).utcoffset() == timedelta(hours=-7)


def test_a_zone_carries_its_name_and_is_read_once() -> None:
    assert str(zone("Europe/Zurich")) == "Europe/Zurich"
    assert zone("Europe/Zurich") is zone("Europe/Zurich")


def test_every_listed_zone_can_be_read() -> None:
    assert len(all_zones()) > 400
    for name in all_zones():
        assert known(name)
        assert str(zone(name)) == name


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Olympus", "europe/zurich", "../../etc/passwd", "/etc/localtime", "Europe/../Europe/Zurich", "Europe",
     "zone1970.tab", "Europe/Zurich\n", "Europe\\Zurich", "C:\\zones", "Europe/Zurich\0", "x" * 10_000],
)  # fmt: skip
def test_what_is_not_in_the_list_is_refused_in_one_short_line(name: str) -> None:
    assert not known(name)
    with pytest.raises(UnknownZone, match="is not a time zone") as raised:
        zone(name)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 150


def test_a_naive_instant_is_refused() -> None:
    naive = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        in_utc(naive)
    with pytest.raises(ValueError, match="aware"):
        local_day(naive, zone("UTC"))


@pytest.mark.parametrize(
    ("name", "day", "clock", "expected"),
    [
        ("Europe/Zurich", date(2026, 3, 28), "02:30", "2026-03-28T01:30Z"),
        ("Europe/Zurich", date(2026, 3, 29), "02:30", "2026-03-29T01:00Z"),  # in the gap: right after it
        ("Europe/Zurich", date(2026, 3, 29), "02:00", "2026-03-29T01:00Z"),
        ("Europe/Zurich", date(2026, 3, 29), "03:00", "2026-03-29T01:00Z"),
        ("Europe/Zurich", date(2026, 10, 25), "02:30", "2026-10-25T00:30Z"),  # ambiguous: the first
        ("Europe/Zurich", date(2026, 10, 25), "03:00", "2026-10-25T02:00Z"),
        ("Australia/Lord_Howe", date(2026, 10, 4), "02:10", "2026-10-03T15:30Z"),  # half an hour
        ("Pacific/Apia", date(2011, 12, 30), "09:00", "2011-12-30T10:00Z"),  # a day that never was
        ("Pacific/Apia", date(2011, 12, 29), "24:00", "2011-12-30T10:00Z"),
        ("America/Santiago", date(2025, 9, 7), "00:00", "2025-09-07T04:00Z"),  # midnight never was
        ("America/Santiago", date(2025, 9, 6), "24:00", "2025-09-07T04:00Z"),
        ("America/Santiago", date(2025, 4, 5), "24:00", "2025-04-06T04:00Z"),  # after 23:xx came twice
        ("America/St_Johns", date(2010, 11, 7), "00:00", "2010-11-07T02:30Z"),  # midnight came twice
        ("Asia/Kolkata", date(2026, 3, 29), "09:00", "2026-03-29T03:30Z"),
        ("Africa/Casablanca", date(2026, 3, 22), "02:30", "2026-03-22T02:00Z"),
    ],
)
def test_a_local_time_has_one_instant(name: str, day: date, clock: str, expected: str) -> None:
    minute = int(clock[:2]) * 60 + int(clock[3:])
    assert to_utc(day, minute, zone(name)) == datetime.fromisoformat(expected)


@settings(max_examples=60, deadline=None)
@given(night=st.sampled_from(NIGHTS), shift=st.integers(-1, 1), minute=st.integers(0, 1440))
def test_a_local_time_is_the_first_instant_at_which_clocks_show_it_or_more(
    night: tuple[str, date], shift: int, minute: int
) -> None:
    name, day = night[0], night[1] + timedelta(days=shift)
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    # Brute force: every minute from long before. No clock is more than 14 hours from UTC.
    instant = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    while local_time(instant, zone(name)) < wall:
        instant += timedelta(minutes=1)
    assert to_utc(day, minute, zone(name)) == instant
