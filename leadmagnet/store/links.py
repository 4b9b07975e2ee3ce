"""Addresses of other sites to which emails link: stored with the revision that names them, and never changed.

/c/TOKEN leads to such a row and nowhere else, whatever became of the text. Must not know: who followed one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ForeignKey, UniqueConstraint, and_, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.sequences import Step

#: Links of one published text in their order: address and id.
Stored = tuple[tuple[str, int], ...]


class Link(Base):
    """One address in one revision, of a step or of an email text."""

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("revision_id", "number"),
        UniqueConstraint("text_slug", "text_revision", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("step_revision.id"))
    """The step's revision; empty for an email text."""
    text_slug: Mapped[str | None] = mapped_column(Name())
    text_revision: Mapped[int | None]
    """The email text and the number of its revision; empty for a step."""
    number: Mapped[int]
    """Place in the text, from 1."""
    url: Mapped[str] = mapped_column(Name(2000))
    """A web address; or the slot of the clinic's booking page, whose address is a setting."""


def keep_step(session: Session, revision_id: int, urls: Sequence[str]) -> None:
    """Store the links of a step's revision, unless they are."""
    if urls and not session.scalar(select(func.count()).where(Link.revision_id == revision_id)):
        session.add_all(Link(revision_id=revision_id, number=place, url=url) for place, url in enumerate(urls, 1))
        session.flush()


def keep_text(session: Session, text: EmailText, urls: Sequence[str]) -> None:
    """Store the links of an email text as it stands now, unless they are."""
    there = select(func.count()).where(Link.text_slug == text.slug, Link.text_revision == text.revision)
    if urls and not session.scalar(there):
        for place, url in enumerate(urls, 1):
            session.add(Link(text_slug=text.slug, text_revision=text.revision, number=place, url=url))
        session.flush()


def in_use(session: Session) -> dict[int | str, Stored]:
    """Return the links of all published texts, by step id or text slug."""
    of_text = and_(EmailText.slug == Link.text_slug, EmailText.revision == Link.text_revision)
    query = (
        select(Step.id, EmailText.slug, Link.url, Link.id)
        .select_from(Link)
        .join(Step, Step.revision_id == Link.revision_id, isouter=True)
        .join(EmailText, of_text, isouter=True)
        .where(Step.id.is_not(None) | EmailText.slug.is_not(None))
        .order_by(Link.id)
    )
    found: dict[int | str, list[tuple[str, int]]] = defaultdict(list)
    for step_id, slug, url, link_id in session.execute(query):
        found[slug if step_id is None else step_id].append((url, link_id))
    return {key: tuple(links) for key, links in found.items()}
