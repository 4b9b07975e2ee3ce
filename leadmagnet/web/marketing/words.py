"""What the workspace says about people and emails: states, last things, next emails, days.

Must not know: requests, queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from leadmagnet.audience.groups import Group
from leadmagnet.audience.marks import Mark
from leadmagnet.audience.rows import Happened, Row
from leadmagnet.audience.titles import Titles
from leadmagnet.domain.status import DeliveryKind, SkipReason, SubscriberStatus
from leadmagnet.domain.zones import local_day, local_time
from leadmagnet.rendering.phrases import MONTHS, WEEKDAYS
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web.words import short_day

GROUPS: Mapping[Group, str] = {
    Group.WAITING: "Waiting to confirm",
    Group.ACTIVE: "Active",
    Group.HURT: "Hurt",
    Group.QUIET: "Gone quiet",
    Group.PAUSED: "Paused",
    Group.LEFT: "Left",
}
_BADGES: Mapping[Group, tuple[str, str]] = {
    Group.WAITING: ("wait", "Not confirmed"),
    Group.ACTIVE: ("on", "Active"),
    Group.HURT: ("bad", "Hurt"),
    Group.QUIET: ("", "Gone quiet"),
    Group.PAUSED: ("pause", "Paused"),
    Group.LEFT: ("out", "Left"),
}
_STOPPED: Mapping[str, tuple[str, str]] = {
    SubscriberStatus.BOUNCED: ("bad", "Unreachable"),
    SubscriberStatus.COMPLAINED: ("bad", "Complained"),
}
#: What is unusual about an address, as class and words of a badge.
MARKS: Mapping[Mark, tuple[str, str]] = {Mark.DISPOSABLE: ("wait", "Throwaway"), Mark.ROLE: ("", "Shared inbox")}
HELD_BY: Mapping[str, str] = {
    "network": "Too many from this network",
    "form": "Too many on this form",
    "everywhere": "Too many in all",
}
FELT: Mapping[str, str] = {"easy": "easy", "right": "just right", "hard": "hard", "hurt": "it hurt"}
_LAST: Mapping[str, str] = {
    "sign_up": "Signed up",
    "confirmed": "Confirmed",
    SubscriberStatus.UNSUBSCRIBED: "Left",
    SubscriberStatus.BOUNCED: "The address doesn’t take mail",
    SubscriberStatus.COMPLAINED: "Marked an email as spam",
    "hurt": "Said “it hurt”",
    "felt hurt": "Said “it hurt”",
    "paused": "Paused",
    "resumed": "Emails go on",
    "unreachable": "Emails came back",
    "reachable again": "Emails arrive again",
    "snoozed": "Asked for quiet",
    "changed days": "Changed the days",
    "went on": "Went on after it hurt",
    "next video now": "Asked for the next video",
    "started again": "Started again",
    "changed pace": "Changed the pace",
    "asked for a link": "Asked for a link",
    "took a copy": "Took a copy of their data",
    "asked to change the address": "Asked to change the address",
    "changed the address": "Changed the address",
    "note": "Wrote a note",
    "read whom to ask first": "Read whom to ask first",
}
_KINDS: Mapping[str, str] = {
    DeliveryKind.CONFIRMATION: "Confirmation",
    DeliveryKind.ALREADY_SUBSCRIBED: "“You are already in”",
    DeliveryKind.VIDEO: "Video",
    DeliveryKind.FINISHED: "Closing email",
    DeliveryKind.REMINDER: "Reminder",
    DeliveryKind.FRESH_LINK: "Link on request",
    DeliveryKind.NEW_ADDRESS: "Question at a new address",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Here and now, for words that depend on it: the clinic's zone and the course clock."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The clinic's date."""
        return local_day(self.now, self.zone)

    def day(self, day: date) -> str:
        """Return "today", "yesterday", "tomorrow" or "Sat 21 Nov", with the year where it is another."""
        near = {0: "today", -1: "yesterday", 1: "tomorrow"}.get((day - self.today).days)
        far = f" {day.year}" if abs(day - self.today) > timedelta(days=300) else ""
        return near or short_day(day) + far

    def long_day(self, day: date) -> str:
        """Return "Today, Monday 23 November"; "Friday 2 January 2026" in another year."""
        near = {0: "Today, ", -1: "Yesterday, "}.get((day - self.today).days, "")
        year = "" if day.year == self.today.year else f" {day.year}"
        return f"{near}{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}{year}"

    def when(self, at: datetime) -> str:
        """Return "today, 08:41"."""
        return f"{self.day(local_day(at, self.zone))}, {self.hour(at)}"

    def hour(self, at: datetime) -> str:
        """Return "08:41"."""
        return f"{local_time(at, self.zone):%H:%M}"


def badge(group: Group, status: str) -> tuple[str, str]:
    """Return class and words of a state."""
    return _STOPPED.get(status, _BADGES[group])


def kind(name: str) -> str:
    """Return what kind of email it is."""
    return _KINDS.get(name, name.replace("_", " ").capitalize())


def last_thing(last: Happened, titles: Titles, moment: Moment) -> str:
    """Return "Did side plank, yesterday"."""
    day = local_day(last.at, moment.zone)
    when = moment.when(last.at) if day == moment.today else moment.day(day)
    if last.kind == "watch":
        return f"Watched {low(titles.step(last.what))}, {when}"
    if last.kind.startswith("felt ") and last.kind != "felt hurt":
        return f"Did {low(titles.step(last.what))}, {when}"
    return f"{_LAST.get(last.kind, last.kind.capitalize())}, {when}"


def low(title: str) -> str:
    """Return a title in the middle of a sentence."""
    return title[:1].lower() + title[1:]


def next_email(row: Row, group: Group, total: int, moment: Moment) -> str:
    """Return "Video 3 Mon 7 Dec, 07:00", or why nothing comes."""
    if group is Group.LEFT:
        return "Nothing"
    if group is Group.WAITING:
        return "Nothing until confirmed"
    if group is Group.HURT:
        return "Stopped until somebody answers"
    if group is Group.PAUSED:
        return _pause_words(row.person, moment)
    if row.next is None:
        return _no_email_yet(row.person, group, moment)
    if row.next.held == SkipReason.SEQUENCE_PAUSED:
        return f"{_next_name(row.next, row.videos_sent, total)} when the sequence goes on"
    return f"{_next_name(row.next, row.videos_sent, total)} {moment.when(row.next.due_at)}"


def _no_email_yet(person: Subscriber, group: Group, moment: Moment) -> str:
    if group is Group.QUIET or not person.wants_reminders:
        return "No reminders any more"
    return f"Perhaps a reminder {moment.when(person.remind_at)}" if person.remind_at else "Nothing planned"


def _pause_words(person: Subscriber, moment: Moment) -> str:
    until = person.paused_until
    return f"Paused until {moment.day(local_day(until, moment.zone))}" if until else "Paused until resumed"


def _next_name(delivery: Delivery, sent: int, total: int) -> str:
    if delivery.kind == DeliveryKind.VIDEO:
        return f"Video {min(sent + 1, total)}"
    return kind(delivery.kind)
