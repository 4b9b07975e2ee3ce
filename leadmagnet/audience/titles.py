"""What emails and exercises are called, for lists and timelines: the words of the newest published revision.

Must not know: who was sent what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet.domain.message import SLOT
from leadmagnet.rendering.document import BadDocument, parse
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.sequences import Step, StepRevision

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Titles:
    """Names by step id, by step slug and by the slug or kind of a text."""

    subjects: Mapping[int, str]
    texts: Mapping[str, str]
    steps: Mapping[str, str]

    def subject(self, step_id: int | None, text_slug: str, kind: str) -> str:
        """Return the subject of an email; empty where its text is gone."""
        if step_id is not None:
            return self.subjects.get(step_id, "")
        return self.texts.get(text_slug) or self.texts.get(kind, "")

    def step(self, slug: str) -> str:
        """Return the name of an exercise; its slug, spaced out, where the step is gone."""
        return self.steps.get(slug) or slug.replace("-", " ").capitalize()


def titles_of(session: Session) -> Titles:
    """Read the names of all steps and texts. There are a few dozen."""
    subjects: dict[int, str] = {}
    texts: dict[str, str] = {}
    steps: dict[str, str] = {}
    rows = select(Step.id, Step.slug, StepRevision.source).join(StepRevision, Step.revision_id == StepRevision.id)
    for step_id, slug, source in session.execute(rows.order_by(Step.position, Step.id)):
        subject, title = _words(source)
        subjects[step_id] = subject
        steps.setdefault(slug, title)
    for slug, kind, source in session.execute(select(EmailText.slug, EmailText.kind, EmailText.source)):
        texts[slug] = _words(source)[0]
        if kind != "reminder":
            texts.setdefault(kind, texts[slug])
    return Titles(subjects, texts, steps)


def _words(source: str) -> tuple[str, str]:
    """Return subject and title of a text, without slots: a list has no reader to fill them for."""
    try:
        front = parse(source)
    except BadDocument:
        return "", ""
    return _plain(front.text("subject")), _plain(front.text("title"))


def _plain(text: str) -> str:
    return _SPACE.sub(" ", SLOT.sub("", text)).strip()
