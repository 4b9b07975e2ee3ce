"""The words of pages that are no steps: consent, privacy, the article, 'ask first', 'good to know'.

They lie as Markdown in content/pages/ and are filled with the clinic's facts. Must not know: a request, a subscriber.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape

from leadmagnet import content
from leadmagnet.domain.message import fill
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.document import Document, parse
from leadmagnet.rendering.markdown import to_html

#: The telephone number where it is not a link already: on a phone, one tap calls.
_BARE_PHONE = re.compile(r"\{\{clinic_phone\}\}(?![^<]*</a>)")
_HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """One heading of a page with what stands below it. `anchor` is its name inside the page."""

    title: str
    anchor: str
    html: Markup


@cache
def page(name: str) -> Document:
    """Return one page's document. They are files of the program, so they are read once."""
    return parse((content.PAGES / f"{name}.md").read_text(encoding="utf-8"), f"{name}.md")


def html(markdown: str, clinic: Clinic, extra: Mapping[str, str] | None = None) -> Markup:
    """Return Markdown with slots as safe HTML with the clinic's facts."""
    return Markup(_html(markdown, clinic, tuple(sorted((extra or {}).items()))))  # noqa: S704 (nh3 has cleaned it)


@cache
def _html(markdown: str, clinic: Clinic, extra: tuple[tuple[str, str], ...]) -> str:
    call = f'<a href="{escape(clinic.phone_href)}">{{{{clinic_phone}}}}</a>'
    linked = _BARE_PHONE.sub(call, to_html(markdown, own_pages=True))
    return fill(linked, clinic.constants() | dict(extra), escape=True)


def plain(markdown: str, clinic: Clinic, extra: Mapping[str, str] | None = None) -> str:
    """Return Markdown with its slots filled, as it is kept for the record."""
    return fill(markdown, clinic.constants(plain=True) | dict(extra or {}))


def parts(document: Document, clinic: Clinic) -> list[Part]:
    """Return the second-level headings of a page's body, each with its text."""
    pieces = _HEADING.split(document.sections.get("", ""))[1:]
    titles, bodies = pieces[::2], pieces[1::2]
    return [Part(title, _anchor(title), html(body, clinic)) for title, body in zip(titles, bodies, strict=True)]


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


@cache
def hero() -> Markup:
    """Return the moving drawing of the landing page. It stands inside the page to use the page's colours."""
    return Markup((content.MEDIA / "hero.inline.svg").read_text(encoding="utf-8"))  # noqa: S704 (our own file)


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent request as a form shows it, and the same words as they are kept. `news`: the second box."""

    box: str
    news: str
    around: Markup
    wording: str
    language: str
    version: str


def consent(clinic: Clinic, interval_phrase: str) -> Consent:
    """Return the consent request. What is kept holds both boxes and everything around them."""
    document = page("consent")
    extra = {"interval_phrase": interval_phrase}
    box, news, around = (document.sections[name].strip() for name in ("Checkbox", "Second box", "Around it"))
    box, news = plain(box, clinic, extra), plain(news, clinic, extra)
    wording = f"[ ] {box}\n\n[ ] {news}\n\n{plain(around, clinic, extra)}"
    language, version = document.text("language") or "en", document.text("version")
    return Consent(box, news, html(around, clinic, extra), wording, language, version)
