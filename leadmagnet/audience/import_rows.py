"""The rows of an import, and the checks of one row. Must not know: the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from leadmagnet.clock import Now
from leadmagnet.domain.names import parse_name
from leadmagnet.domain.zones import known

SOURCE_LENGTH, CONSENT_LENGTH = 120, 2_000
COLUMNS = ("email", "first_name", "timezone", "source", "consent")


class Rejected(ValueError):
    """One row cannot be taken. The sentence says why."""


class Address(Protocol):
    """An address as typed, and its canonical spelling."""

    @property
    def email(self) -> str:
        """Return the address as typed."""
        ...

    @property
    def canonical(self) -> str:
        """Return the canonical spelling."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file, by column."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that has been checked."""

    row: Row
    email: str
    canonical: str
    first_name: str
    timezone: str
    source: str
    consent: str


@dataclass(slots=True)
class Report:
    """What became of the rows. `rejects`: line, reason and the row itself, for a file to mend and import again."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejects: list[tuple[int, str, Mapping[str, str]]] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """How many rows were not taken."""
        return len(self.rejects)

    def reject(self, row: Row, reason: str) -> None:
        """Note that a row was not taken."""
        self.rejects.append((row.line, reason, row.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What holds for all rows."""

    now: Now
    consent: str
    sequence_id: int | None
    clinic_zone: str
    suppression_key: str
    source: str
    language: str


def check(row: Row, plan: Plan, parse_address: Callable[[str], Address]) -> Candidate:
    """Check one row. Raises ValueError with a sentence."""
    given = {name: " ".join(row.values.get(name, "").split()) for name in COLUMNS}
    if not given["email"]:
        raise Rejected("There is no address in this row.")
    address = parse_address(given["email"])
    if given["timezone"] and not known(given["timezone"]):
        raise Rejected(f"{given['timezone'][:40]} is not a time zone. One looks like America/Vancouver.")
    first_name = parse_name(given["first_name"])
    consent = given["consent"] or plan.consent
    if not consent:
        raise Rejected("Nothing says that this person agreed. Add a consent column, or name the basis for all rows.")
    if len(consent) > CONSENT_LENGTH:
        raise Rejected(f"The consent is longer than {CONSENT_LENGTH} letters.")
    source = given["source"][:SOURCE_LENGTH]
    return Candidate(row, address.email, address.canonical, first_name, given["timezone"], source, consent)
