"""Sign-ups: what the form received, one row each, before anybody looked at it.

The request writes this row and nothing else, so that its answer and its time are the same for every address.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, ForeignKey, Index, bindparam, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.among import among_given
from leadmagnet.store.base import Base, Instant, Name
from leadmagnet.store.insert_kept import insert_rows


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
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Name(320))
    email_canonical: Mapped[str] = mapped_column(Name(320))
    first_name: Mapped[str] = mapped_column(Name(80), default="")
    timezone: Mapped[str] = mapped_column(Name(64), default="")
    form: Mapped[str] = mapped_column(Name(64))
    wording_id: Mapped[str] = mapped_column(ForeignKey("wording.id"))
    page: Mapped[str] = mapped_column(Name(500), default="")
    """The address of the page that carried the form."""
    ip: Mapped[str] = mapped_column(Name(45), default="")
    user_agent: Mapped[str] = mapped_column(Name(300), default="")
    asked_at: Mapped[datetime]
    asked_real_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(Name(32), default="")


class Asked(NamedTuple):
    """A sign-up that nobody has looked at."""

    id: int
    email: str
    email_canonical: str
    first_name: str
    timezone: str
    form: str
    wording_id: str
    page: str
    ip: str
    user_agent: str
    asked_at: datetime


@cache
def _waiting() -> Executable:
    columns = [getattr(SignUp, name) for name in Asked._fields]
    query = select(*columns).where(SignUp.handled_at.is_(None)).order_by(SignUp.id).limit(bindparam("most"))
    return query.with_for_update(skip_locked=True)


def waiting(session: Session, limit: int) -> list[Asked]:
    """Return the oldest sign-ups nobody has looked at; on PostgreSQL they are locked, and locked ones passed over."""
    return [Asked._make(row) for row in session.connection().execute(_waiting(), {"most": limit}).all()]


@cache
def _handled() -> Executable:
    values = {"outcome": bindparam("became"), "handled_at": bindparam("moment", type_=Instant())}
    return update(SignUp).where(among_given(SignUp.id)).values(**values)


def handled(session: Session, ids: Collection[int], outcome: str, real_now: datetime) -> None:
    """Write down what became of sign-ups."""
    session.connection().execute(_handled(), {"ids": ids, "became": outcome, "moment": real_now})


def add_all(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add sign-ups, each with the same columns."""
    insert_rows(session.connection(), SignUp, rows)
