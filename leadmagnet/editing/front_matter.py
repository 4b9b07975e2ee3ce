"""What the head of a text may say when it is loaded: known keys, slugs, pictures and films that are there.

Stricter than what sending asks for, so that a file that has gone since stops no email. Must not know: the database.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from leadmagnet.content import MEDIA
from leadmagnet.domain.reminders import ReminderState
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering.document import Document, kind_of

_EMAIL = ("slug", "kind", "subject", "preheader", "button", "email_poster", "poster_alt")
_STEP = (*_EMAIL, "title", "delay")
_KEYS: Mapping[DeliveryKind, tuple[str, ...]] = {
    DeliveryKind.VIDEO: (*_STEP, "number", "film", "seconds", "poster", "captions", "equipment", "dose", "pictures"),
    DeliveryKind.FINISHED: _STEP,
    DeliveryKind.REMINDER: (*_EMAIL, "state"),
}
HEAD_KEYS = ("slug", "title", "hour", "window", "weekdays", "spread_minutes", "locale")
_LISTS = {"dose": ("amount", "note"), "pictures": ("image", "caption", "alt")}
#: The endings that the pages and emails can show.
_ENDINGS = {"film": (".mp4",), "captions": (".vtt",), "poster": (".svg", ".png"), "image": (".svg", ".png")}
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PLACE = re.compile(r"media/(?:[A-Za-z0-9][A-Za-z0-9_-]*/)*[A-Za-z0-9][A-Za-z0-9._-]*")
_TAG = re.compile(r"\{%.{0,30}|.{0,30}%\}")
#: It goes into the page's security policy, where a semicolon would begin another directive.
_HOST = re.compile(r"[a-z0-9.-]+")
SLUG_LENGTH = 64
_LONGEST_FILM = 4 * 3600


def check_head(document: Document) -> None:
    """Check the head of a sequence. Raises BadDocument."""
    _known(document, HEAD_KEYS)
    _slug(document)
    _no_tags(document)


def check_front(document: Document) -> None:
    """Check the head of an email's text. Raises BadDocument."""
    kind = kind_of(document)
    _known(document, _KEYS.get(kind, _EMAIL))
    _slug(document)
    _no_tags(document)
    if kind is DeliveryKind.REMINDER and document.text("state") not in list(ReminderState):
        raise document.bad(f"state is one of {', '.join(ReminderState)}.", "state:")
    for key in ("film", "captions", "poster"):
        _media(document, key, document.front.get(key))
    _dark_twin(document)
    _seconds(document)
    for key, names in _LISTS.items():
        _list(document, key, names)


def _known(document: Document, keys: tuple[str, ...]) -> None:
    for key in document.front:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            advice = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(keys)}."
            raise document.bad(f"{key} has no meaning here. {advice}", f"{key}:")


def _slug(document: Document) -> None:
    slug = document.text("slug")
    if not _SLUG.fullmatch(slug) or len(slug) > SLUG_LENGTH:
        raise document.bad(
            f"a slug is made of small letters, figures and single hyphens, as in dead-bug: {slug[:40]!r} isn’t.",
            "slug:",
        )


def _no_tags(document: Document) -> None:
    if found := _TAG.search(document.source):
        raise document.bad(
            f"'{found[0].strip()}' has no meaning here. Only slots do, such as {{{{page_url}}}}.", found[0]
        )


def _media(document: Document, key: str, value: object, near: str = "") -> None:
    """Check that a film, captions file or picture is there. Only a film may lie elsewhere: pages play it from there."""
    if value is None:
        return
    text, near = str(value), near or f"{key}:"
    if key == "film" and text.startswith("https://"):
        if not _is_web_address(text):
            raise document.bad("film is no address like https://films.example.org/dead-bug.mp4.", near)
        return
    endings = _ENDINGS[key]
    if not _PLACE.fullmatch(text) or not text.endswith(endings):
        elsewhere = " or an https:// address" if key == "film" else ""
        raise document.bad(
            f"{key} is a file of ours ({' or '.join(endings)}), as in media/…{endings[0]}{elsewhere}.", near
        )
    _there(document, text, near)


def _there(document: Document, text: str, near: str) -> None:
    if not (MEDIA / text.removeprefix("media/")).is_file():
        raise document.bad(f"{text} is not there. Put the file into leadmagnet/content/media/, or mend its name.", near)


def _dark_twin(document: Document) -> None:
    if picture := document.text("email_poster"):
        _there(document, picture, "email_poster:")
        _there(document, picture.replace(".png", "-dark.png"), "email_poster:")


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return bool(_HOST.fullmatch(parts.hostname or "")) and "@" not in parts.netloc and not re.search(r"[\s\"<>\\]", url)


def _seconds(document: Document) -> None:
    seconds = document.front.get("seconds")
    if seconds is None:
        return
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds <= _LONGEST_FILM:
        raise document.bad("seconds is the film’s length, as in seconds: 48.5.", "seconds:")


def _list(document: Document, key: str, names: tuple[str, ...]) -> None:
    listed = document.front.get(key)
    if listed is None:
        return
    example = ", ".join(f"{name}: …" for name in names)
    if not isinstance(listed, list):
        raise document.bad(f"{key} is a list with lines like - {{{example}}}.", f"{key}:")
    for item in listed:
        if not isinstance(item, dict) or not set(item) <= set(names) or not item.get(names[0]):
            near = str(next(iter(item.values()), key)) if isinstance(item, dict) else str(item)
            raise document.bad(
                f"{key} is a list with lines like - {{{example}}}.", near if near in document.source else f"{key}:"
            )
        if "image" in item:
            _media(document, "image", item["image"], str(item["image"]))
