"""Sign-ups that nobody confirmed are forgotten, and what has served: form rows, links on request, networks, proofs.

Must not know: when a pass does it.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.fresh_links import KEPT
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.services import Services
from leadmagnet.store.agenda import forgettable
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber

#: A sign-up that nobody confirmed is forgotten after this long (course time), once its link has run out (real time).
PENDING_LIVES = timedelta(days=30)
#: Rows a pass deletes at once.
PURGE_BATCH = 500


def purge(services: Services, now: Now) -> int:
    """Forget pending sign-ups that were never confirmed, form rows and links that have served; return how many rows."""
    before = now.course - PENDING_LIVES
    with store.writing(services.engine) as session:
        old = select(Subscriber.id).where(forgettable(before, now.real))
        gone = session.scalars(old.order_by(Subscriber.created_at).limit(PURGE_BATCH)).all()
        people = delete(Subscriber).where(Subscriber.id.in_(gone), Subscriber.status == SubscriberStatus.PENDING)
        session.execute(people.execution_options(synchronize_session=False))
        served = select(SignUp.id).where(SignUp.handled_at.is_not(None), SignUp.asked_at <= before)
        rows = session.scalars(served.order_by(SignUp.id).limit(PURGE_BATCH)).all()
        session.execute(delete(SignUp).where(SignUp.id.in_(rows)).execution_options(synchronize_session=False))
        store.held.forget_networks(session, now.real)
        store.proofs.forget(session, now.real)
        store.outcomes.forget(session, now.real)
        links = store.fresh_links.forget_old(session, now.real - KEPT, PURGE_BATCH)
    return len(gone) + len(rows) + links
