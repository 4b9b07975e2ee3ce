"""The proof of consent of a person: who, to which exact words, when, where and how; and everything since.

Pages, commands and exports share it, so it is data: no HTML, no sentences. Must not know: who asks for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet.domain.consent import ConsentKind, Purpose, granted, read_purposes, standings, written
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.among import among
from leadmagnet.store.consents import ConsentEvent, Wording
from leadmagnet.store.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the record, where the person stood after it, and what was granted then."""

    event: ConsentEvent
    wording: Wording | None
    purposes: frozenset[Purpose]
    status: SubscriberStatus
    granted: frozenset[Purpose]


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything the record holds about one person, oldest first."""

    person: Subscriber
    entries: Sequence[Entry]

    @property
    def granted(self) -> frozenset[Purpose]:
        """What is granted now."""
        return self.entries[-1].granted if self.entries else frozenset()

    @property
    def wordings(self) -> list[Wording]:
        """The words that the events are about, in the order in which they were shown."""
        return list({entry.wording.id: entry.wording for entry in self.entries if entry.wording}.values())


def proof_of(session: Session, person: Subscriber) -> Proof:
    """Return one person's proof."""
    return proofs_of(session, [person])[0]


def proofs_of(session: Session, people: Sequence[Subscriber]) -> list[Proof]:
    """Return the proofs of these people, in their order: two queries, however many they are."""
    mine: dict[int, list[ConsentEvent]] = defaultdict(list)
    query = select(ConsentEvent).where(among(ConsentEvent.subscriber_id, [person.id for person in people]))
    for event in session.scalars(query.order_by(ConsentEvent.id)):
        mine[event.subscriber_id].append(event)
    used = {event.wording_id for events in mine.values() for event in events if event.wording_id}
    words = {one.id: one for one in session.scalars(select(Wording).where(Wording.id.in_(sorted(used))))}
    return [Proof(person, _entries(mine[person.id], words)) for person in people]


def _entries(events: Sequence[ConsentEvent], words: dict[str, Wording]) -> list[Entry]:
    told = [(ConsentKind(event.kind), read_purposes(event.purposes), event.channel) for event in events]
    stood = standings(told)
    return [
        Entry(
            event,
            words.get(event.wording_id or ""),
            told[place][1],
            stood[place],
            granted((kind, purposes) for kind, purposes, _ in told[: place + 1]),
        )
        for place, event in enumerate(events)
    ]


def as_data(proof: Proof) -> dict[str, Any]:
    """Return a proof as JSON has it (docs/commands.md). Instants are ISO 8601 in UTC."""
    person = proof.person
    return {
        "email": person.email,
        "first_name": person.first_name,
        "status": person.status,
        "source": person.source,
        "signed_up_at": instant(person.created_at),
        "confirmed_at": instant(person.confirmed_at),
        "left_at": instant(person.left_at),
        "granted": _names(proof.granted),
        "wordings": [
            {
                "id": wording.id,
                "version": wording.version,
                "language": wording.language,
                "first_used_at": instant(wording.first_used_at),
                "text": wording.text,
            }
            for wording in proof.wordings
        ],
        "events": [_event(entry) for entry in proof.entries],
    }


def _event(entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "at": instant(event.at),
        "effective_at": instant(event.effective_at),
        "kind": event.kind,
        "purposes": _names(entry.purposes),
        "status_after": str(entry.status),
        "granted_after": _names(entry.granted),
        "email": event.email,
        "channel": event.channel,
        "form": event.form,
        "page": event.page,
        "ip": event.ip,
        "user_agent": event.user_agent,
        "token_id": event.token_id,
        "wording": event.wording_id,
        "detail": event.detail,
    }


def _names(purposes: Iterable[Purpose]) -> list[str]:
    return written(purposes).split()


def instant(at: datetime | None) -> str | None:
    """Return an instant as ISO 8601, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
