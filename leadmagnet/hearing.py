"""What providers tell us is taken in and applied: to the ledger, to people, to the figures that the brake watches.

A batch of events is one transaction: read, applied, stored as applied. It is safe to apply an event twice; it counts
once, by its id. Must not know: how events come in, a provider's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.delivery.evidence import apply_evidence
from leadmagnet.domain.bounces import WINDOW, Came, brake
from leadmagnet.domain.signals import SENDERS_FAULT, Signal
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.feedback.reach import look_again
from leadmagnet.feedback.signals import apply_signals
from leadmagnet.mail.headers import without_addresses
from leadmagnet.mail.sendgrid_events import BadEvents, Event, read_events
from leadmagnet.services import Services
from leadmagnet.store.event_batches import Batch
from leadmagnet.store.events import Spoken, Waiting
from leadmagnet.store.outcomes import SENT, Told, slot_of

log = structlog.get_logger(__name__)

#: Stored events that one transaction applies.
EVENTS = 1000
#: Batches that one transaction takes in, where several wait: what they say of one email is written once.
BATCHES = 4
_READERS: Mapping[str, Callable[[bytes], list[Event]]] = {"sendgrid": read_events}
#: What the brake watches, and what the clinic has to know.
_BRAKED = frozenset({Signal.COMPLAINED, Signal.BOUNCED_HARD})
_COUNTED = _BRAKED | SENDERS_FAULT | {Signal.BOUNCED_SOFT}
_NOBODY = (None,) * 5 + (False,)


def hear_first(services: Services, now: Now) -> None:
    """Apply what has arrived, before an email is claimed or its call begins: who has left by then gets nothing."""
    with store.reading(services.engine) as session:
        waits = store.event_batches.wait(session)
    while waits and _take_in(services, now) is not None:
        pass


def hear(services: Services, now: Now) -> int:
    """Take in all batches that have arrived and apply them, with what had to wait before; return how many events."""
    heard = 0
    while (taken := _take_in(services, now)) is not None:
        heard += taken
    while True:
        with store.writing(services.engine) as session:
            events = store.events.waiting(session, EVENTS)
            missed = apply_evidence(session, events, now)
            applied = [event for event in events if event.delivery_id not in missed]
            _apply_to_people(session, services, events, applied, now)
            store.events.done(session, [event.event_id for event in applied], now.real)
        heard += len(applied)
        if not applied:
            return heard


def _take_in(services: Services, now: Now) -> int | None:
    """Take in the oldest batches; return how many of their events were new, None where there is no batch."""
    with store.writing(services.engine) as session:
        batches = store.event_batches.take(session, BATCHES)
        if not batches:
            return None
        events = {event.id: (event, batch) for batch in batches for event in _read(batch)}
        spoken = store.events.spoken_of(session, {event.delivery_id for event, _ in events.values()})
        told = [_told(event, batch.provider, spoken.get(event.delivery_id)) for event, batch in events.values()]
        # The call of these is under way: they are stored, and applied once it is settled.
        early = {event.event_id for event in told if event.status == DeliveryStatus.CLAIMED}
        missed = apply_evidence(session, [event for event in told if event.event_id not in early], now)
        early |= {event.event_id for event in told if event.delivery_id in missed}
        rows = [_row(event, batch, None if event.id in early else now.real) for event, batch in events.values()]
        new = store.events.add(session, rows)
        # Of what was known, nothing takes effect again: its person may have come back since.
        told = [event for event in told if event.event_id in new]
        _apply_to_people(session, services, told, [event for event in told if event.event_id not in early], now)
    return len(new)


def _read(batch: Batch) -> list[Event]:
    """Return the events of a batch; none where it cannot be read, which must not stop the others."""
    try:
        return _READERS[batch.provider](batch.body)
    except BadEvents as error:
        said = str(error)
        log.error("a kept batch cannot be read and is dropped", provider=batch.provider, error=said)  # noqa: TRY400 (a traceback shows values, which are addresses)
        return []


def _told(event: Event, provider: str, spoken: Spoken | None) -> Waiting:
    said = event.id, event.delivery_id, event.signal, event.detail, event.email, provider
    return Waiting(*said, *(spoken or _NOBODY))


def _row(event: Event, batch: Batch, applied_at: datetime | None) -> dict[str, Any]:
    return {
        "event_id": event.id,
        "provider": batch.provider,
        "public_id": event.delivery_id,
        "signal": event.signal,
        "at": event.at,
        "received_at": batch.received_at,
        "applied_at": applied_at,
        # The person is known by the delivery, or was looked up by the address just now.
        "email": "",
        "detail": event.detail,
        "raw": event.raw,
    }


def _apply_to_people(
    session: Session, services: Services, told: Sequence[Waiting], applied: Sequence[Waiting], now: Now
) -> None:
    """Stop whom these events stop, at once; then count what was `applied` to the ledger for the first time."""
    apply_signals(session, told, now, services.config.suppression_key)
    look_again(session, applied, now)
    _count(session, applied, now)


def _count(session: Session, events: Iterable[Waiting], now: Now) -> None:
    """Count what came back, by when the emails left, and stop sending where it is too much."""
    counts: dict[tuple[datetime, str], Told] = {}
    counted = [(event, event.delivery_id) for event in events if event.signal in _COUNTED and event.delivery_id]
    left = store.events.settled_at(session, {delivery_id for _, delivery_id in counted}) if counted else {}
    for event, delivery_id in counted:
        place = slot_of(left[delivery_id] or now.real), event.signal
        before = counts.get(place, Told(0, ""))
        counts[place] = Told(before.number + 1, max(before.detail, event.detail))
    store.outcomes.add(session, counts)
    kinds = {what for _, what in counts}
    if kinds & SENDERS_FAULT:
        said = sorted({told.detail for (_, what), told in counts.items() if what in SENDERS_FAULT})
        log.warning("emails refused for the sender's sake", reasons=_short(said))
    if kinds & _BRAKED:
        _brake(session, now)


def _short(said: Collection[str]) -> list[str]:
    return [without_addresses(words) for words in list(said)[:5]]


def _brake(session: Session, now: Now) -> None:
    came = came_lately(session, now.real)
    reason = brake(came)
    if reason and store.halts.brake(session, reason, now.real):
        log.error("sending stopped by the brake", reason=reason, go_on="flask --app wsgi sending go")


def refused_lately(session: Session, real_now: datetime) -> Told:
    """Return how many emails of the last day were refused for the sender's sake, and what was said of one of them."""
    found = [told for what, told in store.outcomes.since(session, real_now - WINDOW).items() if what in SENDERS_FAULT]
    return Told(sum(told.number for told in found), max((told.detail for told in found), default=""))


def came_lately(session: Session, real_now: datetime) -> Came:
    """Return what the brake sees: of the emails that left lately, how many came back."""
    found = store.outcomes.since(session, store.halts.watched_since(session, real_now - WINDOW))
    sent, complained, bounced = (
        found[what].number if what in found else 0 for what in (SENT, Signal.COMPLAINED, Signal.BOUNCED_HARD)
    )
    return Came(sent, complained, bounced)
