"""Sign-ups: what the form received, one row each, before anybody looked at it.

The request writes this row and nothing else, so that its answer and its time are the same for every address.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.consent import COURSE, written
from leadmagnet.store.base import Base, Name, filled


class SignUp(Base):
    """One use of a form. `handled_at` is empty until the worker has looked at it."""

    __tablename__ = "sign_up"
    __table_args__ = (
        Index(None, "asked_at"),
        Index(
            "ix_sign_up_waiting",
            "id",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
        # What may still be blanked, the oldest first.
        Index("ix_sign_up_ip", "asked_at", **filled("ip")),
        Index("ix_sign_up_user_agent", "asked_at", **filled("user_agent")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Name(320))
    email_canonical: Mapped[str] = mapped_column(Name(320))
    first_name: Mapped[str] = mapped_column(Name(80), default="")
    timezone: Mapped[str] = mapped_column(Name(64), default="")
    form: Mapped[str] = mapped_column(Name(64))
    wording_id: Mapped[str] = mapped_column(ForeignKey("wording.id"))
    purposes: Mapped[str] = mapped_column(Name(64), default=written(COURSE))
    """What was ticked."""
    page: Mapped[str] = mapped_column(Name(500), default="")
    """The address of the page that carried the form."""
    ip: Mapped[str] = mapped_column(Name(45), default="")
    user_agent: Mapped[str] = mapped_column(Name(300), default="")
    track_links: Mapped[bool] = mapped_column(default=False)
    """Whether the privacy page said that links are counted, and the browser did not object."""
    asked_at: Mapped[datetime]
    asked_real_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Name(32), default="")


def waiting(session: Session, limit: int) -> list[SignUp]:
    """Return the oldest sign-ups nobody has looked at; on PostgreSQL they are locked, and locked ones passed over."""
    query = session.query(SignUp).filter(SignUp.handled_at.is_(None)).order_by(SignUp.id).limit(limit)
    return query.with_for_update(skip_locked=True).all()
