"""Connections and transactions for both databases.

Only entry points (web requests, commands, the worker's tick) open transactions; rooms get a session. `writing` takes
SQLite's write lock at the start, so that a reader who turns writer cannot meet a busy database half-way.
Must not know: any table.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

#: Seconds a writer waits for another writer before it gives up.
BUSY_SECONDS = 20
#: How long the emptying of the log waits for readers; then it is tried again later.
LOG_MILLISECONDS = 200
#: For each SQLite file, whose turn it is to write, among the threads of this process.
#: A thread may take it twice: the first look at a fast clock writes down where it stands.
_turns: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
# A child of a fork has only the thread that forked: a turn that another had taken would never end.
os.register_at_fork(after_in_child=_turns.clear)
#: Seconds between two looks of a waiting writer whether the file is free. SQLite's own waiting looks ever more rarely,
#: at last every 100 ms, so that who waits long is overtaken by who has just come; measured by benchmarks/visitors.py.
LOOK_SECONDS = 0.002


def connect(url: str) -> Engine:
    """Return the engine for a database URL, with our settings for SQLite. Makes the folder of a SQLite file."""
    parsed = make_url(url)
    # hide_parameters: an error's text goes into logs, and parameters are addresses and names.
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20, hide_parameters=True)
        _tune_postgresql(engine)
    else:
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, hide_parameters=True
        )
        _tune_sqlite(engine)
    # A child of a fork must not share its parent's connections.
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
    return engine


def _tune_postgresql(engine: Engine) -> None:
    """Tell the planner that a look by an index is cheap, and that compiling a statement is not; instants come in UTC.

    Its defaults are for disks with heads: it would read all people to find a thousand by their ids (the manual, 20.7.2
    and 32.2). And a statement is planned for its values: by the plan for any values, the looks at what is due would
    read the whole ledger (20.7.4); who knows better says so (`writing`). Set where a connection begins, because poolers
    refuse options in the connection's first message.
    """

    each = "random_page_cost = 1.1", "jit = off", "timezone = 'UTC'", "plan_cache_mode = force_custom_plan"

    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        for setting in each:
            connection.execute(f"SET {setting}")
        connection.autocommit = False


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def settings(connection: sqlite3.Connection, _record: Any) -> None:
        # We say BEGIN ourselves: sqlite3's own habit of beginning late would void the write lock below.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "wal_autocheckpoint=20000",
            f"busy_timeout={BUSY_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("lm_begin", "DEFERRED")
        if mode == "DEFERRED":
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_to_write(connection)


def _begin_to_write(connection: Connection) -> None:
    """Begin as soon as the file is free."""
    give_up = time.monotonic() + BUSY_SECONDS
    raw = connection.connection.cursor()
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY and time.monotonic() < give_up:
                    time.sleep(LOOK_SECONDS)
                    continue
                # Once more, for SQLAlchemy to report it as it reports everything.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        raw.close()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session that only reads: nothing is committed. What was read stays readable afterwards.

    On PostgreSQL the transaction may only read, and is committed: after a ROLLBACK, psycopg forgets all statements that
    it had prepared, and each batch would have them parsed and planned anew.
    """
    postgres = engine.dialect.name == "postgresql"
    reader = engine.execution_options(postgresql_readonly=True) if postgres else engine
    with Session(reader, expire_on_commit=False, autoflush=False) as session:
        yield session
        if postgres:
            session.expunge_all()
            session.commit()


def _turn(engine: Engine) -> AbstractContextManager[object]:
    """Let the threads of a process write to a SQLite file one after the other.

    Whom SQLite itself finds in the way sleeps and looks again, a tenth of a second later at worst, while others slip
    in. Here who waits is woken at once. Other processes are kept apart by SQLite as ever.
    """
    return _turns[engine.url.database or ""] if engine.dialect.name == "sqlite" else nullcontext()


@contextmanager
def writing(engine: Engine, *, durable: bool = True, by_ids: bool = False) -> Iterator[Session]:
    """Give a session whose changes are committed at the end, or rolled back if an exception leaves the block.

    Work that is simply done again after a power cut (a plan, a claim whose call has not begun) need not be `durable`:
    on PostgreSQL its commit then does not wait for the disk. Any later commit that does wait brings it along.

    `by_ids`: its statements find their rows by ids, whichever they are, so PostgreSQL may plan each of them once for
    all batches. For a list of a thousand that takes longer than the look for ten of them.
    """
    writer = engine.execution_options(lm_begin="IMMEDIATE")
    with _turn(engine), Session(writer, expire_on_commit=False) as session, session.begin():
        if engine.dialect.name == "postgresql" and (not durable or by_ids):
            session.connection().exec_driver_sql(_LOCALLY[durable, by_ids])
        yield session


_OFF, _ONCE = (
    "set_config('synchronous_commit', 'off', true)",
    "set_config('plan_cache_mode', 'force_generic_plan', true)",
)
#: What a transaction sets for itself, by whether it is durable and whether it works by ids; one round trip.
_LOCALLY = {
    (False, False): f"SELECT {_OFF}",
    (True, True): f"SELECT {_ONCE}",
    (False, True): f"SELECT {_OFF}, {_ONCE}",
}


@contextmanager
def writing_in_batches(engine: Engine) -> Iterator[Session]:
    """Like `writing`, for long work whose caller commits after each batch; what is left is committed at the end."""
    with Session(engine.execution_options(lm_begin="IMMEDIATE"), expire_on_commit=False) as session:
        yield session
        session.commit()


def empty_log(engine: Engine) -> bool:
    """Write SQLite's write-ahead log into the file and cut it to nothing: what was deleted still stands in it.

    False where somebody was just reading from it. The other database keeps its log for itself.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        if raw is None:
            return False
        cursor = raw.cursor()
        # Whoever writes waits as long as we do, so not for long.
        cursor.execute(f"PRAGMA busy_timeout={LOG_MILLISECONDS}")
        try:
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        return not busy


def rewrite(engine: Engine) -> None:
    """Write the whole database anew, so that no page holds remains of deleted rows.

    On PostgreSQL each table is locked while it is written. The statistics go as well: they hold samples of columns.
    """
    statements = ["VACUUM (FULL, ANALYZE)", "VACUUM (FULL) pg_catalog.pg_statistic"]
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            statements = ["VACUUM"]
        else:
            connection.execution_options(isolation_level="AUTOCOMMIT")
        # A statement of its own, outside any transaction.
        raw = connection.connection.dbapi_connection
        if raw is not None:
            cursor = raw.cursor()
            for statement in statements:
                cursor.execute(statement)
    empty_log(engine)


def backups_of(engine: Engine) -> Path | None:
    """Return the folder of the copies that are made before a migration; None where there are none of that kind."""
    name = engine.url.database
    return Path(name).parent / "backups" if engine.dialect.name == "sqlite" and name else None


def was_undone(error: DBAPIError) -> bool:
    """Say whether PostgreSQL has undone a transaction because it met another one, and it may simply be begun anew.

    A deadlock or a failed serialization (its manual, appendix A: 40P01, 40001).
    """
    return getattr(error.orig, "sqlstate", None) in ("40P01", "40001")


def short(error: Exception) -> str:
    """Return an error as one short line for a log: no statement, and no values, which are addresses and names."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = str(cause).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:200]
