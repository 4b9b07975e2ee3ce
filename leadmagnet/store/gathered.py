"""`gathered(column)`: all values of a group, as one list. Must not know: any table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import UserDefinedType


class _List(UserDefinedType[list[Any]]):
    """A list: an array on PostgreSQL, JSON on SQLite."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return None if dialect.name == "postgresql" else orjson.loads


class _Gathered(FunctionElement[list[Any]]):
    inherit_cache = True
    name = "gathered"
    type = _List()


@compiles(_Gathered)
def _json(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


@compiles(_Gathered, "postgresql")
def _array(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"array_agg({compiler.process(element.clauses, **options)})"


def gathered(column: Any) -> Any:
    """Return the list of a column's values in a group, in no order, but the same as that of its other columns."""
    return _Gathered(column)
