"""Many rows, one statement: an execution a row takes three times as long. Must not know: any table.

A column that is the same in all rows is one value; the others are arrays on PostgreSQL (texts one JSON: for an array,
each quotation mark in them would be replaced one by one), on SQLite one JSON text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from typing import cast as taken_for

import orjson
from sqlalchemy import ARRAY, JSON, ColumnElement, Dialect, String, Table, bindparam, cast, func, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from leadmagnet.store.base import Base


def insert_all(model: type[Base], rows: Sequence[Mapping[str, Any]], dialect: Dialect) -> Any:
    """Return the INSERT of one row or more, each with the same columns. It takes `on_conflict_do_nothing()`."""
    table = taken_for("Table", model.__table__)
    same: dict[str, ColumnElement[Any]] = {}
    lists: dict[str, list[Any]] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        # The first column makes the rows, even where all of it is the same, or there is only one.
        if lists and values.count(values[0]) == len(values):
            same[name] = bindparam(None, values[0], type_=table.c[name].type)
        else:
            lists[name] = values
    if dialect.name == "postgresql":
        columns = same | {name: _each(table.c[name].type, values) for name, values in lists.items()}
        return postgresql.insert(model).from_select(list(columns), select(*columns.values()))
    kept = (_as_kept(table.c[name].type, values, dialect) for name, values in lists.items())
    given = bindparam("rows", orjson.dumps(list(zip(*kept, strict=True))).decode(), type_=String)
    row = func.json_each(given).table_valued("value", name="row")
    picked = {name: func.json_extract(row.c.value, f"$[{at}]") for at, name in enumerate(lists)}
    columns = same | picked
    # Without a condition SQLite would take ON CONFLICT for one of a join.
    return sqlite.insert(model).from_select(list(columns), select(*columns.values()).select_from(row).where(true()))


def _each(kind: TypeEngine[Any], values: list[Any]) -> ColumnElement[Any]:
    """Return what makes a row of each value on PostgreSQL; several of these go in step."""
    if isinstance(kind, String):
        written = orjson.dumps(values).decode()
        return func.json_array_elements_text(cast(bindparam(None, written, type_=String), JSON), type_=String)
    return func.unnest(bindparam(None, values, type_=ARRAY(kind)))


def _as_kept(kind: TypeEngine[Any], values: list[Any], dialect: Dialect) -> list[Any]:
    """Return values as the database keeps them."""
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    return [process(value) for value in values] if process else values
