"""The bare ceiling: claim a thousand rows, insert a thousand, mark a thousand, and nothing else.

    python -m benchmarks.bare URL WORKER

A table with five columns and one partial index, statements written by hand, three commits a round, as in the send path.
"""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

import psycopg

BATCH = 1_000
_TABLE = (
    "CREATE TABLE bare (id {serial}, enrollment_id BIGINT NOT NULL, step_id BIGINT NOT NULL, "
    "status VARCHAR(16) NOT NULL, due_at BIGINT NOT NULL)"
)
_INDEX = "CREATE INDEX ix_bare_due ON bare (due_at, id) WHERE status = 'due'"


def connect(url: str) -> Any:
    """Return a raw connection to either database."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=20)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=20000"):
            connection.execute(f"PRAGMA {pragma}")
        return connection
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def seed(url: str, rows: int) -> None:
    """Make the table with rows that are due."""
    connection = connect(url)
    lite = url.startswith("sqlite")
    connection.execute(_TABLE.format(serial="INTEGER PRIMARY KEY" if lite else "BIGSERIAL PRIMARY KEY"))
    if lite:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO bare VALUES (?, ?, 2, 'due', 1)", ((n, n) for n in range(1, rows + 1)))
        connection.execute("COMMIT")
    else:
        connection.execute(
            "INSERT INTO bare (enrollment_id, step_id, status, due_at) "
            "SELECT n, 2, 'due', 1 FROM generate_series(1, %s) n",
            (rows,),
        )
    connection.execute(_INDEX)
    connection.execute("ANALYZE bare")
    connection.close()


def work(url: str) -> int:
    """Do rounds until nothing is due; return how many rows that was."""
    connection = connect(url)
    claimed = 0
    while ids := (_claim_lite if url.startswith("sqlite") else _claim)(connection):
        (_finish_lite if url.startswith("sqlite") else _finish)(connection, ids)
        claimed += len(ids)
    connection.close()
    return claimed


def _claim(connection: Any) -> list[int]:
    with connection.transaction():
        found = connection.execute(
            "WITH chosen AS (SELECT id FROM bare WHERE status = 'due' AND due_at <= 1 ORDER BY due_at, id LIMIT %s "
            "FOR UPDATE SKIP LOCKED) UPDATE bare SET status = 'claimed' FROM chosen WHERE bare.id = chosen.id "
            "RETURNING bare.id",
            (BATCH,),
        )
        return [row[0] for row in found]


def _finish(connection: Any, ids: list[int]) -> None:
    with connection.transaction():
        connection.execute("UPDATE bare SET status = 'sent' WHERE id = ANY(%s)", (ids,))
    with connection.transaction():
        connection.execute(
            "INSERT INTO bare (enrollment_id, step_id, status, due_at) SELECT unnest(%s::bigint[]), 3, 'due', 2", (ids,)
        )


def _claim_lite(connection: Any) -> list[int]:
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute(
        "UPDATE bare SET status = 'claimed' WHERE id IN (SELECT id FROM bare WHERE status = 'due' AND due_at <= 1 "
        "ORDER BY due_at, id LIMIT ?) RETURNING id",
        (BATCH,),
    ).fetchall()
    connection.execute("COMMIT")
    return [row[0] for row in found]


def _finish_lite(connection: Any, ids: list[int]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"UPDATE bare SET status = 'sent' WHERE id IN ({','.join('?' * len(ids))})", ids)
    connection.execute("COMMIT")
    connection.execute("BEGIN IMMEDIATE")
    rows = [(one,) for one in ids]
    connection.executemany("INSERT INTO bare (enrollment_id, step_id, status, due_at) VALUES (?, 3, 'due', 2)", rows)
    connection.execute("COMMIT")


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    print(work(sys.argv[1]), flush=True)
