"""Sign-ups: what the form received, one row each, before anybody looked at it.

The request writes this row and nothing else, so that its answer and its time are the same for every address.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
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
        Index(
            "ix_sign_up_held",
            "id",
            sqlite_where=text("outcome = 'held'"),
            postgresql_where=text("outcome = 'held'"),
        ),
        Index(None, "counted_at"),
        Index(None, "again_at"),
        Index(None, "network_until"),
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

    network: Mapped[str] = mapped_column(Name(45), default="")
    """Under which the sign-up is counted; empty for a local one, and once nobody needs it any more."""
    network_until: Mapped[datetime | None]
    """When the network is to be forgotten (real clock); empty while the sign-up waits or is held."""
    proof: Mapped[str] = mapped_column(String(2000), default="")
    """The browser's proof of work as it came; emptied once it has been looked at."""
    proven: Mapped[bool] = mapped_column(default=False)
    held: Mapped[str] = mapped_column(Name(16), default="")
    """Which cap kept it back, last or now."""
    again_at: Mapped[datetime | None]
    """Held with a proof: when its turn is looked at (real clock)."""
    counted_at: Mapped[datetime | None]
    """When it was let through under the caps (real clock)."""
    decided_by: Mapped[str] = mapped_column(Name(120), default="")
    """Who let it through or threw it away after it was held; then no cap holds it any more."""


def waiting(session: Session, limit: int) -> list[SignUp]:
    """Return the oldest sign-ups nobody has looked at; on PostgreSQL they are locked, and locked ones passed over."""
    query = session.query(SignUp).filter(SignUp.handled_at.is_(None)).order_by(SignUp.id).limit(limit)
    return query.with_for_update(skip_locked=True).all()
