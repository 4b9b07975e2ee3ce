"""A provider's answers, one for each letter, written onto the ledger in one statement.

Must not know: what becomes of a delivery afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from sqlalchemy import BigInteger, Executable, String, bindparam, column, func, select, update
from sqlalchemy.orm import Session

from leadmagnet.store.arrays import Array, array_text
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.in_hand import held_under
from leadmagnet.store.kept import given, to_set

#: Rows handed to a statement, with one parameter a column on PostgreSQL and one in all on SQLite.
_TOLD_ARRAYS = (
    func.unnest(
        bindparam("ids", type_=Array("BIGINT")),
        bindparam("providers", type_=Array("TEXT")),
        bindparam("notes", type_=Array("TEXT")),
    )
    .table_valued(column("id", BigInteger), column("provider", String), column("provider_id", String))
    .render_derived(name="told")
)
_EACH = func.json_each(bindparam("told", type_=String)).table_valued("value").alias("each")
_TOLD_JSON = select(
    func.json_extract(_EACH.c.value, "$[0]").label("id"),
    func.json_extract(_EACH.c.value, "$[1]").label("provider"),
    func.json_extract(_EACH.c.value, "$[2]").label("provider_id"),
).subquery("told")


def settle(session: Session, claim_id: str, told: Mapping[int, tuple[str, str]], /, **values: Any) -> set[int]:
    """Write an outcome on claimed rows of one claim; return the ids that were still ours to settle.

    `told`: by ledger id, the provider and its own id of the letter.
    """
    if not told:
        return set()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        providers, notes = zip(*told.values(), strict=True)
        rows = {"ids": array_text(told), "providers": array_text(providers), "notes": array_text(notes)}
    else:
        rows = {"told": orjson.dumps([[row_id, *note] for row_id, note in told.items()]).decode()}
    statement = _settle(connection.dialect.name, tuple(values))
    return set(connection.execute(statement, given(values, claim=claim_id) | rows).scalars().all())


@cache
def _settle(dialect: str, columns: tuple[str, ...]) -> Executable:
    notes = _TOLD_ARRAYS if dialect == "postgresql" else _TOLD_JSON
    said = {"provider": notes.c.provider, "provider_id": notes.c.provider_id}
    return (
        update(Delivery)
        .where(Delivery.id == notes.c.id, *held_under(bindparam("claim")))
        .values(said | to_set(columns))
        .returning(Delivery.id)
    )
