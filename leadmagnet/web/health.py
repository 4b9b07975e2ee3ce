"""Whether the service is alive, and whether it is ready: database, migrations, the worker's heartbeat.

A dead worker is reported, and the form goes on: sign-ups wait in the database. Must not know: what the worker does.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, jsonify
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from leadmagnet import store
from leadmagnet.web.context import now, services

blueprint = Blueprint("health", __name__)

#: The worker says that it is alive several times a minute.
WORKER_SILENCE = timedelta(seconds=90)
MIGRATIONS = Path(__file__).parents[2] / "migrations" / "versions"


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer; nothing else."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """Name what is wrong, if anything is."""
    problems = _problems()
    response = jsonify({"ready": not problems, "problems": problems})
    response.headers["Cache-Control"] = "no-store"
    return response, 503 if problems else 200


def _problems() -> dict[str, str]:
    try:
        with services().engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            migrations = _migrations(connection)
        with store.reading(services().engine) as session:
            seen = store.leases.last_seen(session, "worker")
    except SQLAlchemyError as error:
        # The class alone: the full text can hold the database's address.
        return {"database": f"cannot be read: {type(error).__name__}"}
    problems = {"migrations": migrations} if migrations else {}
    if seen is None:
        problems["worker"] = "has never run"
    elif (silence := now().real - seen) > WORKER_SILENCE:
        problems["worker"] = f"last seen {int(silence.total_seconds())} seconds ago"
    return problems


def _migrations(connection: Connection) -> str:
    """Say what is wrong with the database's version; nothing where it has none to compare."""
    if not services().engine.dialect.has_table(connection, "alembic_version"):
        return ""
    found = set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    wanted = _heads(MIGRATIONS)
    if not wanted or found == wanted:
        return ""
    return f"the database is at {sorted(found)}, the program at {sorted(wanted)}"


@cache
def _heads(folder: Path) -> set[str]:
    """Return the migrations that no other builds on, read from the files without running them."""
    sources = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    made = {found[1] for source in sources if (found := _REVISION.search(source))}
    return made - {name for source in sources for name in _built_on(source)}


_REVISION = re.compile(r"^revision\b[^=\n]*=\s*[\"']([^\"']+)", re.MULTILINE)
_BELOW = re.compile(r"^down_revision\b[^=\n]*=(.*)$", re.MULTILINE)


def _built_on(source: str) -> list[str]:
    found = _BELOW.search(source)
    return re.findall(r"[\"']([^\"']+)[\"']", found[1]) if found else []
