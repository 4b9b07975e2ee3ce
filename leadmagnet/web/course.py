"""The course as pages show it: its videos in order, with the day each comes on, its film, and the text of its page.

Must not know: a subscriber.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from markupsafe import Markup
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.content import film_seconds
from leadmagnet.domain.schedule import Delay, DelayUnit
from leadmagnet.domain.sequence import Pace, Step, at_pace, day_number
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering import phrases
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.document import Document, parse
from leadmagnet.store.forms import Form
from leadmagnet.store.sequences import Sequence
from leadmagnet.web import pages
from leadmagnet.web.assets import has_media
from leadmagnet.web.words import number

LANDING = "landing"
ANY_INTERVAL = "one every few days"


@dataclass(frozen=True, slots=True)
class Video:
    """One video of the course. `number` is its place, `day` the day of the course on which it comes."""

    step_id: int
    slug: str
    number: int
    day: int
    document: Document

    @property
    def title(self) -> str:
        """The exercise."""
        return self.document.text("title")

    @property
    def figure(self) -> str:
        """The small drawing for the path: the last of the page's pictures."""
        shown = pictures(self.document)
        return shown[-1]["image"] if shown else self.document.text("poster")

    def text(self, section: str, clinic: Clinic) -> Markup:
        """Return a section of the page as HTML."""
        return pages.html(self.document.sections.get(section, ""), clinic)

    @property
    def film(self) -> str:
        """The film's address; empty while there is none."""
        film = self.document.text("film")
        return film if film and has_media(film) else ""

    @property
    def captions(self) -> str:
        """The captions' address; empty while there are none."""
        captions = self.document.text("captions")
        return captions if captions and has_media(captions) else ""

    @property
    def length(self) -> str:
        """The film's length in words; empty where nobody knows it."""
        seconds = film_seconds(dict(self.document.front))
        return phrases.length(seconds) if seconds else ""


@dataclass(frozen=True, slots=True)
class Course:
    """A sequence and its videos."""

    sequence: Sequence
    videos: list[Video]
    interval_phrase: str
    #: Taken out of the course since, but still open to those who were sent them.
    former: list[Video]
    #: What lies between two videos.
    delays: frozenset[Delay] = frozenset()

    @property
    def films_phrase(self) -> str:
        """Say how long the films are, where that is short and known of each."""
        seconds = [film_seconds(dict(video.document.front)) for video in self.videos]
        short = bool(seconds) and all(length is not None and length < 60 for length in seconds)
        return "Films under a minute." if short else ""

    def find(self, slug: str) -> Video | None:
        """Return the video with this slug."""
        return next((video for video in (*self.videos, *self.former) if video.slug == slug), None)

    def by_step(self, step_id: int) -> Video | None:
        """Return the video of this step."""
        return next((video for video in (*self.videos, *self.former) if video.step_id == step_id), None)


def pictures(document: Document) -> list[dict[str, str]]:
    """Return the drawings of the page that are there: image, caption, alt."""
    listed = document.front.get("pictures")
    found = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    shown = [{key: str(item.get(key, "")) for key in ("image", "caption", "alt")} for item in found]
    return [item for item in shown if item["image"] and has_media(item["image"])]


def doses(document: Document) -> list[dict[str, str]]:
    """Return how much to do: amount and note."""
    listed = document.front.get("dose")
    found = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return [{key: str(item.get(key, "")) for key in ("amount", "note")} for item in found]


@cache
def _document(source: str) -> Document:
    return parse(source)


def load(session: Session, sequence: Sequence) -> Course:
    """Return a sequence's published videos in order."""
    rules = [step.rule() for step in store.sequences.steps_of(session, sequence.id)]
    revisions = store.sequences.revisions_of(session, sequence.id)
    days = day_number(rules)

    def video(place: int, step: Step) -> Video:
        return Video(step.id, step.slug, place, days.get(step.id, 0), _document(revisions[step.id].source))

    shown = [rule for rule in rules if rule.kind is DeliveryKind.VIDEO and rule.id in revisions]
    steps = [step for step in shown if not step.removed]
    videos = [video(place, step) for place, step in enumerate(steps, 1)]
    former = [video(shown.index(step) + 1, step) for step in shown if step.removed]
    delays = frozenset(step.delay for step in steps[1:])
    return Course(sequence, videos, every(delays) or ANY_INTERVAL, former, delays)


def every(delays: frozenset[Delay], pace: Pace = Pace.USUAL) -> str:
    """Return a pace in words: "one every three days"; empty where the videos are not evenly spaced."""
    if len(delays) != 1:
        return ""
    delay = at_pace(next(iter(delays)), pace)
    if delay.unit is not DelayUnit.DAYS:
        return "one every few hours" if delay.amount < 24 else ""
    return "one every day" if delay.amount == 1 else f"one every {number(delay.amount)} days"


def of_form(session: Session, form: Form | None) -> Course | None:
    """Return the course that a form starts."""
    sequence = store.sequences.by_slug(session, form.sequence_slug) if form else None
    return load(session, sequence) if sequence else None


def of_subscriber(session: Session, subscriber_id: int) -> Course | None:
    """Return the course that a person is in, or was in last."""
    enrollment = store.enrollments.newest_of(session, subscriber_id)
    sequence = session.get(Sequence, enrollment.sequence_id) if enrollment else None
    return load(session, sequence) if sequence else None


def landing_form(session: Session) -> Form | None:
    """Return the form of the landing page."""
    return store.forms.get(session, LANDING) or store.forms.first(session)
