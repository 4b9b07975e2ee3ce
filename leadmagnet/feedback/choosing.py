"""Which kinds of emails a person wants: leaving one keeps the others, and taking one up again is a consent of its own.

Must not know: how the choice is shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import NOWHERE, ConsentKind, Origin, Purpose
from leadmagnet.domain.status import SkipReason, SubscriberStatus
from leadmagnet.feedback.answers import answered, drop_reminders, want_plan
from leadmagnet.feedback.leaving import leave
from leadmagnet.store.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Asked:
    """The words beside the boxes, as they were shown."""

    words: str
    language: str
    version: str = ""


def choose(
    session: Session,
    person: Subscriber,
    wanted: Collection[Purpose],
    asked: Asked,
    now: Now,
    *,
    channel: str,
    origin: Origin = NOWHERE,
) -> bool:
    """Let a person get these kinds of emails and no others; False where that is so already, or they are not active.

    Who wants none has left.
    """
    have = person.wanted
    more, fewer = frozenset(wanted) - have, have - frozenset(wanted)
    if person.status != SubscriberStatus.ACTIVE or not (more or fewer):
        return False
    if not wanted:
        return leave(session, person, now, channel, origin.ip, origin.user_agent)
    words = store.consents.keep_wording(session, asked.words, asked.language, now.course, asked.version)
    for kind, purposes in ((ConsentKind.WITHDRAWN, fewer), (ConsentKind.CONFIRMED, more)):
        if purposes:
            store.consents.record(
                session, person, kind, purposes, now.course, channel=channel, origin=origin, wording_id=words
            )
    answered(person, now.course)
    if Purpose.REMINDERS in fewer:
        drop_reminders(session, person.id, SkipReason.NO_CONSENT)
    if Purpose.VIDEOS in more | fewer:
        # The planner holds the next video, or dates it anew.
        want_plan(session, person.id)
    return True
