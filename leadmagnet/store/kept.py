"""Updates that a hot path repeats, put together once for the columns that they set, and run with the values.

To put a statement together takes SQLAlchemy several times as long as to run it. Must not know: any table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, bindparam


def plain(values: Mapping[str, Any]) -> bool:
    """Say whether all these are values, and none is an expression that belongs into the SQL."""
    return not any(isinstance(value, ColumnElement) for value in values.values())


def to_set(columns: Iterable[str]) -> dict[str, ColumnElement[Any]]:
    """Return, for `Update.values`, a parameter for each of these columns."""
    return {column: bindparam(f"new_{column}") for column in columns}


def given(values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the parameters of such a statement: what the columns are set to, and `more` for its conditions."""
    return {f"new_{column}": value for column, value in values.items()} | more
