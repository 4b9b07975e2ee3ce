"""Sign-ups: what the form received, one row each, before anybody looked at it.

The request writes this row and nothing else, so that its answer and its time are the same for every address.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, ForeignKey, Index, String, bindparam, null, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.domain.consent import COURSE, written
from leadmagnet.store.among import among_given
from leadmagnet.store.base import Base, Instant, Name, filled
from leadmagnet.store.insert_rows import insert_rows


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


class Asked(NamedTuple):
    """A sign-up that is to be weighed, as its row is."""

    id: int
    email: str
    email_canonical: str
    first_name: str
    timezone: str
    form: str
    wording_id: str
    purposes: str
    page: str
    ip: str
    user_agent: str
    track_links: bool
    asked_at: datetime
    asked_real_at: datetime
    network: str
    proof: str
    proven: bool
    decided_by: str


@cache
def _waiting() -> Executable:
    columns = [getattr(SignUp, name) for name in Asked._fields]
    query = select(*columns).where(SignUp.handled_at.is_(None)).order_by(SignUp.id).limit(bindparam("most"))
    return query.with_for_update(skip_locked=True)


def waiting(session: Session, limit: int) -> list[Asked]:
    """Return the oldest sign-ups nobody has looked at; on PostgreSQL they are locked, and locked ones passed over."""
    return [Asked._make(row) for row in session.connection().execute(_waiting(), {"most": limit}).all()]


@cache
def _turns() -> Executable:
    columns = [getattr(SignUp, name) for name in Asked._fields]
    turn = SignUp.again_at <= bindparam("moment", type_=Instant())
    query = select(*columns).where(turn).order_by(SignUp.again_at, SignUp.id).limit(bindparam("most"))
    return query.with_for_update(skip_locked=True)


def turns(session: Session, real_now: datetime, limit: int) -> list[Asked]:
    """Return held sign-ups whose turn it is to be looked at again, the oldest first; locked ones are passed over."""
    told = {"moment": real_now, "most": limit}
    return [Asked._make(row) for row in session.connection().execute(_turns(), told).all()]


@cache
def _handled() -> Executable:
    values = {
        "outcome": bindparam("became"),
        "handled_at": bindparam("moment", type_=Instant()),
        "again_at": null(),
        "network_until": bindparam("until", type_=Instant()),
    }
    return update(SignUp).where(among_given(SignUp.id)).values(**values)


def handled(session: Session, ids: Collection[int], outcome: str, real_now: datetime, network_until: datetime) -> None:
    """Write down what became of sign-ups, and when their networks are to be forgotten (real clock)."""
    told = {"ids": ids, "became": outcome, "moment": real_now, "until": network_until}
    session.connection().execute(_handled(), told)


def add_all(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add sign-ups, each with the same columns."""
    insert_rows(session.connection(), SignUp, rows)
