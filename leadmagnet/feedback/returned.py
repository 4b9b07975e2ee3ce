"""What an email that came back means: a bounce or a complaint becomes an event, a wish to leave takes effect at once.

Must not know: mailboxes, how the email came in.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import Channel
from leadmagnet.domain.signals import Signal
from leadmagnet.feedback.leaving import leave
from leadmagnet.mail.headers import without_addresses
from leadmagnet.mail.reports import Report, leave_ids, parse, read_report
from leadmagnet.store.events import REPORTED

CHANNEL = Channel.MAILTO


class Taken(StrEnum):
    """What an email was."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    LEFT = "unsubscribe"
    NOTHING = "nothing"  #: no report, or one that names no delivery of ours; a person's words, spam, anything


def take_email(session: Session, raw: bytes, now: Now, mailbox: str) -> Taken:
    """Take in one email; `mailbox` is the address that List-Unsubscribe names. Taken in twice, it counts once."""
    message = parse(raw)
    if message is None:
        return Taken.NOTHING
    if (report := read_report(message)) is not None:
        store.events.add(session, [_row(report, now.real)])
        return Taken.COMPLAINT if report.signal is Signal.COMPLAINED else Taken.BOUNCE
    return Taken.LEFT if leave_by_ids(session, leave_ids(message, mailbox), now) else Taken.NOTHING


def leave_by_ids(session: Session, ids: list[str], now: Now) -> bool:
    """Stop all emails to the people whose ids these are; say whether there was any."""
    people = store.subscribers.by_leave_ids(session, ids)
    for person in people:
        leave(session, person, now, CHANNEL)
    return bool(people)


def _row(report: Report, real_now: datetime) -> dict[str, Any]:
    said = f"{report.delivery_id} {report.signal} {report.detail}"
    return {
        # The same report, sent twice or found in two mailboxes, is one event.
        "event_id": f"report-{hashlib.sha256(said.encode()).hexdigest()}",
        "provider": REPORTED,
        "public_id": report.delivery_id,
        "signal": str(report.signal),
        "at": real_now,
        "received_at": real_now,
        "email": "",
        "detail": without_addresses(report.detail),
        "raw": "",
    }
