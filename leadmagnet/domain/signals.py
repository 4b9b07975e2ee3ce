"""What a provider tells us later: one vocabulary for all of them, and what each word means for the ledger.

Events come in any order and more than once. So a delivery's state is never counted on from the one before: it is the
strongest of all that is known, and the same whatever came first. Must not know: any provider's own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from leadmagnet.domain.status import DeliveryStatus, SubscriberStatus


class Signal(StrEnum):
    """One event, in our words."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED_HARD = "bounced_hard"  #: the address does not exist
    BOUNCED_SOFT = "bounced_soft"  #: the mailbox is full or away
    BLOCKED = "blocked"  #: our content or reputation, never the address's fault
    DROPPED = "dropped"  #: the provider did not try, for reasons of the sender's
    DROPPED_BOUNCED = "dropped_bounced"  #: it did not try, because the address had bounced for good before
    DROPPED_UNSUBSCRIBED = "dropped_unsubscribed"
    DROPPED_COMPLAINED = "dropped_complained"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    OPENED_MACHINE = "opened_machine"
    OPENED_UNKNOWN = "opened_unknown"
    OPENED_HUMAN = "opened_human"  #: likely, never sure
    CLICKED = "clicked"
    OTHER = "other"  #: kept, and without effect but that the provider knows the letter


_BOUNCES = (Signal.BOUNCED_HARD, Signal.BOUNCED_SOFT, Signal.BLOCKED)
_DROPS = (Signal.DROPPED, Signal.DROPPED_BOUNCED, Signal.DROPPED_UNSUBSCRIBED, Signal.DROPPED_COMPLAINED)

#: The state that a signal alone would give a delivery. Any event at all shows that the provider has taken the letter.
_STATES: Mapping[Signal, DeliveryStatus] = (
    dict.fromkeys(Signal, DeliveryStatus.SENT)
    | dict.fromkeys(_BOUNCES, DeliveryStatus.BOUNCED)
    | dict.fromkeys(_DROPS, DeliveryStatus.FAILED)
    | {Signal.DELIVERED: DeliveryStatus.DELIVERED}
)
#: Some servers accept first and bounce later; a letter that was delivered was not dropped.
_STRENGTH = (DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.DELIVERED, DeliveryStatus.BOUNCED)

#: A complaint beats a bounce, and that a wish to leave.
_GRAVITY = (SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)

#: What a signal says of the person. Blocks and drops for the sender's reasons say nothing.
PERSON_AFTER: Mapping[Signal, SubscriberStatus] = {
    Signal.BOUNCED_HARD: SubscriberStatus.BOUNCED,
    Signal.DROPPED_BOUNCED: SubscriberStatus.BOUNCED,
    Signal.COMPLAINED: SubscriberStatus.COMPLAINED,
    Signal.DROPPED_COMPLAINED: SubscriberStatus.COMPLAINED,
    Signal.UNSUBSCRIBED: SubscriberStatus.UNSUBSCRIBED,
    Signal.DROPPED_UNSUBSCRIBED: SubscriberStatus.UNSUBSCRIBED,
}


#: Our content, our reputation, our account: something for the clinic to mend, and never the address's fault.
SENDERS_FAULT = frozenset({Signal.BLOCKED, Signal.DROPPED})


_RANKS: Mapping[Signal, int] = {signal: _STRENGTH.index(state) for signal, state in _STATES.items()}


def delivery_after(signals: Iterable[Signal]) -> DeliveryStatus:
    """Return the state that some signals give a delivery. Raises ValueError for none."""
    return _STRENGTH[max(map(_RANKS.__getitem__, signals))]


def was_dropped(signal: Signal) -> bool:
    """Say whether the provider did not even try."""
    return signal in _DROPS


def gravest(facts: Iterable[SubscriberStatus]) -> SubscriberStatus:
    """Return what several facts about one person come to, whatever came first. Raises ValueError for none."""
    return max(facts, key=_GRAVITY.index)


def stronger(current: DeliveryStatus, told: DeliveryStatus, *, dropped_before: bool) -> DeliveryStatus:
    """Return the state of a delivery at `current` of which the provider's events say `told`.

    A delivery that we do not hold for sent (due again, unknown, given up) becomes what is told: that it was told at all
    shows that the letter was taken. `dropped_before`: its failure came from an event and not from us.
    """
    if current not in _STRENGTH or (current is DeliveryStatus.FAILED and not dropped_before):
        return told
    return max(current, told, key=_STRENGTH.index)
