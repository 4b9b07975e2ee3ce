"""The texts of emails that are no steps: confirmation, 'you are already in', and reminders in several wordings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name


class EmailText(Base):
    """One email text, in the same form as a step's file."""

    __tablename__ = "email_text"

    slug: Mapped[str] = mapped_column(Name(), primary_key=True)
    kind: Mapped[str] = mapped_column(Name(24))
    state: Mapped[str] = mapped_column(Name(24), default="")
    """For reminders: the state of the person this wording fits."""
    source: Mapped[str]
    revision: Mapped[int] = mapped_column(default=1)
    loaded_hash: Mapped[str] = mapped_column(Name(64), default="")
    removed: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]


def of_kind(session: Session, kind: str) -> list[EmailText]:
    """Return the texts of one kind in use, by slug."""
    return session.query(EmailText).filter_by(kind=kind, removed=False).order_by(EmailText.slug).all()
