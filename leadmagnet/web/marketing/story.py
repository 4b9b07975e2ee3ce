"""How the events of a timeline are told on the page: a headline, a reason, and a shape.

The shape says what kind of thing it is without colour: disc an email sent, mat something the person did, dotted ring
not sent, diamond hurt. Must not know: queries, requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from leadmagnet.audience import timeline
from leadmagnet.audience.timeline import Event
from leadmagnet.domain.sequence import Pace
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.rendering.phrases import WEEKDAYS
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web.marketing.words import FELT, Moment, kind, low

#: What a delivery's state adds to the kind of email.
_STATES: Mapping[str, str] = {
    DeliveryStatus.DUE: "comes",
    DeliveryStatus.CLAIMED: "going out now",
    DeliveryStatus.UNKNOWN: "may not have arrived",
    DeliveryStatus.SENT: "sent",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.BOUNCED: "came back",
    DeliveryStatus.FAILED: "failed",
    DeliveryStatus.SKIPPED: "not sent",
    timeline.NOT_SENT: "not sent",
}
#: Instants and dates as records hold them.
_STAMP = re.compile(r"\b\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?")
_WENT_OUT = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.CLAIMED)
_CONSENTS: Mapping[str, str] = {
    "requested": "Asked for emails; not yet confirmed",
    "confirmed": "Agreed to emails",
    "withdrawn": "Withdrew consent: all emails stopped",
    "withdrawn_in_part": "Withdrew consent to some emails",
    "stopped": "The address takes no mail: all emails stopped",
}
_ACTS: Mapping[str, str] = {
    "hurt": "Everything stopped, because it hurt",
    "went on": "Went on after it hurt",
    "paused": "Paused",
    "resumed": "Emails go on after a pause",
    "unreachable": "Five emails in a row came back: the mailbox was full or away",
    "reachable again": "Emails go on: the mailbox takes them again",
    "may come back": "May sign up again, because they asked you",
    "snoozed": "Asked for quiet: no reminders",
    "changed days": "Changed days and hour",
    "next video now": "Asked for the next video at once",
    "started again": "Started the videos again",
    "changed pace": "Changed how fast the videos come",
    "asked for a link": "Asked for a link by email",
    "took a copy": "Took a copy of everything we keep",
    "asked to change the address": "Asked for another address; it is to be confirmed there",
    "changed the address": "Changed the address",
    "note": "Wrote a note",
    "read whom to ask first": "Read whom to ask before starting",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the timeline. `shape`: sent, did, not, hurt, or empty for a plain ring."""

    hour: str
    when: str
    shape: str
    head: str
    why: str


def folded(events: Sequence[Event]) -> list[Event]:
    """Tell what happened in one act once: a sign-up with its consent request, 'it hurt' with what it stopped."""
    kept: list[Event] = []
    for event in events:
        last = kept[-1] if kept and kept[-1].at == event.at else None
        if last and last.kind == timeline.SIGN_UP and (event.kind, event.status) == (timeline.CONSENT, "requested"):
            kept[-1] = replace(last, wording=event.wording)
        elif not (last and _hurts(last, timeline.CHECK_IN) and _hurts(event, timeline.ACT)):
            kept.append(event)
    return kept


def _hurts(event: Event, kind_: str) -> bool:
    return (event.kind, event.status) == (kind_, "hurt")


def told(event: Event, here: Moment) -> Told:
    """Return how an event is told."""
    shape, head = _shape(event), _head(event)
    why = f"{_why(event)}{' The words they agreed to are on record.' if event.wording else ''}".strip()
    # What the person wrote stays as it was written.
    own_words = event.kind == timeline.CHECK_IN or event.status == "note"
    return Told(here.hour(event.at), here.when(event.at), shape, head, why if own_words else _plain(why, here))


def _plain(words: str, here: Moment) -> str:
    """Return a reason with its instants and dates as people write them, by the clinic's clocks."""

    def said(found: re.Match[str]) -> str:
        try:
            if "T" in found[0]:
                return here.when(datetime.fromisoformat(found[0]))
            return here.day(date.fromisoformat(found[0]))
        except ValueError:
            return found[0]  # no date after all

    return _STAMP.sub(said, words)


def _shape(event: Event) -> str:
    if event.kind == timeline.CHECK_IN:
        return "hurt" if event.status == "hurt" else "did"
    if event.kind in (timeline.WATCH, timeline.SIGN_UP, timeline.CONSENT, timeline.LINK):
        return "did"
    if event.kind == timeline.ACT:
        return {"hurt": "hurt", "unreachable": "not"}.get(event.status, "did")
    return "sent" if event.status in _WENT_OUT else "not"


def _head(event: Event) -> str:
    if event.kind == timeline.SIGN_UP:
        return "Signed up"
    if event.kind == timeline.CONSENT:
        return _CONSENTS.get(event.status, f"Consent {event.status}")
    if event.kind == timeline.WATCH:
        end = "to the end" if event.status == "100%" else f"as far as {event.status}"
        return f"Watched {low(event.title)} {end}"
    if event.kind == timeline.CHECK_IN:
        felt = FELT.get(event.status, event.status)
        return f"Said {low(event.title)} hurt" if event.status == "hurt" else f"Did {low(event.title)}: {felt}"
    if event.kind == timeline.ACT:
        return _ACTS.get(event.status, event.status.capitalize())
    if event.kind == timeline.LINK:
        return f"Followed a link in “{event.title}”" if event.title else "Followed a link"
    title = f": “{event.title}”" if event.title else ""
    return f"{kind(event.kind)} {_STATES.get(event.status, event.status)}{title}"


def _why(event: Event) -> str:
    if event.kind == timeline.CHECK_IN:
        wrote = f"Wrote: “{event.reason}” " if event.reason else ""
        return f"{wrote}{'Videos and reminders stopped.' if event.status == 'hurt' else ''}".strip()
    if event.kind == timeline.ACT and event.status == "hurt" and event.title:
        return f"{event.title}. Reminders are stopped and the next video waits. {event.reason}".strip()
    return event.reason


def hurt_words(events: Sequence[Event], person: Subscriber, here: Moment) -> str:
    """Return who said what hurt, and when: "Anna said side plank hurt, today, 08:41."."""
    name = person.first_name or "This person"
    checks = (e for e in reversed(events) if e.kind == timeline.CHECK_IN and e.status == "hurt")
    last = next(checks, None)
    what = f"{low(last.title)} hurt" if last else "it hurt"
    at = last.at if last else person.hurt_at
    return f"{name} said {what}, {here.when(at)}." if at else f"{name} said {what}."


def rhythm_words(person: Subscriber) -> str:
    """Return the exercise days, the hour and a pace of one's own: "Mon, Wed and Fri, at the usual hour"."""
    names = [WEEKDAYS[day][:3] for day in sorted(person.days)]
    days = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    hour = "the usual hour" if person.chosen_hour is None else f"{person.chosen_hour:02}:00"
    return f"{days}, at {hour}{'' if person.pace == Pace.USUAL else f', {person.pace} than planned'}"


def sunday(monday: date) -> date:
    """Return the last day of a week."""
    return monday + timedelta(days=6)
