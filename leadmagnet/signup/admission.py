"""Weighing a batch of waiting sign-ups against the caps: some are let through, the others are held, all by the set.

Must not know: what becomes of those that are let through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.domain.admission import TURN, TURNS_END, WINDOW, Caps, Held, Source, asks_proof, held_by
from leadmagnet.signup.proof import LIVES, proves
from leadmagnet.store.held import whole_hour
from leadmagnet.store.signups import Asked


@dataclass(frozen=True, slots=True)
class Guard:
    """What stands between a form and somebody's inbox."""

    caps: Caps = field(default_factory=Caps)
    keys: Sequence[bytes] = ()
    """The keys that sign challenges."""
    trial: bool = False
    """No email leaves this machine: then who signs up from this machine or its network is not held."""


def asks(session: Session, guard: Guard, source: Source, real_now: datetime) -> bool:
    """Say whether a browser that is about to sign up should do a proof of work."""
    if guard.trial and not source.network:
        return False
    return asks_proof(guard.caps, store.held.window(session, real_now - WINDOW, and_waiting=True), source)


def admit(session: Session, rows: Sequence[Asked], guard: Guard, real_now: datetime, most: int) -> list[Asked]:
    """Return the sign-ups that may cause an email, `most` at most, in their order; hold the others.

    With `most` of them found, the rows after them are left as they are, for the next batch.
    """
    rows = _look_at_proofs(session, rows, guard.keys)
    seen = store.held.window(session, real_now - WINDOW)
    admitted: list[Asked] = []
    counted: list[int] = []
    held: dict[tuple[Held, bool, bool], list[int]] = defaultdict(list)
    for row in rows:
        if len(admitted) == most:
            break
        source = Source(row.network, row.form)
        free = bool(row.decided_by) or (guard.trial and not row.network)
        cap = None if free else held_by(guard.caps, seen, source, proven=row.proven)
        if cap:
            waits = row.proven and real_now - row.asked_real_at < TURNS_END
            held[cap, row.proven, waits].append(row.id)
            continue
        admitted.append(row)
        if not free:
            # Whatever comes of it: else a flood to addresses that get nothing would be work without end.
            counted.append(row.id)
            seen.add(source)
    store.held.let_through(session, counted, real_now)
    for (cap, proven, waits), ids in held.items():
        again_at = real_now + TURN if waits else None
        store.held.hold(session, ids, cap, real_now=real_now, proven=proven, again_at=again_at)
    return admitted


def _look_at_proofs(session: Session, rows: Sequence[Asked], keys: Sequence[bytes]) -> Sequence[Asked]:
    """Mark sign-ups whose browser has done the work. Of several with the same proof, one counts."""
    brought = [row for row in rows if row.proof]
    if not brought:
        return rows
    marks: dict[str, Asked] = {}
    for row in brought:
        if mark := proves(keys, row.proof, row.asked_real_at):
            marks.setdefault(mark, row)
    new = store.proofs.spend(session, {mark: whole_hour(row.asked_real_at + LIVES) for mark, row in marks.items()})
    proven = {marks[mark].id for mark in new}
    store.held.mark_proofs(session, [row.id for row in brought], proven)
    return [row._replace(proof="", proven=row.proven or row.id in proven) for row in rows]
