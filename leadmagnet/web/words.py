"""Dates, hours and numbers as people say them, for pages. Emails have phrases of their own in rendering/.

Must not know: any row, the present moment.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from leadmagnet.domain.zones import local_day
from leadmagnet.rendering.phrases import MONTHS, WEEKDAYS

_SMALL = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def number(count: int) -> str:
    """Return "sixteen", "twenty-one"; figures from a hundred on."""
    if count < len(_SMALL):
        return _SMALL[count]
    if count >= 100:
        return str(count)
    tens, ones = divmod(count, 10)
    return _TENS[tens - 2] + (f"-{_SMALL[ones]}" if ones else "")


def capital(text: str) -> str:
    """Return the text with its first letter large and the rest as it is."""
    return text[:1].upper() + text[1:]


def short_day(day: date) -> str:
    """Return "Thu 12 Nov"."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}"


def bare_day(day: date) -> str:
    """Return "12 Nov"."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def full_day(day: date) -> str:
    """Return "Thursday, 12 November"."""
    return f"{WEEKDAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]}"


def week(monday: date, sunday: date) -> str:
    """Return "9–15 Nov", or "30 Nov–6 Dec" where the week crosses into another month."""
    first = str(monday.day) if monday.month == sunday.month else bare_day(monday)
    return f"{first}–{bare_day(sunday)}"


def hour(minute: int) -> str:
    """Return a minute of the day as "9 in the morning", "noon" or "9:30"."""
    whole, rest = divmod(minute, 60)
    if rest:
        return f"{whole}:{rest:02}"
    if whole in (0, 12):
        return "midnight" if whole == 0 else "noon"
    for end, part in ((12, "in the morning"), (18, "in the afternoon"), (22, "in the evening"), (24, "at night")):
        if whole < end:
            return f"{whole % 12} {part}"
    raise ValueError(f"{minute} is no minute of a day")


def place(zone_name: str) -> str:
    """Return the town in a zone's name: "Vancouver" for "America/Vancouver"."""
    return zone_name.rpartition("/")[2].replace("_", " ")


def day_in(at: datetime, zone: ZoneInfo) -> date:
    """Return an instant's date on a calendar in that zone."""
    return local_day(at, zone)


def count(many: int, noun: str) -> str:
    """Return "sixteen days", "one day"."""
    return f"{number(many)} {noun}{'' if many == 1 else 's'}"
