"""Load a sequence and email texts. Loading the same files again changes nothing; people only move forward.

The shipped files never overwrite what a marketer has edited since. A file that somebody names does: its text becomes
the newest revision, and the one before is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.status import EnrollmentStatus
from leadmagnet.editing.files import SequenceFiles
from leadmagnet.rendering.document import Document
from leadmagnet.rendering.outside import outside_links
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.forms import Form
from leadmagnet.store.sequences import Sequence, Step, StepRevision


@dataclass(slots=True)
class Loaded:
    """What a load did, by slug."""

    sequence: str = ""
    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Edited by a marketer since the last load, so left alone."""

    def summary(self) -> dict[str, object]:
        """Return the counts and names, for printing."""
        return asdict(self)


def tidy(source: str) -> str:
    """Return a source with one line break at its end, so that copying it about makes no new revision."""
    return source.rstrip() + "\n"


def digest(source: str) -> str:
    """Return the hash by which a shipped file is known."""
    return hashlib.sha256(tidy(source).encode()).hexdigest()


def load(session: Session, files: SequenceFiles, now: datetime, *, author: str, shipped: bool) -> Loaded:
    """Load a sequence. `shipped`: these are the product's own files, which yield to what a marketer has made."""
    done = Loaded(sequence=files.head.text("slug"))
    sequence, moved = _head(session, files, shipped=shipped)
    steps = {step.slug: step for step in store.sequences.steps_of(session, sequence.id)}
    for place, document in enumerate(files.steps, 1):
        step = steps.get(document.text("slug"))
        moved |= _step(session, sequence, step, document, place * 10, now, author, done, shipped=shipped)
    named = {document.text("slug") for document in files.steps}
    for slug, step in steps.items():
        if slug not in named and not step.removed and not (shipped and not step.loaded_hash):
            step.removed = moved = True
            step.loaded_hash = step.loaded_hash if shipped else ""
            done.removed.append(slug)
    for document in files.texts:
        load_text(session, document, now, done, shipped=shipped)
    if moved:
        _date_anew(session, sequence.id)
    return done


def _head(session: Session, files: SequenceFiles, *, shipped: bool) -> tuple[Sequence, bool]:
    head, rhythm = files.head, files.rhythm
    sequence = store.sequences.by_slug(session, head.text("slug"))
    if sequence is not None and shipped and sequence.loaded_hash in ("", digest(head.source)):
        return sequence, False
    sequence = sequence or Sequence(slug=head.text("slug"))
    before = (sequence.hour, sequence.opens, sequence.closes, sequence.weekdays, sequence.spread_minutes)
    sequence.title, sequence.about = head.text("title"), head.sections.get("", "")
    sequence.locale = head.text("locale") or "en"
    sequence.hour, sequence.opens, sequence.closes = rhythm.at, rhythm.window.opens, rhythm.window.closes
    sequence.weekdays = "".join(str(day) for day in sorted(rhythm.window.weekdays))
    sequence.spread_minutes = rhythm.spread_minutes
    sequence.loaded_hash = digest(head.source) if shipped else ""
    session.add(sequence)
    session.flush()
    after = (sequence.hour, sequence.opens, sequence.closes, sequence.weekdays, sequence.spread_minutes)
    return sequence, before != after


def _step(
    session: Session,
    sequence: Sequence,
    step: Step | None,
    document: Document,
    position: int,
    now: datetime,
    author: str,
    done: Loaded,
    *,
    shipped: bool,
) -> bool:
    """Load one step; True when something changed that dates depend on."""
    slug, new_hash = document.text("slug"), digest(document.source)
    if step is not None and step.revision_id:
        # Published by a version that kept no links.
        store.links.keep_step(session, step.revision_id, outside_links(_source(session, step)))
    stands = step is not None and not step.removed and step.position == position
    words_changed = step is None or _source(session, step) != tidy(document.source)
    if stands and (not words_changed or (shipped and step is not None and step.loaded_hash == new_hash)):
        done.unchanged.append(slug)
        return False
    if step is not None and shipped and step.loaded_hash != digest(_source(session, step)):
        done.kept.append(slug)
        return False
    (done.created if step is None else done.updated).append(slug)
    step = step or Step(sequence_id=sequence.id, slug=slug, position=0, kind="", delay="")
    before = (step.position, step.kind, step.delay, step.removed)
    step.position, step.removed = position, False
    step.kind, step.delay = document.text("kind"), document.text("delay")
    step.loaded_hash = new_hash if shipped else ""
    session.add(step)
    session.flush()
    if words_changed:
        revise(session, step, document.source, now, author)
    return before != (step.position, step.kind, step.delay, step.removed)


def _source(session: Session, step: Step) -> str:
    revision = session.get(StepRevision, step.revision_id) if step.revision_id else None
    return tidy(revision.source) if revision else ""


def revise(session: Session, step: Step, source: str, now: datetime, author: str) -> StepRevision:
    """Publish a new revision of a step. Emails not yet sent use it."""
    query = select(StepRevision.number).where(StepRevision.step_id == step.id).order_by(StepRevision.number.desc())
    number = (session.scalar(query.limit(1)) or 0) + 1
    revision = StepRevision(step_id=step.id, number=number, source=tidy(source), author=author, created_at=now)
    session.add(revision)
    session.flush()
    step.revision_id = revision.id
    store.links.keep_step(session, revision.id, outside_links(revision.source))
    return revision


def load_text(session: Session, document: Document, now: datetime, done: Loaded, *, shipped: bool) -> None:
    """Load one email text that is no step."""
    slug, new_hash = document.text("slug"), digest(document.source)
    text = session.get(EmailText, slug)
    if text is not None:
        store.links.keep_text(session, text, outside_links(text.source))
    if text is not None and not text.removed:
        same = tidy(text.source) == tidy(document.source)
        if same or (shipped and text.loaded_hash == new_hash):
            done.unchanged.append(slug)
            return
        if shipped and text.loaded_hash != digest(text.source):
            done.kept.append(slug)
            return
    (done.created if text is None else done.updated).append(slug)
    text = text or EmailText(slug=slug, revision=0)
    text.kind, text.state = document.text("kind"), document.text("state")
    text.source, text.removed = tidy(document.source), False
    text.loaded_hash = new_hash if shipped else ""
    text.revision, text.changed_at = text.revision + 1, now
    session.add(text)
    session.flush()
    store.links.keep_text(session, text, outside_links(text.source))


def load_form(session: Session, slug: str, title: str, sequence_slug: str, article: str = "") -> None:
    """Make a form known, if it is not."""
    if session.get(Form, slug) is None:
        session.add(Form(slug=slug, title=title, sequence_slug=sequence_slug, article=article))
        session.flush()


def _date_anew(session: Session, sequence_id: int) -> None:
    """Order, delays or rhythm have changed: date the next email of everybody in the sequence anew."""
    session.execute(
        update(Enrollment)
        .where(Enrollment.sequence_id == sequence_id, Enrollment.status == EnrollmentStatus.ACTIVE)
        .values(wants_plan=True)
        .execution_options(synchronize_session=False)
    )
