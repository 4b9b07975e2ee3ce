"""The bare ceilings: claim a thousand rows, mark a thousand, insert a thousand, and nothing else.

    python -m benchmarks.bare URL

Two tables. `bare`: five columns and one partial index, the least that could be called a ledger. `delivery`: the
program's own, with all its columns, constraints and indexes, as benchmarks.world fills it: what the same rows cost on
this database when no program is around them. Statements written by hand, three commits a round, as in the send path.
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

#: By table: what is chosen, how it is marked as claimed and as sent, and what is inserted. `{ids}` is written as each
#: database wants it.
_BARE = {
    "choose": "SELECT id FROM bare WHERE status = 'due' AND due_at <= 1 ORDER BY due_at, id LIMIT {batch}",
    "claim": "UPDATE bare SET status = 'claimed' WHERE id IN ({chosen}) RETURNING id",
    "mark": "UPDATE bare SET status = 'sent' WHERE id {ids}",
    "insert": "INSERT INTO bare (enrollment_id, step_id, status, due_at) "
    "SELECT enrollment_id, 3, 'due', 2 FROM bare WHERE id {ids}",
}
_LEDGER = {
    "choose": "SELECT id FROM delivery WHERE status = 'due' AND held IS NULL AND lane = 1 AND due_at <= {now} "
    "ORDER BY due_at, id LIMIT {batch}",
    "claim": "UPDATE delivery SET status = 'claimed', claim_id = 'bare', lease_until = {now}, call_begun_at = {now} "
    "WHERE id IN ({chosen}) RETURNING id",
    "mark": "UPDATE delivery SET status = 'sent', sent_at = {now}, settled_at = {now}, provider = 'bare', "
    "provider_id = 'bare' WHERE id {ids}",
    "insert": "INSERT INTO delivery (public_id, subscriber_id, enrollment_id, step_id, kind, text_slug, reason, lane, "
    "status, skip_reason, created_at, due_at, closes_at, day, attempts, provider, provider_id, detail, resent) "
    "SELECT 'c' || substr(public_id, 2), subscriber_id, enrollment_id, step_id + 1, kind, '', '1 day after', 1, 'due', "
    "'', {now}, {later}, {later}, {day}, 0, '', '', '', 0 FROM delivery WHERE id {ids}",
}
_TIMES = {"now": "'2026-03-03 08:01:00'", "later": "'2026-03-04 08:00:00'", "day": "'2026-03-04'"}
#: On PostgreSQL an instant has a zone, and a text is no instant where its type is not told.
_TIMES_PG = {
    "now": "timestamptz '2026-03-03 08:01:00+00'",
    "later": "timestamptz '2026-03-04 08:00:00+00'",
    "day": "date '2026-03-04'",
}


def connect(url: str) -> Any:
    """Return a raw connection to either database."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=20)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=20000"):
            connection.execute(f"PRAGMA {pragma}")
        return connection
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def seed(url: str, rows: int) -> None:
    """Make the small table with rows that are due."""
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


def work(url: str, table: str) -> int:
    """Do rounds until nothing is due; return how many rows that was."""
    connection = connect(url)
    claimed = 0
    written = _LEDGER if table == "delivery" else _BARE
    one_round = _round_lite if url.startswith("sqlite") else _round
    while done := one_round(connection, written):
        claimed += done
    connection.close()
    return claimed


def _round(connection: Any, written: dict[str, str]) -> int:
    words = _TIMES_PG | {"batch": BATCH, "ids": "= ANY(%s)"}
    chosen = written["choose"].format(**words) + " FOR UPDATE SKIP LOCKED"
    with connection.transaction():
        # A claim or a plan lost in a power cut is simply made again: the send path does not wait for the disk there.
        connection.execute("SET LOCAL synchronous_commit = off")
        claim = written["claim"].format(chosen="SELECT id FROM chosen", **words)
        ids = [row[0] for row in connection.execute(f"WITH chosen AS ({chosen}) {claim}")]
    if ids:
        with connection.transaction():
            connection.execute(written["mark"].format(**words), (ids,))
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")
            connection.execute(written["insert"].format(**words), (ids,))
    return len(ids)


def _round_lite(connection: Any, written: dict[str, str]) -> int:
    words = _TIMES | {"batch": BATCH}
    connection.execute("BEGIN IMMEDIATE")
    claim = written["claim"].format(chosen=written["choose"].format(**words), **words)
    ids = [row[0] for row in connection.execute(claim).fetchall()]
    connection.execute("COMMIT")
    words["ids"] = f"IN ({','.join('?' * len(ids))})"
    for name in ("mark", "insert") if ids else ():
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(written[name].format(**words), ids)
        connection.execute("COMMIT")
    return len(ids)


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    print(work(sys.argv[1], sys.argv[2]), flush=True)
