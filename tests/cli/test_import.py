"""A list is taken in batch by batch, whatever its length."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_more_than_one_batch_and_a_repeated_address(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    rows = [*(f"r{number}@example.org" for number in range(1001)), "r0@example.org", "last@example.org"]
    file.write_text("\n".join(["email", *rows]) + "\n", encoding="utf-8")
    done = shell.json("subscribers", "import", str(file), "--consent", "at the desk")
    assert (done["read"], done["created"], done["unchanged"], done["rejected"]) == (1003, 1002, 1, 0)
