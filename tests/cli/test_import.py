"""A list is taken in batch by batch, whatever its length."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

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


PEOPLE = (
    "email{0}first_name{0}consent\r\nanna@example.org{0}Zoë{0}asked; at the desk, twice\r\nbo@example.org{0}Bo{0}\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lists_come_as_spreadsheets_write_them(shell: Any, tmp_path: Path, delimiter: str, encoding: str) -> None:
    text = PEOPLE.format(delimiter).replace("asked; at the desk, twice", '"asked; at the desk, twice"')
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    (tmp_path / "people.csv").write_bytes((mark + text).encode(encoding))
    done = shell.json("subscribers", "import", str(tmp_path / "people.csv"))
    assert (done["read"], done["created"], done["rejected"]) == (2, 1, 1)
    (anna,) = shell.json("subscribers", "list")
    assert (anna["email"], anna["first_name"]) == ("anna@example.org", "Zoë")
    with Path(done["rejects_file"]).open(encoding="utf-8", newline="") as rejects:
        (row,) = csv.DictReader(rejects)
    assert (row["line"], row["email"]) == ("3", "bo@example.org")


def test_a_line_that_names_the_delimiter_is_understood(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("sep=;\nfirst_name;email\nAnna;anna@example.org\n;nowhere\n", encoding="utf-8")
    done = shell.json("subscribers", "import", str(file), "--consent", "x")
    assert (done["created"], done["rejected"]) == (1, 1)
    assert "\n4," in Path(done["rejects_file"]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("email,first_name\na@example.org,Anna\nb@example.org,Zoë\n".encode("latin-1"), "Line 3 is not UTF-8."),
        ("email\na@example.org\n".encode("utf-16-le"), "Line 1 holds bytes that belong to no text."),
        ("email\na@example.org\n".encode("utf-16")[:-1], "is not UTF-16."),
        (b"email,Email\na@example.org,b@example.org\n", "names email more than once"),
        (b"email;first_name;first_name\na@example.org;A;B\n", "names first_name more than once"),
        (b"name;address\nA;a@example.org\n", "one of them must be email"),
        (b"", "one of them must be email"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(
    shell: Any, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    said = shell.refused("subscribers", "import", str(file), "--consent", "x", status=2)
    assert words in said
    assert "people.csv" in said
    assert shell.json("subscribers", "list") == []


def test_a_bad_byte_behind_the_first_batch_leaves_nothing(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    good = "email,first_name\n" + "".join(f"p{number}@example.org,P\n" for number in range(1500))
    file.write_bytes(good.encode() + b"last@example.org,Zo\xeb\n")
    said = shell.refused("subscribers", "import", str(file), "--consent", "x", status=2)
    assert "Line 1502 is not UTF-8. Open the file in your spreadsheet and save it as “CSV UTF-8”" in said
    assert shell.json("subscribers", "list") == []
