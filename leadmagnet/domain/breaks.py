"""Until when a break lasts: a day on the person's own calendar, written as a date.

Must not know: whose break it is, what rests meanwhile.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

#: The longest break with an end. Whoever wants a longer one takes one without.
LONGEST = timedelta(days=366)


class BadDay(ValueError):
    """No day on which a break can end."""


def parse_end(text: str, today: date) -> date:
    """Return the day written as 2026-03-14 (as browsers send it) on which emails go on; it lies ahead of `today`.

    Raises BadDay for what is no date, for today and before, and for more than LONGEST ahead.
    """
    # date.fromisoformat takes week dates, too.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()):
        raise BadDay("not a date")
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise BadDay("no such day") from error
    if not today < day <= today + LONGEST:
        raise BadDay("not ahead, or too far")
    return day
