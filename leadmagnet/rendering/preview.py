"""A sample letter of a text, for previews: the code of a real one, an invented reader, links that open nothing.

Must not know: real subscribers, the present moment (it is an argument).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from leadmagnet.content import film_seconds
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.message import Expanded, expand
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.domain.zones import zone
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.document import Document, kind_of, parse
from leadmagnet.rendering.email import compile_email
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.values import Lesson, Reader, Values

#: No program key: a token signed with it opens nothing.
_NO_KEY = (b"preview",)
#: The film that an email which is no video speaks of.
_SAMPLE_FILM: dict[str, object] = {"film": "media/bird-dog.mp4"}


def sample_letter(
    source: str,
    clinic: Clinic,
    public_url: str,
    now: datetime,
    *,
    home_title: str = "Six core videos",
    videos: int = 6,
    next_title: str | None = None,
) -> Expanded:
    """Return the letter that the sample reader would get; `next_title` is the video after it, None after the last.

    Raises BadDocument.
    """
    content = compile_email(source, clinic, public_url, home_title=home_title, videos=videos)
    document = parse(source)
    reader = sample_reader(document, clinic, now, next_title)
    return expand(content, Values(Links(public_url, _NO_KEY), now, content.slots()).of(reader))


def sample_reader(document: Document, clinic: Clinic, now: datetime, next_title: str | None = None) -> Reader:
    """Return somebody who is in the middle of the course and has this email before her."""
    kind = kind_of(document)
    is_video = kind is DeliveryKind.VIDEO
    lesson = Lesson(
        kind=kind,
        step_id=0,
        step_slug=document.text("slug") if is_video else "bird-dog",
        step_title=document.text("title") if is_video else "Bird dog",
        step_number=int(document.text("number")) if is_video else 4,
        film_seconds=film_seconds(dict(document.front) if is_video else _SAMPLE_FILM),
    )
    return Reader(
        lesson=lesson,
        subscriber_id=0,
        leave_id="preview",
        first_name="Anna",
        timezone=zone(clinic.timezone),
        signed_up_at=now - timedelta(days=9),
        issued_real=now,
        good_weeks=4,
        fresh=(Opens.DATA, 0),
        following=(next_title, now + timedelta(days=3)) if next_title and is_video else None,
    )
