"""Many rows in one statement that is put together once, on SQLite. Must not know: any table.

To put an INSERT of a dozen columns together takes longer than to run it with a hundred rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import orjson
from sqlalchemy import Connection, CursorResult, String, Table, bindparam, func, literal_column, select, true
from sqlalchemy.dialects import sqlite

from leadmagnet.store.base import Base
from leadmagnet.store.insert_all import insert_all


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
    # Of an INSERT, the count of rows is not kept unless one asks for it.
    counted = {"preserve_rowcount": True}
    if connection.dialect.name != "sqlite":
        statement = _ended(insert_all(model, rows, connection.dialect, same), model, meets=meets, giving=giving)
        return connection.execute(statement, execution_options=counted)
    table = cast("Table", model.__table__)
    shared = {f"all_{name}": value for name, value in (same or {}).items()}
    lists: dict[str, list[Any]] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        # The first column makes the rows, even where all of it is the same, or there is only one.
        if lists and values.count(values[0]) == len(values):
            shared[f"all_{name}"] = values[0]
        else:
            process = table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
            lists[name] = [process(value) for value in values] if process else values
    statement = _statement(model, tuple(lists), tuple(shared), meets=meets, giving=giving)
    given = shared | {"rows": orjson.dumps(list(zip(*lists.values(), strict=True))).decode()}
    return connection.execute(statement, given, execution_options=counted)


@lru_cache(maxsize=512)
def _statement(
    model: type[Base], lists: tuple[str, ...], same: tuple[str, ...], *, meets: bool, giving: str | None
) -> Any:
    table = cast("Table", model.__table__)
    once = {name: bindparam(f"all_{name}", type_=table.c[name].type) for name in (key[4:] for key in same)}
    row = func.json_each(bindparam("rows", type_=String)).table_valued("value", name="row")
    picked = {name: func.json_extract(row.c.value, literal_column(f"'$[{at}]'")) for at, name in enumerate(lists)}
    columns = once | picked
    # Without a condition SQLite would take ON CONFLICT for one of a join.
    chosen = select(*columns.values()).select_from(row).where(true())
    statement = sqlite.insert(model).from_select(list(columns), chosen)
    return _ended(statement, model, meets=meets, giving=giving)


def _ended(statement: Any, model: type[Base], *, meets: bool, giving: str | None) -> Any:
    statement = statement.on_conflict_do_nothing() if meets else statement
    return statement.returning(getattr(model, giving)) if giving else statement
