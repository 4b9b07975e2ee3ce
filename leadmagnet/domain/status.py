"""States of a subscriber, an enrollment and a delivery, with one transition table each.

A state is what may happen next. Opens, clicks and complaints are facts with a time and live elsewhere.
Must not know: who asks, and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class SubscriberStatus(StrEnum):
    """Where a person stands with us."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


#: Who comes back by no form: their address takes no mail, or they have called it unwanted. The clinic may let them ask.
FOR_GOOD = (SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)
#: To whom nothing of the course goes any more. A stronger fact wins, whatever came first: complained, bounced, left.
STOPPED = (SubscriberStatus.UNSUBSCRIBED, *FOR_GOOD)


class EnrollmentStatus(StrEnum):
    """Where an enrollment in a sequence stands. Pauses belong to the subscriber, not to the enrollment."""

    ACTIVE = "active"
    FINISHED = "finished"
    STOPPED = "stopped"


class DeliveryStatus(StrEnum):
    """Where one email to one subscriber stands."""

    DUE = "due"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    SKIPPED = "skipped"


class DeliveryKind(StrEnum):
    """What an email is for. ANSWERS are sent because the person has this moment done something."""

    CONFIRMATION = "confirmation"
    ALREADY_SUBSCRIBED = "already_subscribed"
    VIDEO = "video"
    FINISHED = "finished"
    REMINDER = "reminder"
    FRESH_LINK = "fresh_link"
    NEW_ADDRESS = "new_address"


class SkipReason(StrEnum):
    """Why a delivery was never sent, or a reminder never made."""

    NOT_ACTIVE = "not_active"
    PAUSED = "paused"
    SNOOZED = "snoozed"
    HURT = "hurt"
    EXPIRED = "expired"
    VIDEO_TODAY = "video_today"
    DONE_TODAY = "done_today"
    WEEKLY_CAP = "weekly_cap"
    WEEKLY_PACE = "weekly_pace"
    STOPPED_ANSWERING = "stopped_answering"
    NO_CONSENT = "no_consent"
    MAILED_TODAY = "mailed_today"
    SUPERSEDED = "superseded"
    STEP_REMOVED = "step_removed"
    SEQUENCE_PAUSED = "sequence_paused"
    UNREACHABLE = "unreachable"
    SUPPRESSED = "suppressed"
    ADDRESS_TAKEN = "address_taken"


#: Kinds that answer what the person did this moment: exempt from "one automatic email a local day".
ANSWERS = frozenset(
    {
        DeliveryKind.CONFIRMATION,
        DeliveryKind.ALREADY_SUBSCRIBED,
        DeliveryKind.FRESH_LINK,
        DeliveryKind.NEW_ADDRESS,
    }
)

SUBSCRIBER_TRANSITIONS: Mapping[SubscriberStatus, frozenset[SubscriberStatus]] = {
    SubscriberStatus.PENDING: frozenset({SubscriberStatus.ACTIVE, *STOPPED}),
    SubscriberStatus.ACTIVE: frozenset(STOPPED),
    # Only the person can come back, by confirming again.
    SubscriberStatus.UNSUBSCRIBED: frozenset(
        {SubscriberStatus.ACTIVE, SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED}
    ),
    SubscriberStatus.BOUNCED: frozenset({SubscriberStatus.COMPLAINED}),
    SubscriberStatus.COMPLAINED: frozenset(),
}

DELIVERY_TRANSITIONS: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    # Due again, given up or dropped: an event can still show that the letter was taken after all.
    DeliveryStatus.DUE: frozenset(
        {
            DeliveryStatus.CLAIMED,
            DeliveryStatus.SKIPPED,
            DeliveryStatus.SENT,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.BOUNCED,
            DeliveryStatus.FAILED,
        }
    ),
    DeliveryStatus.CLAIMED: frozenset(
        {
            DeliveryStatus.DUE,
            DeliveryStatus.SENT,
            DeliveryStatus.FAILED,
            DeliveryStatus.SKIPPED,
            DeliveryStatus.UNKNOWN,
        }
    ),
    DeliveryStatus.UNKNOWN: frozenset(
        {
            DeliveryStatus.DUE,
            DeliveryStatus.SENT,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.BOUNCED,
            DeliveryStatus.FAILED,
            DeliveryStatus.SKIPPED,
        }
    ),
    DeliveryStatus.SENT: frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.BOUNCED, DeliveryStatus.FAILED}),
    # Some servers accept first and bounce later.
    DeliveryStatus.DELIVERED: frozenset({DeliveryStatus.BOUNCED}),
    DeliveryStatus.BOUNCED: frozenset(),
    DeliveryStatus.FAILED: frozenset(
        {DeliveryStatus.DUE, DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.BOUNCED}
    ),
    DeliveryStatus.SKIPPED: frozenset(),
}


def after(current: SubscriberStatus, fact: SubscriberStatus) -> SubscriberStatus:
    """Return the subscriber's state once `fact` has arrived; the same state where the table does not allow the step."""
    return fact if fact in SUBSCRIBER_TRANSITIONS[current] else current


def may_become(current: DeliveryStatus, wanted: DeliveryStatus) -> bool:
    """Say whether a delivery may go from `current` to `wanted`."""
    return wanted in DELIVERY_TRANSITIONS[current]
