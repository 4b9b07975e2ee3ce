"""Arrays of PostgreSQL, written as the text that it reads. Must not know: any table.

Given a list, psycopg would look for a way to write each value by itself, which takes five times as long.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy.types import UserDefinedType


class Array(UserDefinedType[str]):
    """An array of one of PostgreSQL's types, given as text.

    The type is named with the parameter: the planner then knows how many values there are.
    """

    cache_ok = True
    render_bind_cast = True

    def __init__(self, of: str) -> None:
        """Take the name of the type of its values."""
        self.of = of

    def get_col_spec(self, **_options: Any) -> str:
        """Return the name of the array's type."""
        return f"{self.of}[]"


def array_text(values: Iterable[Any]) -> str:
    """Return values as PostgreSQL writes an array (its manual, 8.15.2). Raises TypeError for a type it cannot write."""
    values = list(values)
    kinds = set(map(type, values))
    if kinds == {int}:
        return f"{{{','.join(map(str, values))}}}"
    if kinds == {str}:
        joined = '","'.join(values)
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return f'{{"{joined}"}}'
    return f"{{{','.join([_element(value) for value in values])}}}"


def _element(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"') if "\\" in value or '"' in value else value
        return f'"{escaped}"'
    if value is None:
        return "NULL"
    if isinstance(value, date):  # a datetime is one, too
        return f'"{value.isoformat()}"'
    if isinstance(value, (bool, int, float)):
        return str(value)
    raise TypeError(f"no way to write a {type(value).__name__} into an array")
