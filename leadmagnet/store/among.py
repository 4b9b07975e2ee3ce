"""`among(column, ids)`: one bound parameter, however many there are. And `fixed`: a value written into the SQL.

An IN list has a parameter for each id: it is written out and parsed anew for every batch, and each database has a limit
of its own. A partial index serves a statement only where its condition stands in the SQL itself, not in a parameter.
To put a statement together takes SQLAlchemy several times as long as to run it, so whoever repeats one keeps it:
`among_given(column)` takes the ids when it is run, `among_texts_given(column)` texts. Must not know: any table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import orjson
from sqlalchemy import Boolean, ColumnElement, Dialect, Integer, String, bindparam, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from leadmagnet.store.arrays import Array, array_text


class _Ids(TypeDecorator[Collection[int]]):
    """A list of ids, written as one text: an array's on PostgreSQL, JSON on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Array("BIGINT") if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        written = orjson.dumps(sorted(value or ())).decode()
        return f"{{{written[1:-1]}}}" if dialect.name == "postgresql" else written


class _Texts(TypeDecorator[Collection[str]]):
    """A list of texts: an array on PostgreSQL, JSON on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Array("TEXT") if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        texts = sorted(value or ())
        return array_text(texts) if dialect.name == "postgresql" else orjson.dumps(texts).decode()


class _Among(FunctionElement[bool]):
    inherit_cache = True
    name = "among"
    type = Boolean()
    # Otherwise SQLite gets "… IN (…) = 1", which no index serves.
    _is_implicitly_boolean = True


@compiles(_Among)
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 (SQLAlchemy's own text, ids as a parameter)


@compiles(_Among, "postgresql")
def _any_of_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({ids})"


def among(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that a column of ids holds one of `ids`. False for none."""
    return _Among(column, bindparam("ids", list(ids), type_=_Ids(), unique=True))


def among_given(column: Any, name: str = "ids") -> ColumnElement[bool]:
    """Return the same for ids that are given, as a parameter of this name, when the statement is run."""
    return _Among(column, bindparam(name, type_=_Ids()))


def among_texts(column: Any, texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column of texts holds one of `texts`. False for none."""
    return _Among(column, bindparam("texts", list(texts), type_=_Texts(), unique=True))


def among_texts_given(column: Any, name: str = "texts") -> ColumnElement[bool]:
    """Return the same for texts that are given, as a parameter of this name, when the statement is run."""
    return _Among(column, bindparam(name, type_=_Texts()))


def fixed(value: str | int) -> Any:
    """Return a value of ours that stands in the SQL itself."""
    if isinstance(value, str):
        return literal_column("'" + value.replace("'", "''") + "'", String)
    return literal_column(str(value), Integer)


def one_of(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of these values of ours, which stand in the SQL itself.

    A list of parameters would be written into the statement anew each time it is run.
    """
    found: ColumnElement[bool] = column.in_([fixed(value) for value in values])
    return found
