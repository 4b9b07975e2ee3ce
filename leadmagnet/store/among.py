"""`among(column, ids)`: one bound parameter, however many there are. And `fixed`: a value written into the SQL.

An IN list has a parameter for each id: it is written out and parsed anew for every batch, and each database has a limit
of its own. A partial index serves a statement only where its condition stands in the SQL itself, not in a parameter.
Must not know: any table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, String, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType


class _Array(UserDefinedType[str]):
    """PostgreSQL's own type, named with the parameter: the planner then knows how many ids there are."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_options: Any) -> str:
        return "BIGINT[]"


class _Ids(TypeDecorator[list[int]]):
    """A list of ids, written as one text: an array's on PostgreSQL, JSON on SQLite.

    As a list, psycopg would look at each number for itself, which takes five times as long.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_Array() if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: list[int] | None, dialect: Dialect) -> Any:
        written = orjson.dumps(value).decode()
        return f"{{{written[1:-1]}}}" if dialect.name == "postgresql" else written


class _Texts(TypeDecorator[list[str]]):
    """A list of texts: an array on PostgreSQL, JSON on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else orjson.dumps(value).decode()


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
    return _Among(column, bindparam("ids", sorted(ids), type_=_Ids(), unique=True))


def among_texts(column: Any, texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column of texts holds one of `texts`. False for none."""
    return _Among(column, bindparam("texts", sorted(texts), type_=_Texts(), unique=True))


def fixed(value: str | int) -> Any:
    """Return a value of ours that stands in the SQL itself."""
    return bindparam(None, str(value) if isinstance(value, str) else value, literal_execute=True)
