"""What all tables share: naming of constraints, column types, ids.

Instants are stored in UTC and come back aware. Must not know: any one table.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Integer, MetaData, String, TypeDecorator, text
from sqlalchemy.orm import DeclarativeBase

#: SQLite counts ids up by itself only for INTEGER; PostgreSQL needs 64 bits for a ledger.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant. A naive one is refused, because nobody could say what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into UTC; SQLite has no zones, so it gets the bare UTC time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone reached the database")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Leave PostgreSQL's instants alone: our connections ask for them in UTC, and a look at each takes its time."""
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant back as aware UTC."""
        if value is None or value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The parent of all tables. Constraint names follow one rule, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Instant(), int: BigId}  # noqa: RUF012 (SQLAlchemy reads a plain dict)


def one_of(column: str, states: type[StrEnum]) -> CheckConstraint:
    """Return a CHECK that a column holds one of the states."""
    listed = ", ".join(f"'{state.value}'" for state in states)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def filled(column: str) -> dict[str, Any]:
    """Return the condition of a partial index that holds the rows whose text is not empty."""
    condition = text(f"{column} <> ''")
    return {"sqlite_where": condition, "postgresql_where": condition}


def Name(length: int = 64) -> Any:  # noqa: N802 (reads as a column type)
    """Return a short text type."""
    return String(length)


def random_id() -> str:
    """Return 128 random bits, URL-safe, for addresses that must not be guessed or counted."""
    return secrets.token_urlsafe(16)


def ids_from(moment: datetime, count: int) -> list[str]:
    """Return so many ids that nobody can guess (84 random bits) and that sort by the moment at which they were made.

    What is written together then stands together in an index: one of ids that are random from the first digit is read
    and written all over, the more the larger it is (RFC 9562, 2.1, of UUIDs).
    """
    made, bits = f"{int(moment.timestamp() * 1000):011x}", secrets.token_bytes(11 * count).hex()
    return [made + bits[at : at + 21] for at in range(0, 22 * count, 22)]
