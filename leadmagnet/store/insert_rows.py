"""Many rows in one statement, which is put together once. Must not know: any table.

An execution a row takes three times as long, and to put an INSERT of a dozen columns together longer than to run it
with a hundred rows. A column that is the same in all rows is one value; the others are arrays on PostgreSQL, on SQLite
one JSON text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    String,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from leadmagnet.store.arrays import Array, array_text
from leadmagnet.store.base import Base

#: Only to write the names of types down.
_POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own, without types


def insert_rows(
    connection: Connection,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    same: Mapping[str, Any] | None = None,
    *,
    meets: bool = False,
    giving: str | None = None,
) -> CursorResult[Any]:
    """Insert one row or more, each with the same columns; the result counts them, or gives a column of those inserted.

    `same`: further columns, with the value that all rows have there. `meets`: a row that meets another one, by any
    unique index, is left out. `giving`: the column of the result.
    """
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return insert_columns(connection, model, columns, same, meets=meets, giving=giving)


def insert_columns(
    connection: Connection,
    model: type[Base],
    columns: Mapping[str, Sequence[Any]],
    same: Mapping[str, Any] | None = None,
    *,
    meets: bool = False,
    giving: str | None = None,
) -> CursorResult[Any]:
    """Insert rows as `insert_rows` does, given by column: each holds one value or more, and all as many."""
    shared = {f"all_{name}": value for name, value in (same or {}).items()}
    lists: dict[str, Sequence[Any]] = {}
    for name, values in columns.items():
        # The first column makes the rows, even where all of it is the same, or there is only one.
        if lists and values.count(values[0]) == len(values):
            shared[f"all_{name}"] = values[0]
        else:
            lists[name] = values
    kind = connection.dialect.name
    statement = _statement(kind, model, tuple(lists), tuple(shared), meets=meets, giving=giving)
    given = shared | (_arrays(lists) if kind == "postgresql" else _json(connection, model, lists))
    # Of an INSERT, the count of rows is not kept unless one asks for it.
    return connection.execute(statement, given, execution_options={"preserve_rowcount": True})


def _arrays(lists: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    return {f"each_{name}": array_text(values) for name, values in lists.items()}


def _json(connection: Connection, model: type[Base], lists: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Return the rows as one text, with values as the database keeps them."""
    kept = []
    for name, values in lists.items():
        process = _column(model, name).dialect_impl(connection.dialect).bind_processor(connection.dialect)
        kept.append([process(value) for value in values] if process else values)
    return {"rows": orjson.dumps(list(zip(*kept, strict=True))).decode()}


@lru_cache(maxsize=512)
def _statement(
    kind: str, model: type[Base], lists: tuple[str, ...], same: tuple[str, ...], *, meets: bool, giving: str | None
) -> Any:
    once: dict[str, ColumnElement[Any]] = {
        name: bindparam(f"all_{name}", type_=_column(model, name)) for name in (key[4:] for key in same)
    }
    if kind == "postgresql":
        columns = once | {name: _unnested(name, _column(model, name)) for name in lists}
        statement: Any = postgresql.insert(model).from_select(list(columns), select(*columns.values()))
    else:
        row = func.json_each(bindparam("rows", type_=String)).table_valued("value", name="row")
        columns = once | {
            name: func.json_extract(row.c.value, literal_column(f"'$[{at}]'")) for at, name in enumerate(lists)
        }
        # Without a condition SQLite would take ON CONFLICT for one of a join.
        chosen = select(*columns.values()).select_from(row).where(true())
        statement = sqlite.insert(model).from_select(list(columns), chosen)
    statement = statement.on_conflict_do_nothing() if meets else statement
    return statement.returning(getattr(model, giving)) if giving else statement


def _unnested(name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    # TEXT, not VARCHAR(n): a cast to that would cut what is too long, where the column refuses it.
    of = "TEXT" if isinstance(kind, String) else kind.compile(_POSTGRESQL)
    return func.unnest(bindparam(f"each_{name}", type_=Array(of)))


def _column(model: type[Base], name: str) -> TypeEngine[Any]:
    return cast("Table", model.__table__).c[name].type
