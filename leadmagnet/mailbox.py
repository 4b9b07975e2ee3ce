"""The mailbox to which emails come back: read now and then, by one process at a time, and each email marked as read.

Must not know: what the emails say, which process asks.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import structlog

from leadmagnet import store
from leadmagnet.feedback.returned import take_email
from leadmagnet.hearing import hear
from leadmagnet.mail.imap import Account, MailboxAway, opened
from leadmagnet.mail.reports import MOST_BYTES
from leadmagnet.services import Services

__all__ = ["MailboxAway", "look", "take"]

log = structlog.get_logger(__name__)

LEASE = "mailbox"
#: A process that is silent for so long reads no more (seconds); between two looks of the worker.
LEASE_SECONDS = 300.0
LOOK_SECONDS = 60.0
#: Emails at one look; the rest waits for the next.
MOST = 200


def look(services: Services, holder: str) -> dict[str, Any]:
    """Read what nobody has read yet; return how many emails were what. Nothing without a mailbox, or while others read.

    An email is marked once its effect is committed: cut short between the two, it is taken in again and counts once.
    Raises MailboxAway.
    """
    url = services.config.imap_url
    if not url or not _is_ours(services, holder):
        return {}
    found: Counter[str] = Counter()
    try:
        with opened(Account.from_url(url)) as mailbox:
            for uid, raw in mailbox.unread(MOST, MOST_BYTES):
                found[take(services, raw)] += 1
                mailbox.mark_read(uid)
    finally:
        with store.writing(services.engine) as session:
            store.leases.release(session, LEASE, holder, services.clock.now().real)
    if found:
        log.info("mailbox read", **found)
    return dict(found)


def take(services: Services, raw: bytes) -> str:
    """Take in one email and let it take effect; return what it was."""
    now = services.clock.now()
    with store.writing(services.engine) as session:
        taken = take_email(session, raw, now, services.config.mail_unsubscribe)
    hear(services, now)
    return str(taken)


def _is_ours(services: Services, holder: str) -> bool:
    with store.writing(services.engine) as session:
        return store.leases.take(session, LEASE, holder, services.clock.now().real, LEASE_SECONDS)
