"""subscribers list, show, pause, resume. Import, export and erase are in lists.py."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience.timeline import Event, timeline_of
from leadmagnet.cli.shell import Failure, Group, as_json, iso, services, show
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.domain.zones import zone
from leadmagnet.feedback import steering
from leadmagnet.feedback.reach import lift
from leadmagnet.signup.addresses import BadAddress, parse_address
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.sequences import Sequence
from leadmagnet.store.subscribers import Subscriber

#: Rows read at once while listing.
PAGE = 1000
ACTOR = "command line"

subscribers = Group("subscribers", help="The people who signed up.")


@subscribers.command("list")
@click.option("--status", type=click.Choice([status.value for status in SubscriberStatus]), help="Only these.")
@as_json
def list_command(status: str | None, json_out: bool) -> None:
    """List everybody, oldest first."""
    rows: list[dict[str, Any]] = []
    with store.reading(services().engine) as session:
        last = 0
        while page := _page(session, status, last):
            rows.extend(_brief(person) for person in page)
            last = page[-1].id
    words = [f"{row['status']:<13} {row['email']:<40} {row['first_name']}".rstrip() for row in rows]
    show(rows, json_out, "\n".join(words) if words else "Nobody here yet.")


def _page(session: Session, status: str | None, after_id: int) -> list[Subscriber]:
    query = select(Subscriber).where(Subscriber.id > after_id).order_by(Subscriber.id).limit(PAGE)
    return list(session.scalars(query.where(Subscriber.status == status) if status else query))


def _brief(person: Subscriber) -> dict[str, Any]:
    return {
        "email": person.email,
        "first_name": person.first_name,
        "status": person.status,
        "timezone": person.timezone,
        "source": person.source,
        "created_at": iso(person.created_at),
    }


def find(session: Session, email: str) -> Subscriber:
    """Return the subscriber at an address, however it is spelled. Raises Failure."""
    try:
        canonical = parse_address(email).canonical
    except BadAddress as error:
        raise Failure(f"{email}: {error}") from error
    person = store.subscribers.by_canonical(session, canonical)
    if person is None:
        raise Failure(f"nobody here has the address {email}.")
    return person


@subscribers.command("show")
@click.argument("email")
@as_json
def show_command(email: str, json_out: bool) -> None:
    """Show one subscriber with the timeline."""
    with store.reading(services().engine) as session:
        person = find(session, email)
        events = [
            {"at": iso(event.at), "kind": event.kind, "status": event.status, "reason": _reason(event)}
            for event in timeline_of(session, person, zone(person.timezone))
        ]
        result = _brief(person) | {"enrollments": _enrollments(session, person), "timeline": events}
        result["paused"], result["hurt"] = person.paused_at is not None, person.hurt_at is not None
        result["unreachable"] = person.unreachable_at is not None
    words = [f"{result['email']}  {result['status']}  {result['timezone']}"]
    words += [f"{event['at']}  {event['kind']:<20} {event['status']:<12} {event['reason']}" for event in events]
    show(result, json_out, "\n".join(words))


def _reason(event: Event) -> str:
    """Return why; with a consent, the id of its wording in the database, for whoever has to prove it."""
    return f"{event.reason} Wording {event.wording}." if event.wording else event.reason


def _enrollments(session: Session, person: Subscriber) -> list[dict[str, Any]]:
    query = (
        select(Enrollment, Sequence.slug)
        .join(Sequence, Sequence.id == Enrollment.sequence_id)
        .where(Enrollment.subscriber_id == person.id)
        .order_by(Enrollment.id)
    )
    return [
        {
            "sequence": slug,
            "number": enrollment.number,
            "status": enrollment.status,
            "started_at": iso(enrollment.started_at),
            "finished_at": iso(enrollment.finished_at) if enrollment.finished_at else None,
        }
        for enrollment, slug in session.execute(query)
    ]


@subscribers.command("pause")
@click.argument("email")
@as_json
def pause(email: str, json_out: bool) -> None:
    """Pause all emails to EMAIL until somebody resumes."""
    parts = services()
    with store.writing(parts.engine) as session:
        person = find(session, email)
        steering.pause(session, person, parts.clock.now().course, None, actor=ACTOR)
    show({"email": email, "paused": True}, json_out, f"{email}: paused.")


@subscribers.command("resume")
@click.argument("email")
@as_json
def resume(email: str, json_out: bool) -> None:
    """Let emails to EMAIL come again: after a pause, after 'it hurt', or though several came back."""
    parts = services()
    with store.writing(parts.engine) as session:
        person = find(session, email)
        now = parts.clock.now()
        lift(session, person.id, now, actor=ACTOR)
        steering.resume(session, person, now.course, actor=ACTOR)
        steering.go_on(session, person, now.course, actor=ACTOR)
    show({"email": email, "paused": False}, json_out, f"{email}: resumed.")
