"""Small pieces of English: dates, lengths, counts, names made safe. Never the process's locale.

Must not know: readers, slots, the present moment.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

from leadmagnet.domain.names import JOINERS, LINK, NAME_LENGTH

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

#: Characters with a meaning for HTML, templates or address lines, and none in a name.
_MARKS = frozenset('{}<>[]()|"`*_=#$%^~;&')


@lru_cache(maxsize=4096)
def safe_name(raw: str) -> str:
    """Return a name that can only be read as a name: one line, no links, no marks, no hidden characters."""
    kept = "".join(_character(letter) for letter in raw[:500])
    words = [word for word in kept.split() if not LINK.search(word)]
    return " ".join(words)[:NAME_LENGTH].strip(" ,-")


def _character(letter: str) -> str:
    if letter in JOINERS:
        return letter
    if letter.isspace():
        return " "
    # Cc control, Cf direction marks, Co private, Cn unassigned, Cs half a pair.
    return "" if letter in _MARKS or unicodedata.category(letter).startswith("C") else letter


@lru_cache(maxsize=512)
def long_date(day: date) -> str:
    """Return "9 November 2026"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def day_from(today: date, day: date) -> str:
    """Return `day` as one says it on `today`: "on Saturday", or "on Saturday 28 November" beyond six days."""
    away = (day - today).days
    if away <= 0:
        return "later today" if away == 0 else "soon"
    name = WEEKDAYS[day.weekday()]
    return f"on {name}" if away <= 6 else f"on {name} {day.day} {MONTHS[day.month - 1]}"


@lru_cache(maxsize=256)
def days(weekdays: tuple[int, ...] | frozenset[int]) -> str:
    """Return "Monday, Wednesday and Friday"."""
    names = [WEEKDAYS[number] for number in sorted(set(weekdays))]
    if len(names) == 7:
        return "every day"
    if len(names) < 2:
        return names[0] if names else "no day"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def count(number: int, noun: str) -> str:
    """Return "three sessions"; figures from thirteen on."""
    word = NUMBERS[number] if 0 <= number < len(NUMBERS) else str(number)
    return f"{word} {noun}" if number == 1 else f"{word} {noun}s"


@lru_cache(maxsize=256)
def length(seconds: float | None) -> str:
    """Return "38 seconds", "1 minute" or "1 minute 20 seconds"; "a short film" where the length is unknown.

    A second that has begun is not counted, as players don't count it: 50.6 seconds are 0:50 there and 50 here.
    """
    if seconds is None or seconds <= 0:
        return "a short film"
    minutes, rest = divmod(max(1, int(seconds)), 60)
    parts = [(minutes, "minute"), (rest, "second")]
    return " ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in parts if number)


@lru_cache(maxsize=512)
def in_sentence(title: str) -> str:
    """Return a title as it stands inside a sentence: "Bird dog" becomes "bird dog"; "90/90" and "TRX" stay."""
    return re.sub(r"\b[^\W\d_](?=[^\W\d_A-Z])", lambda first: first[0].lower(), title)
