"""Failed emails, once more, because somebody of the clinic says so. Must not know: who asks, pages."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.schedule import local_day
from leadmagnet.domain.zones import zone
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber


def try_again(session: Session, ids: Iterable[int], now: Now) -> tuple[int, int]:
    """Make failed emails due now; return how many that was, and how many were left as they are.

    Left: reminders, emails that are not failed any more, and people who get another email today.
    """
    done = left = 0
    for row_id in ids:
        found = select(Subscriber.timezone).join(Delivery, Delivery.subscriber_id == Subscriber.id)
        name = session.scalar(found.where(Delivery.id == row_id))
        if name and store.dead_letters.try_again(session, row_id, now.course, local_day(now.course, zone(name))):
            done += 1
        else:
            left += 1
    return done, left
