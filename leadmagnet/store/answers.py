"""A provider's answers, one for each letter, written onto the ledger in one statement.

Must not know: what becomes of a delivery afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import ARRAY, BigInteger, String, bindparam, column, func, select, update
from sqlalchemy.orm import Session

from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.in_hand import held_under

#: Rows handed to a statement, with one parameter a column on PostgreSQL and one in all on SQLite.
_TOLD_ARRAYS = (
    func.unnest(
        bindparam("ids", type_=ARRAY(BigInteger)),
        bindparam("providers", type_=ARRAY(String)),
        bindparam("notes", type_=ARRAY(String)),
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
    postgres = session.connection().dialect.name == "postgresql"
    notes = _TOLD_ARRAYS if postgres else _TOLD_JSON
    statement = (
        update(Delivery)
        .where(Delivery.id == notes.c.id, *held_under(claim_id))
        .values(provider=notes.c.provider, provider_id=notes.c.provider_id, **values)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    columns = {
        "ids": list(told),
        "providers": [one for one, _ in told.values()],
        "notes": [note for _, note in told.values()],
    }
    rows = [[row_id, *note] for row_id, note in told.items()]
    given: dict[str, Any] = columns if postgres else {"told": orjson.dumps(rows).decode()}
    return set(session.execute(statement, given).scalars().all())
