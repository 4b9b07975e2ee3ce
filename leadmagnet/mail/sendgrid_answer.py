"""SendGrid's answer -> a decision: taken, which letters it refused, or an error with its permanence and waiting time.

Must not know: how the answer came here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from leadmagnet.domain.message import MailError
from leadmagnet.mail.headers import without_addresses

_ONE_LETTER = re.compile(r"personalizations\.(\d{1,4})(?:\.|$)")
_NUMBER = re.compile(r"\d{1,12}(\.\d+)?")
#: Not for ever, whatever a broken proxy may say.
_LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as it came: status, headers (looked up whatever their case), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def is_success(self) -> bool:
        """Say whether the request was taken. 200 is not: it is the sandbox's answer, or a stranger's."""
        return self.status == 202

    def is_from_a_gateway(self) -> bool:
        """Say whether something between us and SendGrid has answered after the request was written to its end.

        SendGrid documents 500 and 503 as its own. A gateway that got no answer from it (502), or none in time (504),
        cannot know whether the request was taken, and neither can we.
        """
        return self.status in {502, 504}

    def message_id(self) -> str:
        """Return SendGrid's id of the request; the ids in events begin with it."""
        return self.headers.get("X-Message-Id", "")

    def words(self) -> str:
        """Return the status and the first error's message, without addresses."""
        first = next((str(error.get("message", "")) for error in self._errors()), "")
        return f"{self.status} {without_addresses(first)}".strip()

    def letters_named(self, count: int) -> dict[int, str]:
        """Return the places of the letters that alone were at fault, with why; empty where anything else was."""
        if self.status != 400:
            return {}
        named: dict[int, str] = {}
        for error in self._errors():
            found = _ONE_LETTER.match(str(error.get("field")))
            if not found or int(found[1]) >= count:
                return {}
            named[int(found[1])] = f"400 {without_addresses(str(error.get('message', '')))}"
        return named

    def as_error(self) -> MailError:
        """Return the failure of the whole request: of this moment (408, 429, 5xx), or one that needs a person."""
        passing = self.status in {408, 429} or self.status >= 500
        wait = self._wait() if passing else None
        return MailError(f"sendgrid: {self.words()}", permanent=not passing, retry_after=wait)

    def _errors(self) -> list[dict[str, Any]]:
        try:
            errors = json.loads(self.body)["errors"]
        except (ValueError, TypeError, KeyError):
            return []
        return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []

    def _wait(self) -> float | None:
        """Return the seconds to wait. Instants count from the answer's own Date, so no clock of ours is asked."""
        after, reset = self.headers.get("Retry-After", ""), self.headers.get("X-RateLimit-Reset", "")
        now = _instant(self.headers.get("Date", ""))
        until = _instant(after)
        seconds: float | None = None
        if _NUMBER.fullmatch(after):
            seconds = float(after)
        elif until and now:
            seconds = (until - now).total_seconds()
        elif now and _NUMBER.fullmatch(reset):
            seconds = float(reset) - now.timestamp()
        return None if seconds is None else min(max(seconds, 0.0), _LONGEST_WAIT)


def _instant(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
