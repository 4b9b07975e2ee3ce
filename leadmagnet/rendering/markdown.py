"""Markdown from marketers to safe HTML, for emails and pages alike.

Two fences: markdown-it makes no tag from raw HTML and no link outside the allowed kinds, and nh3 lets only a short list
of tags through. A slot may be a whole link target; it is filled later. Must not know: any value, any layout.
"""

from __future__ import annotations

import re
from functools import cache

import nh3
from markdown_it import MarkdownIt

from leadmagnet.domain.message import SLOT
from leadmagnet.rendering.slots import LINK_SLOTS

TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "h2", "h3", "h4", "blockquote", "hr", "code", "pre"}
SCHEMES = {"http", "https", "mailto", "tel"}
_SCHEME = re.compile(rf"(?:{'|'.join(sorted(SCHEMES))}):", re.IGNORECASE)
#: A page of our own: "/privacy", but not "//another.host" nor "/\another.host".
_OWN_PAGE = re.compile(r"/(?![/\\])[^\s\\]*")


def _is_slot(target: str) -> bool:
    found = SLOT.fullmatch(target)
    return found is not None and found[1] in LINK_SLOTS


def _is_own(target: str, own_pages: bool) -> bool:
    """Say whether a target without a scheme may stay."""
    return _is_slot(target) or (own_pages and _OWN_PAGE.fullmatch(target) is not None)


def _may_link(url: str, own_pages: bool) -> bool:
    """Say whether a link may lead to `url`. A slot is the whole target or no part of it."""
    has_scheme = _SCHEME.match(url) is not None and "%7B%7B" not in url.upper()
    return has_scheme or _is_own(url, own_pages)


class _Parser(MarkdownIt):
    """CommonMark with our rule for links. The two methods are markdown-it's own hooks for this."""

    def __init__(self, own_pages: bool) -> None:
        super().__init__("commonmark", {"html": False})
        self._own_pages = own_pages

    def normalizeLink(self, url: str) -> str:  # noqa: N802  # the library's name
        # It percent-encodes braces, which would make text of a slot.
        return url if _is_slot(url) else super().normalizeLink(url)

    def validateLink(self, url: str) -> bool:  # noqa: N802  # the library's name
        return _may_link(url, self._own_pages)


@cache
def _parser(own_pages: bool) -> MarkdownIt:
    return _Parser(own_pages)


def to_html(text: str, *, own_pages: bool = False) -> str:
    """Return `text` as safe HTML. `own_pages` also allows links such as "/privacy", which mean nothing in an email."""
    tight = SLOT.sub(r"{{\1}}", text)
    return nh3.clean(
        _parser(own_pages).render(tight),
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}, "*": set()},
        url_schemes=SCHEMES,
        url_relative=lambda url: url if _is_own(url, own_pages) else None,
        link_rel=None,
    ).strip()
