"""subscribers consent, consents export, and where rejected rows go."""

from __future__ import annotations

import csv
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from leadmagnet import erasing, store


@pytest.fixture
def imported(shell: Any, tmp_path: Path) -> Any:
    """A shell with two people from a list, and a file of rejected rows."""
    file = tmp_path / "people.csv"
    file.write_text("email,first_name\nAnna@example.org,Anna\nbo@example.org,Bo\nnowhere,Cy\n", encoding="utf-8")
    done = shell.json("subscribers", "import", str(file), "--consent", "Asked at the desk.")
    shell.rejects = Path(done["rejects_file"])
    return shell


def test_one_persons_proof(imported: Any) -> None:
    proof = imported.json("subscribers", "consent", "ANNA@example.org")
    assert (proof["email"], proof["granted"]) == ("Anna@example.org", ["videos", "reminders"])
    (told,) = proof["events"]
    assert (told["kind"], told["channel"], told["status_after"]) == ("confirmed", "import", "active")
    assert proof["wordings"][0]["text"] == "Asked at the desk."
    words = imported.run("subscribers", "consent", "anna@example.org").stdout
    assert "agreed to: videos, reminders" in words
    assert "Asked at the desk." in words
    assert "nobody here" in imported.refused("subscribers", "consent", "di@example.org", status=1)


def test_everybody(imported: Any, tmp_path: Path) -> None:
    rows = list(csv.DictReader(imported.run("consents", "export").stdout.splitlines()))
    assert [row["email"] for row in rows] == ["Anna@example.org", "bo@example.org"]
    imported.run("consents", "export", "--json", "--to", str(tmp_path / "all.json"))
    everybody = orjson.loads((tmp_path / "all.json").read_bytes())
    assert [one["email"] for one in everybody] == [row["email"] for row in rows]
    assert (tmp_path / "all.json").stat().st_mode & 0o777 == 0o600


def test_rejected_rows_lie_in_a_folder_of_their_own_and_not_for_ever(
    imported: Any, tmp_path: Path, hand_clock: Any
) -> None:
    assert imported.rejects.parent == tmp_path / "rejects"
    assert imported.rejects.stat().st_mode & 0o777 == 0o600
    now = hand_clock.real
    os.utime(imported.rejects, (now.timestamp(), now.timestamp()))
    assert erasing.forget_files(imported.services, now + timedelta(days=29)) == 0
    assert erasing.forget_files(imported.services, now + timedelta(days=31)) == 1
    assert not imported.rejects.exists()


def test_copies_from_before_a_migration_age_out(imported: Any, hand_clock: Any) -> None:
    imported.run("db", "downgrade")
    imported.run("db", "upgrade")
    folder = store.engine.backups_of(imported.services.engine)
    assert folder is not None
    copies = len(list(folder.glob("*.db")))
    assert copies
    for file in folder.glob("*.db"):
        os.utime(file, (hand_clock.real.timestamp(),) * 2)
    assert erasing.forget_files(imported.services, hand_clock.real + timedelta(days=29)) == 0
    assert erasing.forget_files(imported.services, hand_clock.real + timedelta(days=31)) == copies
    assert list(folder.glob("*.db")) == []


def test_erase_takes_the_persons_rejected_rows_along(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email,first_name\nanna@example.org,www.anna.example\nnowhere,Bo\n", encoding="utf-8")
    rejects = Path(shell.json("subscribers", "import", str(file), "--consent", "x")["rejects_file"])
    file.write_text("email\nanna@example.org\n", encoding="utf-8")
    shell.run("subscribers", "import", str(file), "--consent", "x")
    assert "anna" in rejects.read_text(encoding="utf-8")
    shell.run("subscribers", "erase", "anna@example.org", "--yes")
    (row,) = csv.DictReader(rejects.read_text(encoding="utf-8").splitlines())
    assert row["email"] == "nowhere"
    assert rejects.stat().st_mode & 0o777 == 0o600
