"""Links of a text that lead to other sites: found when a text is published, led through /c/ when it is compiled.

Only the HTML part: in plain text a reader sees the address itself, and it stays the one it leads to. For the same
reason a link whose words are an address stays as it is. Must not know: tokens, readers, where links are stored.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from leadmagnet.domain.message import SLOT
from leadmagnet.rendering.document import EMAIL, parse
from leadmagnet.rendering.markdown import to_html

#: The clinic's booking page: written as a slot, and kept as one, because its address is a setting.
BOOKING = "{{booking_url}}"
#: Links of one text that are led through /c/; the others stay as they are. SendGrid limits the values of a letter.
MOST_LINKS = 30
URL_LENGTH = 2000
_LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)
_ADDRESS = re.compile(r"\s*(?:https?:|www\.|[\w-]+(?:\.[\w-]+)+(?:/|\s*$))", re.IGNORECASE)


def slot_of(link_id: int) -> str:
    """Return the name of the slot that stands for a stored link."""
    return f"link_{link_id}"


def outside_links(source: str) -> list[str]:
    """Return the web addresses to which the email of a text links, each once, in their order. Raises BadDocument."""
    found = (html.unescape(link[1]) for link in _LINK.finditer(to_html(parse(source).sections.get(EMAIL, ""))))
    kept = (url for url in found if url == BOOKING or (is_web(url) and not SLOT.search(url)))
    return [url for url in dict.fromkeys(kept) if len(url) <= URL_LENGTH][:MOST_LINKS]


def is_web(url: str) -> bool:
    """Say whether a browser can be sent there: http or https, a host, and no user's name before it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def lead_through(body: str, stored: Sequence[tuple[str, int]], public_url: str, booking: str) -> str:
    """Return an email's HTML with a slot for each stored link to another site. `booking`: "" where there is no page."""
    ids = {url: link_id for url, link_id in stored if _leads_outside(booking if url == BOOKING else url, public_url)}

    def led(found: re.Match[str]) -> str:
        link_id = ids.get(html.unescape(found[1]))
        if link_id is None or _ADDRESS.match(html.unescape(re.sub(r"<[^>]+>", "", found[2]))):
            return found[0]
        return f'<a href="{{{{{slot_of(link_id)}}}}}">{found[2]}</a>'

    return _LINK.sub(led, body) if ids else body


def _leads_outside(url: str, public_url: str) -> bool:
    ours, theirs = urlsplit(public_url), urlsplit(url)
    return bool(theirs.hostname) and (theirs.hostname, theirs.port) != (ours.hostname, ours.port)
