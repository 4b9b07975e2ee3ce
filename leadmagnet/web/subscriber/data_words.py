"""How a copy of a person's rows reads: instants on their own clock, names of columns as words, nothing left away.

Must not know: where rows come from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from leadmagnet.audience.own_data import Section, Value
from leadmagnet.domain.zones import local_time
from leadmagnet.rendering.phrases import days, long_date

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
#: What stands first of a row: the columns that say when it was, and what it was.
_WHEN = ("sent_at", "due_at", "at", "asked_at", "started_at", "last_at", "day")
_WHAT = ("subject", "exercise", "kind", "reason", "form", "signal")
_NAMES: Mapping[str, str] = {
    "email_canonical": "the same, as we compare it",
    "ip": "network address (IP)",
    "user_agent": "browser",
    "id": "number",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One row: its headline, its values with their names, and a text too long for a line."""

    head: str
    pairs: list[tuple[str, str]]
    text: str


def told(section: Section, where: ZoneInfo) -> list[Told]:
    """Return the rows of a section as they read in a zone. Values that are empty are not there."""
    return [_row(section.name, row, where) for row in section.rows]


def _row(name: str, row: Mapping[str, Value], where: ZoneInfo) -> Told:
    filled = {key: _words(key, value, where) for key, value in row.items() if value not in (None, "")}
    text = filled.pop("wording", "")
    if name == "subscriber":
        return Told("", _pairs(filled), text)
    when = next((filled[key] for key in _WHEN if key in filled), "")
    what = next((filled[key] for key in _WHAT if key in filled), "")
    return Told(", ".join(part for part in (when, what) if part), _pairs(filled), text)


def _pairs(filled: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(_NAMES.get(key, key.replace("_", " ")), value) for key, value in filled.items()]


def _words(name: str, value: Value, where: ZoneInfo) -> str:
    if name == "exercise_days":
        return days(tuple(int(digit) for digit in str(value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        local = local_time(datetime.fromisoformat(value), where)
        return f"{long_date(local.date())}, {local:%H:%M}"
    if isinstance(value, str) and _DATE.fullmatch(value):
        return long_date(date.fromisoformat(value))
    return str(value)
