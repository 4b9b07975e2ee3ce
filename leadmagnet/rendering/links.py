"""Addresses that go into emails, and the readers of their tokens. One purpose, one path, one reader.

Must not know: what a page does with the token, or whether the subscriber still exists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlencode

from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.tokens import Purpose, read, sign


def media_url(public_url: str, path: str) -> str:
    """Return the address of a file under media/; `path` may carry the folder's name, as front matter does."""
    return f"{public_url.rstrip('/')}/media/{quote(path.lstrip('/').removeprefix('media/'))}"


#: What needs no quoting in an address, as our own random ids.
_URL_SAFE = re.compile(r"[A-Za-z0-9_.~-]*")


@lru_cache(maxsize=256)
def _quoted(slug: str) -> str:
    return quote(slug, safe="")


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads our addresses. The first key signs, all of them verify."""

    public_url: str
    keys: Sequence[bytes]
    #: Whether links to other sites lead through /c/, so that it can be counted that they were followed.
    tracks: bool = False
    _base: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what all addresses begin with."""
        object.__setattr__(self, "_base", self.public_url.rstrip("/"))

    def _url(self, path: str) -> str:
        return self._base + path

    def confirm(self, subscriber_id: int, issued_real: datetime) -> str:
        """Return the confirmation page; `issued_real` is real time, from which the link's seven days count."""
        return self._url(f"/confirm/{sign(self.keys, Purpose.CONFIRM, subscriber_id, int(issued_real.timestamp()))}")

    def page(self, subscriber_id: int) -> str:
        """Return the subscriber's own page."""
        return self._url(f"/p/{sign(self.keys, Purpose.PAGE, subscriber_id)}")

    def video(self, subscriber_id: int, slug: str) -> str:
        """Return a video's page. The token opens every video of this person, and nothing else."""
        # A token is URL-safe as it is.
        return self._url(f"/v/{_quoted(slug)}?t={sign(self.keys, Purpose.VIDEO, subscriber_id)}")

    def done(self, subscriber_id: int, step_id: int, felt: str = "") -> str:
        """Return the "I did it" page of one step; `felt` chooses an answer in advance."""
        query = f"?{urlencode({'felt': felt})}" if felt else ""
        return self._url(f"/done/{sign(self.keys, Purpose.DONE, subscriber_id, step_id)}{query}")

    def leave(self, leave_id: str) -> str:
        """Return the unsubscribe address. Its id is stored, so it outlives every key."""
        return self._url(f"/u/{leave_id if _URL_SAFE.fullmatch(leave_id) else quote(leave_id, safe='')}")

    def calendar(self, subscriber_id: int) -> str:
        """Return the subscriber's calendar file."""
        return self._url(f"/calendar/{sign(self.keys, Purpose.CALENDAR, subscriber_id)}.ics")

    def tracked(self, delivery_id: int, link_id: int) -> str:
        """Return the address that leads on to a stored one. It never runs out: an old email's links go on working."""
        return self._url(f"/c/{sign(self.keys, Purpose.LINK, delivery_id, link_id)}")

    def fresh(self, opens: Opens, link_id: int, issued_real: datetime) -> str:
        """Return the page of a link on request; `issued_real` is real time, from which its hour counts."""
        token = sign(self.keys, Purpose(opens), link_id, int(issued_real.timestamp()))
        return self._url(f"/{opens.replace('_', '-')}/{token}")

    def media(self, path: str) -> str:
        """Return the address of a file under media/."""
        return media_url(self.public_url, path)

    def read_confirm(self, token: str) -> tuple[int, datetime]:
        """Return the subscriber and the instant at which the link was made. Raises BadToken."""
        subscriber_id, issued = read(self.keys, Purpose.CONFIRM, token, 2)
        return subscriber_id, datetime.fromtimestamp(issued, UTC)

    def read_page(self, token: str) -> int:
        """Return the subscriber. Raises BadToken."""
        return read(self.keys, Purpose.PAGE, token, 1)[0]

    def read_video(self, token: str) -> int:
        """Return the subscriber. Raises BadToken."""
        return read(self.keys, Purpose.VIDEO, token, 1)[0]

    def read_done(self, token: str) -> tuple[int, int]:
        """Return the subscriber and the step. Raises BadToken."""
        subscriber_id, step_id = read(self.keys, Purpose.DONE, token, 2)
        return subscriber_id, step_id

    def read_calendar(self, token: str) -> int:
        """Return the subscriber. Raises BadToken."""
        return read(self.keys, Purpose.CALENDAR, token, 1)[0]

    def read_tracked(self, token: str) -> tuple[int, int]:
        """Return the delivery and the link. Raises BadToken."""
        delivery_id, link_id = read(self.keys, Purpose.LINK, token, 2)
        return delivery_id, link_id

    def read_fresh(self, opens: Opens, token: str) -> tuple[int, datetime]:
        """Return the id of a link on request and the instant at which its letter was written. Raises BadToken."""
        link_id, issued = read(self.keys, Purpose(opens), token, 2)
        return link_id, datetime.fromtimestamp(issued, UTC)
