"""Many rows, one statement: an execution a row takes three times as long. Must not know: any table.

A column that is the same in all rows is one value; the others are arrays on PostgreSQL, on SQLite one JSON text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from sqlalchemy import ColumnElement, Dialect, String, Table, bindparam, func, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from leadmagnet.store.arrays import Array, array_text
from leadmagnet.store.base import Base


def insert_all(
    model: type[Base], rows: Sequence[Mapping[str, Any]], dialect: Dialect, same: Mapping[str, Any] | None = None
) -> Any:
    """Return the INSERT of one row or more, each with the same columns. It takes `on_conflict_do_nothing()`.

    `same`: further columns, with the value that all rows have there.
    """
    table = cast("Table", model.__table__)
    shared = dict(same or {})
    lists: dict[str, list[Any]] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        # The first column makes the rows, even where all of it is the same, or there is only one.
        if lists and values.count(values[0]) == len(values):
            shared[name] = values[0]
        else:
            lists[name] = values
    once = {name: bindparam(None, value, type_=table.c[name].type) for name, value in shared.items()}
    if dialect.name == "postgresql":
        columns = once | {name: _unnested(table.c[name].type, values, dialect) for name, values in lists.items()}
        return postgresql.insert(model).from_select(list(columns), select(*columns.values()))
    kept = (_as_kept(table.c[name].type, values, dialect) for name, values in lists.items())
    given = bindparam("rows", orjson.dumps(list(zip(*kept, strict=True))).decode(), type_=String)
    row = func.json_each(given).table_valued("value", name="row")
    columns = once | {name: func.json_extract(row.c.value, f"$[{at}]") for at, name in enumerate(lists)}
    # Without a condition SQLite would take ON CONFLICT for one of a join.
    return sqlite.insert(model).from_select(list(columns), select(*columns.values()).select_from(row).where(true()))


def _unnested(kind: TypeEngine[Any], values: list[Any], dialect: Dialect) -> ColumnElement[Any]:
    # TEXT, not VARCHAR(n): a cast to that would cut what is too long, where the column refuses it.
    of = "TEXT" if isinstance(kind, String) else kind.compile(dialect)
    return func.unnest(bindparam(None, array_text(values), type_=Array(of)))


def _as_kept(kind: TypeEngine[Any], values: list[Any], dialect: Dialect) -> list[Any]:
    """Return values as the database keeps them."""
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    return [process(value) for value in values] if process else values
