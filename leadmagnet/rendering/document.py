"""The form in which texts are written: YAML front matter, then level-1 headings with Markdown below.

Sentences of BadDocument are read by marketers. Must not know: what becomes of the parts in an email or on a page.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import yaml

from leadmagnet.domain.message import SLOT
from leadmagnet.domain.schedule import parse_delay
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering.slots import PAGE_SLOTS, SLOTS_OF, target

STEP_KINDS = frozenset({DeliveryKind.VIDEO, DeliveryKind.FINISHED})
EMAIL, EMAIL_TEXT = "Email", "Email as text"
EMAIL_SECTIONS = (EMAIL, EMAIL_TEXT)
_EMAIL_KEYS = ("slug", "subject", "preheader", "button")
_PAGE_SECTIONS = ("Purpose", "Steps", "When to stop")
_PICTURE = re.compile(r"media/[A-Za-z0-9][A-Za-z0-9/_-]*\.png")


class BadDocument(ValueError):
    """A text cannot be used as it is; the sentence says where, and what to do."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text in its parts. What stands before the first heading is the section ""."""

    front: Mapping[str, object]
    sections: Mapping[str, str]
    name: str = field(default="", compare=False)
    source: str = field(default="", compare=False, repr=False)

    def text(self, key: str) -> str:
        """Return a value of the front matter as text, "" where it is missing."""
        value = self.front.get(key)
        return "" if value is None else str(value)

    def bad(self, sentence: str, near: str = "") -> BadDocument:
        """Return the error to raise, with the line that begins with `near` or else first holds it."""
        wanted = re.escape(near)
        place = re.search(f"^{wanted}", self.source, re.MULTILINE) or re.search(wanted, self.source) if near else None
        return _bad(self.name, self.source.count("\n", 0, place.start()) + 1 if place else 0, sentence)


def _bad(name: str, line: int, sentence: str) -> BadDocument:
    where = ", ".join(part for part in (name, f"line {line}" if line else "") if part)
    return BadDocument(f"{where}: {sentence}" if where else sentence)


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice: one of the two values would silently be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


@lru_cache(maxsize=512)
def parse(source: str, name: str = "") -> Document:
    """Read a text into its parts. Raises BadDocument."""
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        raise _bad(name, 1, "the text must begin with a line of three dashes, ---, and its front matter.")
    end = next((number for number in range(1, len(lines)) if lines[number].rstrip() == "---"), 0)
    if not end:
        raise _bad(name, len(lines), "close the front matter with a line of three dashes, ---.")
    return Document(_front("\n".join(lines[1:end]), name), _sections(lines, end + 1, name), name, text)


def _front(text: str, name: str) -> dict[str, object]:
    try:
        front = yaml.load(text, _Loader)  # noqa: S506  # _Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        hint = 'Put a value that holds a colon or a brace in double quotes, as in subject: "Bird dog: reach".'
        raise _bad(name, mark.line + 2 if mark else 2, f"the front matter is not right: {problem}. {hint}") from error
    if front is None:
        return {}
    if not isinstance(front, dict) or not all(isinstance(key, str) for key in front):
        raise _bad(name, 2, "the front matter is made of lines like title: Bird dog.")
    return front


def _sections(lines: list[str], start: int, name: str) -> dict[str, str]:
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for number in range(start, len(lines)):
        line = lines[number]
        if not re.match(r"#(\s|$)", line):
            sections[current].append(line)
            continue
        current = line[1:].strip()
        if not current or current in sections:
            what = f"the heading '# {current}' stands here a second time" if current else "a heading has no words"
            raise _bad(name, number + 1, f"{what}. Rename it, remove it, or begin it with ## to keep it as text.")
        sections[current] = []
    bodies = {title: "\n".join(body).strip("\n") for title, body in sections.items()}
    return {title: body for title, body in bodies.items() if title or body.strip()}


def compose(document: Document) -> str:
    """Return a source that `parse` reads back into equal parts. Raises BadDocument where there is none."""
    front = yaml.safe_dump(dict(document.front), allow_unicode=True, sort_keys=False, width=1_000_000)
    parts = [f"# {title}\n\n{body}\n" if title else f"{body}\n" for title, body in document.sections.items()]
    source = f"---\n{front}---\n" + "\n".join(parts)
    if parse(source, document.name) != document:
        raise document.bad("a section holds a line that would be read as a heading, or blank lines at its ends.")
    return source


