"""db upgrade, downgrade, check: up, down to nothing and up again, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import inspect


def tables(shell: Any) -> set[str]:
    return set(inspect(shell.services.engine).get_table_names())


def test_up_down_and_up_again(make_shell: Callable[..., Any], database_url: str) -> None:
    shell = make_shell(database_url=database_url)
    said = shell.run("db", "upgrade").stdout
    assert "(was None)" in said
    assert shell.run("db", "upgrade").stdout.endswith("already.\n")
    assert shell.run("db", "check").stdout == "Models and migrations agree.\n"
    assert "delivery" in tables(shell)
    shell.run("db", "downgrade", "base")
    assert tables(shell) <= {"alembic_version"}
    assert "db upgrade" in shell.refused("db", "check", status=1)
    shell.run("db", "upgrade")
    assert shell.run("db", "check").stdout == "Models and migrations agree.\n"


def test_check_names_what_differs(make_shell: Callable[..., Any], database_url: str) -> None:
    shell = make_shell(database_url=database_url)
    shell.run("db", "upgrade")
    with shell.services.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE form ADD COLUMN stray INTEGER")
    assert "stray" in shell.refused("db", "check", status=1)


def test_going_down_with_data_in_it(shell: Any) -> None:
    """The steps name their revisions and the revisions their steps, so the order of dropping matters."""
    shell.run("db", "downgrade", "base")
    assert tables(shell) <= {"alembic_version"}


def test_a_sqlite_file_is_copied_before_it_goes_down(bare: Any, tmp_path: Path) -> None:
    bare.run("db", "upgrade")
    with bare.services.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO form VALUES ('landing', 'Landing page', 'six-core-videos', '')")
    folder = tmp_path / "backups"
    folder.mkdir()
    for number in range(9):
        (folder / f"old-{number}.db").write_bytes(b"")
    bare.run("db", "downgrade", "base")
    copies = [file for file in folder.glob("*.db") if file.stat().st_size]
    assert len(copies) == 1
    assert len(list(folder.glob("*.db"))) == 5, "only the newest are kept"
    kept = sqlite3.connect(copies[0])
    try:
        assert kept.execute("SELECT slug FROM form").fetchall() == [("landing",)]
    finally:
        kept.close()
