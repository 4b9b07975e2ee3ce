"""Proofs of work that have been used: each counts once. Kept as long as its challenge would be good for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from leadmagnet.store.base import Base, Name
from leadmagnet.store.insert_rows import insert_columns


class SpentProof(Base):
    """One challenge that somebody has solved and used. `mark` is its signature."""

    __tablename__ = "spent_proof"

    mark: Mapped[str] = mapped_column(Name(64), primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)


def spend(session: Session, marks: Mapping[str, datetime]) -> set[str]:
    """Use challenges up, each kept until an instant (real clock); return those that nobody had used before."""
    if not marks:
        return set()
    columns: dict[str, list[Any]] = {"mark": list(marks), "until": list(marks.values())}
    return set(insert_columns(session.connection(), SpentProof, columns, meets=True, giving="mark").scalars())


def forget(session: Session, real_now: datetime) -> None:
    """Delete those whose challenge is too old to be used again."""
    session.execute(delete(SpentProof).where(SpentProof.until <= real_now))
