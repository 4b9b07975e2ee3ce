"""A sequence back into files, exactly as `sequence load` reads them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.schedule import clock_words
from leadmagnet.editing.files import HEAD
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.sequences import Sequence

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def export(session: Session, sequence: Sequence) -> dict[str, str]:
    """Return the sources of a sequence and of the other emails, by file name."""
    revisions = store.sequences.revisions_of(session, sequence.id)
    steps = [step for step in store.sequences.steps_of(session, sequence.id) if not step.removed]
    named = {HEAD: _head(sequence)}
    for number, step in enumerate(steps, 1):
        named[f"{number:02}-{step.slug}.md"] = revisions[step.id].source
    for text in session.query(EmailText).filter_by(removed=False).order_by(EmailText.slug):
        named[f"messages/{text.slug}.md"] = text.source
    return named


def _head(sequence: Sequence) -> str:
    days = " ".join(_DAYS[int(digit)] for digit in sequence.weekdays)
    lines = [
        "---",
        f"slug: {sequence.slug}",
        f"title: {_quoted(sequence.title)}",
        f'hour: "{clock_words(sequence.hour)}"',
        f'window: "{clock_words(sequence.opens)}-{clock_words(sequence.closes)}"',
        f"weekdays: {days}",
        f"spread_minutes: {sequence.spread_minutes}",
        f"locale: {_quoted(sequence.locale)}",
        "---",
        sequence.about,
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text in double quotes, as YAML reads it back whatever it says: a bare On would be read as true."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
