"""The record of consent: one person's proof, ready to print, and everybody's as a file.

Must not know: how a proof is put together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from flask import Response, abort, render_template, stream_with_context
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience.proof import Entry, instant, proof_of
from leadmagnet.audience.proof_export import csv_lines, json_parts
from leadmagnet.domain.consent import Channel, ConsentKind, Purpose
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing.desk import blueprint, editors, moment, owners
from leadmagnet.web.marketing.words import Moment

PURPOSES = {Purpose.VIDEOS: "videos", Purpose.REMINDERS: "reminders", Purpose.NEWS: "clinic news"}
STANDINGS = {
    SubscriberStatus.PENDING: "not confirmed",
    SubscriberStatus.ACTIVE: "active",
    SubscriberStatus.UNSUBSCRIBED: "has left",
    SubscriberStatus.BOUNCED: "the address takes no mail",
    SubscriberStatus.COMPLAINED: "has complained",
}
_HEADS = {
    ConsentKind.REQUESTED: "Asked for",
    ConsentKind.CONFIRMED: "Agreed to",
    ConsentKind.WITHDRAWN: "Withdrew",
    ConsentKind.STOPPED: "Stopped, because the address took no mail:",
}
_CHANNELS: dict[str, str] = {
    Channel.FORM: "The form was sent",
    Channel.CONFIRMATION: "The button behind the confirmation link was pressed",
    Channel.IMPORT: "Taken over by an import",
    Channel.OWN_PAGE: "The boxes on the own page",
    Channel.LEAVE_PAGE: "The button on the unsubscribe page",
    Channel.ONE_CLICK: "One-click unsubscribe in the mail program",
    Channel.MAILTO: "An email to the unsubscribe address",
    Channel.PROVIDER: "Told by the mail provider",
    Channel.COMPLAINT: "Marked an email as spam",
    Channel.BOUNCE: "Mail came back for good",
    Channel.MARKETER: "Done in the workspace",
    Channel.COMMAND: "Done by a command",
}


@blueprint.get("/subscribers/<int:number>/consent")
@editors
def consent(number: int) -> str:
    """Show one person's proof of consent."""
    here = moment()
    with store.reading(services().engine) as session:
        person = session.get(Subscriber, number) if number < 2**63 else None
        if person is None:
            abort(404)
        proof = proof_of(session, person)
        return render_template(
            "marketing/consent.html",
            person=person,
            granted=named(proof.granted),
            entries=[_told(entry, here) for entry in proof.entries],
            wordings=[(one, _when(one.first_used_at, here), _paragraphs(one.text)) for one in proof.wordings],
            made=_when(here.now, here),
            state=STANDINGS[SubscriberStatus(person.status)],
        )


def named(purposes: frozenset[Purpose]) -> str:
    """Return purposes as people read them: "videos, reminders and clinic news"."""
    listed = [name for purpose, name in PURPOSES.items() if purpose in purposes]
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)


def _told(entry: Entry, here: Moment) -> dict[str, object]:
    """Return one event for the page: its head, and its facts by name."""
    event = entry.event
    wording = entry.wording
    version = f", version {wording.version}" if wording and wording.version else ""
    facts = {
        "When": _when(event.at, here),
        "Took effect": _when(event.effective_at, here) if event.effective_at else "",
        "How": _CHANNELS.get(event.channel, event.channel) + (f" ({event.detail})" if event.detail else ""),
        "Address then": event.email,
        "Form": event.form,
        "Page": event.page,
        "Wording": f"{wording.id}{version}" if wording else "",
        "Network address": event.ip,
        "Browser": event.user_agent,
        "Link": event.token_id,
        "Agreed to after it": named(entry.granted) or "nothing",
        "Standing after it": STANDINGS[entry.status],
    }
    return {
        "head": f"{_HEADS[ConsentKind(event.kind)]} {named(entry.purposes)}",
        "facts": [(name, text) for name, text in facts.items() if text],
    }


def _paragraphs(text: str) -> list[str]:
    """Return a wording's paragraphs: where lines break within one is no part of the words."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _when(at: datetime, here: Moment) -> str:
    """Return an instant as the clinic's clocks show it, and in UTC: a proof outlives rules of time zones."""
    local = at.astimezone(here.zone)
    return f"{local:%-d %B %Y, %H:%M:%S} ({instant(at)})"


@blueprint.get("/consents.csv")
@owners
def consents_csv() -> Response:
    """Send everybody's consents as a file, a line for each event."""
    return _file(csv_lines, "csv", "text/csv")


@blueprint.get("/consents.json")
@owners
def consents_json() -> Response:
    """Send everybody's proofs as a file."""
    return _file(json_parts, "json", "application/json")


def _file(parts_of: Callable[[Session], Iterator[str]], ending: str, kind: str) -> Response:
    engine = services().engine

    def parts() -> Iterator[str]:
        with store.reading(engine) as session:
            yield from parts_of(session)

    response = Response(stream_with_context(parts()), mimetype=kind)
    name = f"consents-{now().course:%Y-%m-%d}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
