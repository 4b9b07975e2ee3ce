"""One batch of an import: sort out whom we know, write the others down in sets.

Must not know: files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience.import_rows import Candidate, Plan, Report
from leadmagnet.domain.consent import COURSE, Channel, ConsentKind, written
from leadmagnet.domain.status import DeliveryKind, SkipReason, SubscriberStatus
from leadmagnet.store.base import random_id
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import ERASED

_STOPPED: Mapping[str, str] = {
    SubscriberStatus.UNSUBSCRIBED: "This person has left. Only they can come back, by signing up again.",
    SubscriberStatus.BOUNCED: "This address does not take mail.",
    SubscriberStatus.COMPLAINED: "This person marked an email as spam.",
}
_SUPPRESSED = "This address stays stopped: its owner was erased, or it never took mail."


@dataclass(slots=True)
class Done:
    """What a batch comes to, for the writing in sets: new people, new consents, who begins the sequence."""

    new: list[Candidate] = field(default_factory=list)
    agreed: list[tuple[int, Candidate]] = field(default_factory=list)
    starting: list[int] = field(default_factory=list)


def write(session: Session, batch: Sequence[Candidate], plan: Plan, report: Report) -> None:
    """Write a batch in which no address comes twice."""
    barred = _suppressed(session, batch, plan)
    people = select(Subscriber).where(Subscriber.email_canonical.in_([c.canonical for c in batch])).with_for_update()
    known = {person.email_canonical: person for person in session.scalars(people)}
    enrolled = _enrolled(session, [person.id for person in known.values()], plan)
    done = Done()
    for candidate in batch:
        person = known.get(candidate.canonical)
        reason = barred.get(candidate.canonical)
        back = reason == ERASED and person is not None and person.confirmed_at is not None
        if reason and not back:
            report.reject(candidate.row, _SUPPRESSED)
        elif person is None:
            done.new.append(candidate)
        elif person.status in _STOPPED:
            report.reject(candidate.row, _STOPPED[person.status])
        else:
            changed = _meet(session, person, candidate, plan, done, in_sequence=person.id in enrolled)
            report.updated += changed
            report.unchanged += not changed
    made = _create(session, done.new, plan)
    report.created += len(made)
    _record_consent(session, [*made, *done.agreed], plan)
    _enroll(session, [*(person_id for person_id, _ in made), *done.starting], plan)
    session.flush()


def _meet(
    session: Session, person: Subscriber, candidate: Candidate, plan: Plan, done: Done, *, in_sequence: bool
) -> bool:
    """Bring what the file says to somebody we know, and say whether anything changed."""
    changed = _fill_in(person, candidate)
    if plan.sequence_id is None:
        return changed
    if person.status == SubscriberStatus.PENDING:
        _activate(session, person, plan)
        done.agreed.append((person.id, candidate))
        changed = True
    if not in_sequence:
        done.starting.append(person.id)
    return changed or not in_sequence


def _suppressed(session: Session, batch: Sequence[Candidate], plan: Plan) -> dict[str, str]:
    """Return why addresses are suppressed, by address."""
    return store.suppressions.reasons(session, plan.suppression_key, [candidate.canonical for candidate in batch])


def _enrolled(session: Session, ids: Sequence[int], plan: Plan) -> set[int]:
    if plan.sequence_id is None or not ids:
        return set()
    query = select(Enrollment.subscriber_id).where(
        Enrollment.subscriber_id.in_(ids), Enrollment.sequence_id == plan.sequence_id
    )
    return set(session.scalars(query))


def _fill_in(person: Subscriber, candidate: Candidate) -> bool:
    """Take over what the row says, never an empty value. Where a person came from stays what it was."""
    before = person.first_name, person.timezone
    person.first_name = candidate.first_name or person.first_name
    person.timezone = candidate.timezone or person.timezone
    return before != (person.first_name, person.timezone)


def _activate(session: Session, person: Subscriber, plan: Plan) -> None:
    """A pending person for whom the file brings consent and a sequence need not confirm any more."""
    person.status, person.confirmed_at = SubscriberStatus.ACTIVE, plan.now.course
    person.want(COURSE)
    asking = (Delivery.subscriber_id == person.id) & (Delivery.kind == DeliveryKind.CONFIRMATION)
    store.claims.skip_due(session, SkipReason.SUPERSEDED, asking)


def _create(session: Session, new: Sequence[Candidate], plan: Plan) -> list[tuple[int, Candidate]]:
    if not new:
        return []
    rows = [
        {
            "email": c.email,
            "email_canonical": c.canonical,
            "first_name": c.first_name,
            "status": SubscriberStatus.ACTIVE,
            "timezone": c.timezone or plan.clinic_zone,
            "source": c.source or plan.source,
            "leave_id": random_id(),
            "created_at": plan.now.course,
            "confirmed_at": plan.now.course,
        }
        for c in new
    ]
    statement = insert(Subscriber).returning(Subscriber.id, Subscriber.email_canonical)
    by_address = {c.canonical: c for c in new}
    return [(person_id, by_address[canonical]) for person_id, canonical in session.execute(statement, rows)]


def _record_consent(session: Session, agreed: Sequence[tuple[int, Candidate]], plan: Plan) -> None:
    if not agreed:
        return
    at = plan.now.course
    texts = {candidate.consent for _, candidate in agreed}
    wordings = {text: store.consents.keep_wording(session, text, plan.language, at) for text in sorted(texts)}
    rows = [
        {
            "subscriber_id": person_id,
            "email": candidate.email,
            "kind": ConsentKind.CONFIRMED,
            "purposes": written(COURSE),
            "wording_id": wordings[candidate.consent],
            "at": at,
            "effective_at": at,
            "channel": Channel.IMPORT,
            "form": candidate.source[:64],
            "detail": candidate.consent[:300],
        }
        for person_id, candidate in agreed
    ]
    session.execute(insert(ConsentEvent), rows)


def _enroll(session: Session, ids: Sequence[int], plan: Plan) -> None:
    """Begin the sequence: the planner dates video 1 at the next tick."""
    if plan.sequence_id is None or not ids:
        return
    rows = [{"subscriber_id": one, "sequence_id": plan.sequence_id, "started_at": plan.now.course} for one in ids]
    session.execute(insert(Enrollment), rows)
