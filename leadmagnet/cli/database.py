"""db upgrade, downgrade, check: Alembic, with a copy of a SQLite file before it is changed. And roll-up, scrub."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from leadmagnet import old_rows, store
from leadmagnet.cli.shell import Failure, Group, as_json, services, show
from leadmagnet.clock import real_now

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
KEPT_BACKUPS = 5

db = Group("db", help="The database: migrations, and old rows.")


def alembic_config(connection: Connection | None = None) -> AlembicConfig:
    """Return Alembic's configuration for a connection."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def head() -> str | None:
    """Return the newest migration."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def at(connection: Connection) -> str | None:
    """Return the migration at which a database stands."""
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """Give a connection on which tables may be remade; committed at the end.

    SQLite remakes a table by copying and dropping it, so its foreign keys rest meanwhile and are checked afterwards.
    The new one takes its name though triggers of other tables speak of it (SQLite's documentation of ALTER TABLE, 7).
    """
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        raw = connection.connection.dbapi_connection if sqlite else None
        if raw is not None:
            raw.cursor().execute("PRAGMA foreign_keys=OFF")  # before BEGIN: inside a transaction it does nothing
            raw.cursor().execute("PRAGMA legacy_alter_table=ON")
        try:
            yield connection
            if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
                raise Failure(f"the migration would leave {len(broken)} rows without the row they point to")
            connection.commit()
        finally:
            connection.rollback()
            if raw is not None:
                raw.cursor().execute("PRAGMA foreign_keys=ON")
                raw.cursor().execute("PRAGMA legacy_alter_table=OFF")


def upgrade_to_head(engine: Engine) -> tuple[str | None, Path | None]:
    """Migrate to the newest version. Returns the version before, and the backup that was made of a SQLite file."""
    with engine.connect() as connection:
        before = at(connection)
    backup = _backup(engine, before) if before is not None and before != head() else None
    with migrating(engine) as connection:
        command.upgrade(alembic_config(connection), "head")
    return before, backup


def _backup(engine: Engine, before: str | None) -> Path | None:
    """Copy a SQLite file through SQLite itself, so that the copy is whole even while somebody writes."""
    name, folder = engine.url.database, store.engine.backups_of(engine)
    if folder is None or not name or not Path(name).exists():
        return None
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{Path(name).stem}-{before}-{real_now():%Y%m%dT%H%M%SZ}.db"
    source, copy = sqlite3.connect(name), sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
    for old in sorted(folder.glob("*.db"), key=lambda path: path.stat().st_mtime)[:-KEPT_BACKUPS]:
        old.unlink()
    return target


@db.command("upgrade")
def upgrade() -> None:
    """Migrate to the newest version."""
    before, backup = upgrade_to_head(services().engine)
    if backup is not None:
        click.echo(f"Backup: {backup}")
    click.echo(f"Database at {head()}" + (f" (was {before})." if before != head() else " already."))


@db.command("downgrade")
@click.argument("revision", default="-1")
def downgrade(revision: str) -> None:
    """Go back by one migration, or to REVISION ('base' empties the database)."""
    engine = services().engine
    with engine.connect() as connection:
        _backup(engine, at(connection))
    with migrating(engine) as connection:
        command.downgrade(alembic_config(connection), revision)
    click.echo(f"Downgraded to {revision}.")


@db.command("check")
def check() -> None:
    """Fail when models and migrations differ, or when the database is not at the newest migration."""
    with services().engine.connect() as connection:
        standing = at(connection)
        if standing != head():
            raise Failure(f"the database is at {standing}, the newest migration is {head()}. Run: flask db upgrade.")
        options = {"compare_type": True, "render_as_batch": connection.dialect.name == "sqlite"}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, store.Base.metadata)
    if differences:
        raise Failure(f"models and migrations differ: {differences}")
    click.echo("Models and migrations agree.")


@db.command("roll-up")
@as_json
def roll_up(json_out: bool) -> None:
    """Turn old rows of the ledger into counters now; the worker does the same once a day."""
    parts = services()
    if not parts.config.ledger_retention_days:
        raise Failure("LEDGER_RETENTION_DAYS is 0, so every row stays. Set it to the days that rows shall stay.")
    moved = old_rows.move_all(parts, parts.clock.now)
    found = {"emails": dict(sorted(moved.emails.items())), "events": moved.events, "looked_at": moved.looked_at}
    states = ", ".join(f"{number} {state}" for state, number in sorted(moved.emails.items())) or "none"
    words = f"Emails turned into counters: {states}. Events of providers deleted: {moved.events}."
    show(found, json_out, f"{words} Rows looked at: {moved.looked_at}.")


@db.command("scrub")
def scrub() -> None:
    """Write the database anew, so that no page holds remains of deleted rows. Best in a quiet hour."""
    store.engine.rewrite(services().engine)
    click.echo("Written anew.")
