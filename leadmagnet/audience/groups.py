"""The groups of the subscriber list. Everybody is in one of them, so that their counts add up.

A person who is hurt and has also paused counts as hurt: that is what somebody has to look at.
Must not know: how a group is shown.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, or_, true

from leadmagnet.domain.reminders import SILENCE_AFTER
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.subscribers import Subscriber


class Group(StrEnum):
    """Where a person stands, as the clinic looks at it."""

    WAITING = "waiting"  #: signed up, not confirmed
    ACTIVE = "active"
    HURT = "hurt"
    QUIET = "quiet"  #: no reminder had an answer, the last question included
    PAUSED = "paused"
    LEFT = "left"  #: unsubscribed, bounced or complained


def group_of(person: Subscriber, now: datetime) -> Group:
    """Return the group of one person."""
    if person.status == SubscriberStatus.PENDING:
        return Group.WAITING
    if person.status != SubscriberStatus.ACTIVE:
        return Group.LEFT
    if person.hurt_at is not None:
        return Group.HURT
    if person.paused_at is not None and (person.paused_until is None or person.paused_until > now):
        return Group.PAUSED
    return Group.QUIET if person.unanswered >= SILENCE_AFTER else Group.ACTIVE


def group_column(now: datetime) -> ColumnElement[str]:
    """Return the same rule as SQL: a column that holds the name of the group."""
    paused = and_(
        Subscriber.paused_at.is_not(None), or_(Subscriber.paused_until.is_(None), Subscriber.paused_until > now)
    )
    return case(
        (Subscriber.status == SubscriberStatus.PENDING, Group.WAITING.value),
        (Subscriber.status != SubscriberStatus.ACTIVE, Group.LEFT.value),
        (Subscriber.hurt_at.is_not(None), Group.HURT.value),
        (paused, Group.PAUSED.value),
        (Subscriber.unanswered >= SILENCE_AFTER, Group.QUIET.value),
        else_=Group.ACTIVE.value,
    )


def in_group(group: Group | None, now: datetime) -> ColumnElement[bool]:
    """Return the condition for one group; for None, everybody. The status comes first: it is what the index holds."""
    if group is None:
        return true()
    if group is Group.WAITING:
        return Subscriber.status == SubscriberStatus.PENDING
    active = Subscriber.status == SubscriberStatus.ACTIVE
    if group is Group.LEFT:
        stopped = (SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED)
        return Subscriber.status.in_(stopped)
    return and_(active, group_column(now) == group.value)
