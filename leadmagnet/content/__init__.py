"""The product's own content: six films with pictures and captions, the sequence, the email texts, the pages' texts.

A clinic replaces them with its own files or addresses. Must not know: who reads them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEDIA = HERE / "media"
MESSAGES = HERE / "messages"
PAGES = HERE / "pages"
SEQUENCES = HERE / "sequences"


@cache
def _films() -> dict[str, float]:
    listed = json.loads((MEDIA / "films.json").read_text(encoding="utf-8"))
    return {film["file"].rpartition("/")[2]: float(film["seconds"]) for film in listed["films"]}


def film_seconds(front: dict[str, object]) -> float | None:
    """Return the length of a step's film in seconds: as its front matter says, else as measured for our own files."""
    named = front.get("seconds")
    if isinstance(named, int | float):
        return float(named)
    return _films().get(str(front.get("film", "")).rpartition("/")[2])
