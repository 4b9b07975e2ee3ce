"""One person's timeline: what happened, every email, and every reminder that stayed away, each with its reason.

Pages and the command `subscribers show` share it, so it is data: no HTML, no colours.
Must not know: how an event is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience.titles import Titles, titles_of
from leadmagnet.domain.consent import Channel, ConsentKind
from leadmagnet.domain.reminders import explain
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SkipReason
from leadmagnet.rendering.outside import BOOKING
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.decisions import Decision
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber

#: The kinds of events that are no emails; an email has its DeliveryKind, an act of somebody "act".
SIGN_UP, CONSENT, WATCH, CHECK_IN, ACT, LINK = "sign_up", "consent", "watch", "check_in", "act", "link"
#: The status of a reminder that was never made.
NOT_SENT = "not_sent"

_OUTCOMES: Mapping[str, str] = {
    "": "Waiting to be looked at.",
    "confirmation": "Asked to confirm.",
    "confirmation cool-down": "A confirmation was on its way already.",
    "confirmation cap": "Had been sent as many confirmations as there may be in a day.",
    "held": "Held for somebody to look at, because very many came at once.",
    "discarded": "Was held, because very many came at once, and then discarded.",
    "already_subscribed": "Was in already, and was told so.",
    "already_subscribed cool-down": "Was in already, and had been told so.",
    "suppressed": "The address stays stopped, so nothing was sent.",
    "stopped": "The address stays stopped, so nothing was sent.",
    "left since": "Left before anybody had looked at it, so nothing was sent.",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened at `at`, an aware instant in the zone asked for."""

    at: datetime
    kind: str
    status: str
    reason: str
    title: str = ""
    #: The id of the wording that a consent was about: evidence, and nothing to read.
    wording: str = ""


def timeline_of(session: Session, subscriber: Subscriber, zone: ZoneInfo) -> list[Event]:
    """Return everything there is about a person, oldest first; emails still due are among it, at their instant."""
    titles = titles_of(session)
    events = [
        *_sign_ups(session, subscriber),
        *_consents(session, subscriber),
        *(_delivery(row, titles) for row in store.deliveries.of_subscriber(session, subscriber.id)),
        *(_decision(row) for row in store.decisions.of_subscriber(session, subscriber.id)),
        *_watching(session, subscriber, titles),
        *(_check_in(row, titles) for row in store.check_ins.of_subscriber(session, subscriber.id)),
        *_acts(session, subscriber, titles),
        *_links(session, subscriber, titles),
    ]
    # sorted() is stable: within one moment the order above stands, which is the order of cause and effect.
    local = (replace(e, at=e.at.astimezone(zone)) for e in events)
    return sorted(local, key=lambda event: event.at)


def _sign_ups(session: Session, person: Subscriber) -> Iterator[Event]:
    forms = {form.slug: form.title for form in session.scalars(select(store.forms.Form))}
    query = select(SignUp).where(SignUp.email_canonical == person.email_canonical).order_by(SignUp.id)
    for row in session.scalars(query):
        page = f", on {row.page}" if row.page else ""
        reason = f"On the form “{forms.get(row.form, row.form)}”{page}. {_OUTCOMES.get(row.outcome, '')}".strip()
        yield Event(row.asked_at, SIGN_UP, row.outcome or "waiting", reason)


def _consents(session: Session, person: Subscriber) -> Iterator[Event]:
    for event in store.consents.events_of(session, person.id):
        yield Event(event.at, CONSENT, _consent_status(event), _consent_words(event), wording=event.wording_id or "")


def _consent_status(event: ConsentEvent) -> str:
    """Return the event's kind; who withdraws everything goes for good."""
    in_part = event.kind == ConsentKind.WITHDRAWN and event.channel == Channel.OWN_PAGE and event.wording_id
    return "withdrawn_in_part" if in_part else event.kind


def _consent_words(event: ConsentEvent) -> str:
    names = event.purposes.split()
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    parts = [f"For {listed}."] if event.kind != ConsentKind.STOPPED else []
    form = f" {event.form}" if event.form else ""
    way = "On the" if event.channel == Channel.OWN_PAGE else "By"
    if event.channel != Channel.MARKETER or not event.detail:  # which names the marketer
        parts.append(f"On the form{form}." if event.channel == Channel.FORM else f"{way} {event.channel}.")
    if event.detail:
        parts.append(f"{event.detail[0].upper()}{event.detail[1:]}.")
    return " ".join(parts)


def _delivery(row: Delivery, titles: Titles) -> Event:
    title = titles.subject(row.step_id, row.text_slug, row.kind)
    return Event(row.sent_at or row.due_at, row.kind, row.status, _why(row), title)


def _why(row: Delivery) -> str:
    reason = _sentence(row.reason)
    if row.status == DeliveryStatus.SKIPPED and row.skip_reason:
        return explained(row.skip_reason)
    if row.status == DeliveryStatus.DUE and row.held:
        return f"{reason} Held: {explained(row.held)}".strip()
    if row.status in (DeliveryStatus.FAILED, DeliveryStatus.BOUNCED, DeliveryStatus.UNKNOWN) and row.detail:
        return f"{reason} {_sentence(row.detail)}".strip()
    again = f" Sent again {row.resent} time{'s' if row.resent > 1 else ''}, to be sure." if row.resent else ""
    return reason + again


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.?!' else '.'}" if text else ""


def explained(reason: str) -> str:
    """Return the sentence for a recorded reason; a reason of a later version is shown as it stands."""
    try:
        return explain(SkipReason(reason))
    except ValueError:
        return _sentence(reason.replace("_", " "))


def _decision(row: Decision) -> Event:
    often = f" {row.times} days, the last on {row.last_day:%-d %B %Y}." if row.times > 1 else ""
    return Event(row.at, DeliveryKind.REMINDER, NOT_SENT, explained(row.reason) + often)


def _watching(session: Session, person: Subscriber, titles: Titles) -> Iterator[Event]:
    for row in store.watching.of_subscriber(session, person.id):
        yield Event(row.last_at, WATCH, f"{row.percent}%", "", titles.step(row.step_slug))


def _check_in(row: CheckIn, titles: Titles) -> Event:
    return Event(row.at, CHECK_IN, row.felt, row.note, titles.step(row.step_slug))


def _acts(session: Session, person: Subscriber, titles: Titles) -> Iterator[Event]:
    for row in store.activities.of_subscriber(session, person.id):
        who = "" if row.actor == "subscriber" else f"By {row.actor}."
        slugged = row.kind in ("hurt", "next video now")
        detail = "" if slugged else _sentence(row.detail)
        yield Event(row.at, ACT, row.kind, f"{detail} {who}".strip(), titles.step(row.detail) if slugged else "")


def _links(session: Session, person: Subscriber, titles: Titles) -> Iterator[Event]:
    for at, url, email in store.clicks.by_people(session, person.id):
        title = titles.subject(email.step_id, email.text_slug, email.kind) if email else ""
        yield Event(at, LINK, "followed", "The clinic’s booking page." if url == BOOKING else url, title)