def kind_of(document: Document) -> DeliveryKind:
    """Return which email the text is for. Raises BadDocument."""
    try:
        return DeliveryKind(document.text("kind"))
    except ValueError:
        known = ", ".join(kind.value for kind in DeliveryKind)
        raise document.bad(f"kind: {document.text('kind')[:40]!r} is none of {known}.", "kind:") from None


def check_step(document: Document) -> None:
    """Check a step of a sequence: its email, its delay, its page. Raises BadDocument."""
    kind = kind_of(document)
    if kind not in STEP_KINDS:
        raise document.bad("a step of a sequence has kind: video or kind: finished.", "kind:")
    check_email(document)
    _need_keys(document, ("title", "delay"))
    try:
        parse_delay(document.text("delay"))
    except ValueError as error:
        raise document.bad(f"{error}.", "delay:") from error
    if kind is DeliveryKind.VIDEO:
        _need_sections(document, _PAGE_SECTIONS)
    for title in document.sections.keys() - set(EMAIL_SECTIONS):
        _check_slots(document, document.sections[title], PAGE_SLOTS, f"the section '{title}'")


def check_text(document: Document) -> None:
    """Check an email that is no step: an answer to what somebody did, or a reminder. Raises BadDocument."""
    kind = kind_of(document)
    if kind in STEP_KINDS:
        known = ", ".join(kind.value for kind in DeliveryKind if kind not in STEP_KINDS)
        raise document.bad(f"a message has one of these kinds: {known}.", "kind:")
    check_email(document)


def check_email(document: Document) -> None:
    """Check what an email of any kind needs. Raises BadDocument."""
    kind = kind_of(document)
    _need_keys(document, (*_EMAIL_KEYS, *(("state",) if kind is DeliveryKind.REMINDER else ())))
    number = document.front.get("number")
    if kind is DeliveryKind.VIDEO and (type(number) is not int or not 1 <= number <= 99):
        raise document.bad("a video needs its place in the course, as in number: 4.", "number:")
    _check_picture(document)
    _need_sections(document, EMAIL_SECTIONS)
    for part in ("subject", "preheader", "button", "poster_alt"):
        _check_slots(document, document.text(part), SLOTS_OF[kind], f"'{part}'")
    for title in EMAIL_SECTIONS:
        _check_slots(document, document.sections[title], SLOTS_OF[kind], f"the section '{title}'")
    way = f"{{{{{target(kind, document.text('state'))}}}}}"
    if way not in SLOT.sub(r"{{\1}}", document.sections[EMAIL_TEXT]):
        raise document.bad(f"the section '{EMAIL_TEXT}' needs {way}: it has no button.", f"# {EMAIL_TEXT}")


def _need_keys(document: Document, keys: Collection[str]) -> None:
    for key in keys:
        value = document.front.get(key)
        if not isinstance(value, str) or not value.strip():
            raise document.bad(f'the front matter needs words for {key}, as in {key}: "…".', f"{key}:")


def _need_sections(document: Document, titles: Collection[str]) -> None:
    for title in titles:
        if not document.sections.get(title, "").strip():
            raise document.bad(f"the section '# {title}' is missing or empty. Add it.", f"# {title}")


def _check_picture(document: Document) -> None:
    picture = document.text("email_poster")
    if picture and not _PICTURE.fullmatch(picture):
        raise document.bad("email_poster is a PNG of ours, as in media/email/4.png.", "email_poster:")
    if picture:
        _need_keys(document, ("poster_alt",))


def _check_slots(document: Document, text: str, allowed: Collection[str], where: str) -> None:
    for slot in SLOT.finditer(text):
        if slot[1] not in allowed:
            near = difflib.get_close_matches(slot[1], allowed, 1)
            advice = f"Did you mean {{{{{near[0]}}}}}?" if near else f"Known here: {', '.join(sorted(allowed))}."
            raise document.bad(f"{slot[0]} in {where} has no meaning here. {advice}", slot[0])
    if stray := re.search(r"\{\{.{0,40}", SLOT.sub("", text)):
        raise document.bad(f"'{stray[0]}' in {where} is no slot. A slot looks like {{{{page_url}}}}.", stray[0])
