"""A sequence as files: a folder of Markdown, or the same in one file, as `sequence export` prints it.

Must not know: the database.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from leadmagnet.domain.schedule import Rhythm, parse_clock, parse_window
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.editing.front_matter import check_front, check_head
from leadmagnet.rendering.document import BadDocument, Document, check_step, check_text, parse

HEAD = "sequence.md"
_SEPARATOR = re.compile(r"^=== ([A-Za-z0-9][A-Za-z0-9/._-]*\.md) ===$", re.MULTILINE)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class SequenceFiles:
    """A sequence's files, read and checked: the head, the steps in order, and other email texts that came along."""

    head: Document
    steps: tuple[Document, ...]
    texts: tuple[Document, ...] = ()
    rhythm: Rhythm = field(default=Rhythm(540, parse_window("08:00-20:00")))


def read_files(path: Path) -> SequenceFiles:
    """Read a folder, or one file with all parts. Raises BadDocument, naming the file, and OSError."""
    if path.is_dir():
        named = {(name := str(file.relative_to(path))): _text(file, name) for file in sorted(path.rglob("*.md"))}
    else:
        named = split(_text(path, path.name), path.name)
    return check({name: parse(source, name) for name, source in named.items()})


def read_texts(folder: Path) -> tuple[Document, ...]:
    """Read a folder of email texts that are no steps. Raises BadDocument and OSError."""
    documents = tuple(parse(_text(file, file.name), file.name) for file in sorted(folder.glob("*.md")))
    for document in documents:
        check_text(document)
        check_front(document)
    return documents


def _text(file: Path, name: str) -> str:
    """Read a file. Raises BadDocument, naming it, where it is a folder or no UTF-8."""
    if file.is_dir():
        raise BadDocument(f"{name}: this is a folder. Only files may end in .md; rename or remove it.")
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadDocument(f"{name}, line {line}: this is not UTF-8. Save the file as UTF-8.") from error


def check(documents: dict[str, Document]) -> SequenceFiles:
    """Check the parts of a sequence against each other. Raises BadDocument."""
    if HEAD not in documents:
        raise BadDocument(f"{HEAD} is missing: it holds the sequence's slug, title, hour and window.")
    steps = tuple(document for name, document in sorted(documents.items()) if name != HEAD and "/" not in name)
    texts = tuple(document for name, document in sorted(documents.items()) if name.startswith("messages/"))
    check_head(documents[HEAD])
    for document in steps:
        check_step(document)
        check_front(document)
    for document in texts:
        check_text(document)
        check_front(document)
    slugs = [document.text("slug") for document in (*steps, *texts)]
    for document in (*steps, *texts):
        if slugs.count(document.text("slug")) > 1:
            raise document.bad(f"slug: {document.text('slug')} is used twice. Give each email its own.", "slug:")
    if not any(document.text("kind") == DeliveryKind.VIDEO for document in steps):
        raise documents[HEAD].bad("the sequence has no video. Add a step with kind: video.")
    return SequenceFiles(documents[HEAD], steps, texts, rhythm_of(documents[HEAD]))


def rhythm_of(head: Document) -> Rhythm:
    """Return the rhythm of a sequence's head. Raises BadDocument."""
    for key in ("title", "locale"):
        value = head.front.get(key, "en" if key == "locale" else None)
        if not isinstance(value, str) or not value.strip():
            raise head.bad(f'{key} needs words, in double quotes to be safe, as in {key}: "…".', f"{key}:")
    try:
        days = [_DAYS.index(word[:3].lower()) for word in head.text("weekdays").split()] or list(range(7))
        window = parse_window(head.text("window") or "08:00-20:00", frozenset(days))
        spread = int(head.text("spread_minutes") or 0)
        return Rhythm(parse_clock(head.text("hour") or "09:00"), window, spread)
    except ValueError as error:
        raise head.bad(f"the rhythm cannot be used: {error}.") from error


def split(text: str, name: str) -> dict[str, str]:
    """Split one file into its parts. Raises BadDocument."""
    parts = _SEPARATOR.split(text)
    if len(parts) < 3:
        raise BadDocument(f"{name}: begin each part with a line like === {HEAD} ===, as `sequence export` prints it.")
    names = parts[1::2]
    for part in names:
        if names.count(part) > 1:
            raise BadDocument(f"{name}: === {part} === stands here twice.")
    return {part: body.removeprefix("\n") for part, body in zip(names, parts[2::2], strict=True)}


def join(named: dict[str, str]) -> str:
    """Join parts into one file, which `split` reads."""
    return "".join(f"=== {name} ===\n{source.rstrip()}\n\n" for name, source in named.items())
