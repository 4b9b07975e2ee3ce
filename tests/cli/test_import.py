"""A list is taken in batch by batch, whatever its length."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from leadmagnet.audience.cells import safe_cell


def test_more_than_one_batch_and_a_repeated_address(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    rows = [*(f"r{number}@example.org" for number in range(1001)), "r0@example.org", "last@example.org"]
    file.write_text("\n".join(["email", *rows]) + "\n", encoding="utf-8")
    done = shell.json("subscribers", "import", str(file), "--consent", "at the desk")
    assert (done["read"], done["created"], done["unchanged"], done["rejected"]) == (1003, 1002, 1, 0)


NAMES = ["=Anna", "-Anna", "+Anna", "'Anna", "'=Anna", "''-Anna", "Anna, Maria", 'An"na"', "Zoë"]


def test_what_was_exported_comes_back_as_it_was(make_shell: Any, shell: Any, tmp_path: Path) -> None:
    """The guard against spreadsheets is for the file alone. An address may begin with = as well."""
    people = [{"email": f"=r{number}@example.org", "first_name": name} for number, name in enumerate(NAMES)]
    given, exported, again = (tmp_path / f"{name}.csv" for name in ("given", "exported", "again"))
    with given.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["email", "first_name"])
        writer.writeheader()
        writer.writerows({key: safe_cell(value) for key, value in person.items()} for person in people)
    shell.run("subscribers", "import", str(given), "--consent", "at the desk")
    shell.run("subscribers", "export", "--to", str(exported))
    before = shell.json("subscribers", "list")
    assert [person["first_name"] for person in before] == NAMES
    other = make_shell(database_url=f"sqlite:///{tmp_path / 'other.db'}")
    other.run("db", "upgrade")
    other.run("subscribers", "import", str(exported), "--consent", "at the desk")
    kept = ("email", "first_name", "timezone", "source")
    assert [[row[key] for key in kept] for row in other.json("subscribers", "list")] == [
        [row[key] for key in kept] for row in before
    ]
    other.run("subscribers", "export", "--to", str(again))
    assert shell.json("subscribers", "import", str(again), "--consent", "at the desk")["unchanged"] == len(NAMES)


def test_rejected_rows_come_back_as_they_were(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,first_name\n,'=Anna\nnowhere,Bo\n", encoding="utf-8")
    first = Path(shell.json("subscribers", "import", str(file), "--consent", "x")["rejects_file"])
    second = Path(shell.json("subscribers", "import", str(first), "--consent", "x")["rejects_file"])
    rows = [list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in (first, second)]
    assert [row["first_name"] for row in rows[0]] == ["'=Anna", "Bo"]
    assert [(row["email"], row["first_name"]) for row in rows[0]] == [
        (row["email"], row["first_name"]) for row in rows[1]
    ]
