"""Forms: where a sign-up may come from, and which sequence it starts."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name


class Form(Base):
    """One form, on the landing page or under an article."""

    __tablename__ = "form"

    slug: Mapped[str] = mapped_column(Name(), primary_key=True)
    title: Mapped[str] = mapped_column(Name(200))
    sequence_slug: Mapped[str] = mapped_column(Name())
    article: Mapped[str] = mapped_column(Name(), default="")
    """Slug of the article page that carries it; empty for the landing page."""


def get(session: Session, slug: str) -> Form | None:
    """Return the form with this slug."""
    return session.get(Form, slug)


def first(session: Session) -> Form | None:
    """Return the form that stands for sign-ups whose own form is gone."""
    return session.query(Form).order_by(Form.article, Form.slug).first()
