"""One pass of everything due: sign-ups, plans, reminders, sending, sweeping, tidying up. Drains until nothing is left.

Several workers share the pass: the one that leads plans, all send (`Part`). That spares work; it is not what keeps them
apart: claims, locks and unique rows do. So the command `tick` needs no lead, and two leaders would do no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from leadmagnet import erasing, fading, old_rows, store
from leadmagnet.abreast import Abreast, Mailers
from leadmagnet.clock import Now, real_now
from leadmagnet.delivery import by_domain
from leadmagnet.delivery.direct import send_due
from leadmagnet.delivery.send import Post
from leadmagnet.delivery.settle import Tally
from leadmagnet.delivery.sweep import sweep
from leadmagnet.domain.status import SkipReason
from leadmagnet.enrollment.plan import overdue_want_plan, plan_enrollments
from leadmagnet.feedback.clicks import look_again
from leadmagnet.feedback.steering import end_pauses
from leadmagnet.from_config import guard_from, post_of
from leadmagnet.hearing import hear
from leadmagnet.looking import Looks, agenda
from leadmagnet.purge import purge
from leadmagnet.reminders.remind import remind
from leadmagnet.services import Services
from leadmagnet.signup.process import MOST_ANSWERED, process_sign_ups
from leadmagnet.store.agenda import Agenda

#: With one SQLite file for visitors and worker: emails a batch, and the pause after it (seconds). A file has one writer
#: at a time, and who waits for it looks again every two milliseconds: so batches are short, and between them there is
#: room. Measured by benchmarks/visitors.py.
SHARED_BATCH, SHARED_PAUSE = 150, 0.01
#: And sign-ups that are answered in one transaction, while other visitors wait to send theirs.
SHARED_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """What of the pass a process does."""

    leads: bool = True
    """Sign-ups, pauses, reminders, the sweep, the purge and what moves out of the ledger."""
    plans: bool = True
    """The next email of each enrollment that asks for one. What follows an email is planned by whoever has sent it."""
    sends: bool = True
    """Claims and sends by itself."""


ALL = Part()
#: One of several workers, while another one leads.
FOLLOWER = Part(leads=False, plans=False)
#: The leader, where a broker carries plans and batches to the workers.
LEADER_OF_MANY = Part(plans=False, sends=False)


def always() -> bool:
    """Let a pass go on to its end."""
    return True


def tick(
    services: Services,
    clock: Callable[[], Now],
    part: Part = ALL,
    going: Callable[[], bool] = always,
    beside: Mailers = list,
) -> dict[str, Any]:
    """Do everything that is due and return the counts of the contract's `tick` command.

    `going` is asked between batches: once it says no, the pass ends with the batch in hand. `beside` makes mailers for
    as many other senders as may share a big hour.
    """
    tally, post = Tally(), post_of(services)
    while part.leads and going() and by_domain.tidy_up(services.engine, post.limits, clock()):
        pass
    waits = agenda(services, clock())
    # Before the leases: what the provider has told settles more surely than the end of a lease.
    if part.leads and waits.events:
        hear(services, clock())
    while part.leads and going() and waits.leases and sweep(post, clock(), tally):
        waits = agenda(services, clock())
    with Abreast(post, clock, going, beside) as others:
        planned, claimed, waits = _drain(services, clock, tally, post, part, going, waits, others)
    if part.leads:
        _tidy_up(services, clock, going, waits)
    return {
        "now": clock().course.isoformat().replace("+00:00", "Z"),
        "planned": planned + tally.planned,
        "claimed": claimed,
        "sent": tally.sent,
        "failed": tally.failed,
        "unknown": tally.unknown,
        "skipped": {str(reason): count for reason, count in sorted(tally.skipped.items())},
    }


def _drain(
    services: Services,
    clock: Callable[[], Now],
    tally: Tally,
    post: Post,
    part: Part,
    going: Callable[[], bool],
    waits: Agenda,
    others: Abreast,
) -> tuple[int, int, Agenda]:
    """Plan and send until nothing is left; return rows planned, rows claimed, and what waits then."""
    planned = claimed = 0
    shares = shares_file(services)
    looks = Looks(services, clock, waits)
    while going() and (waits.anything or others):
        done = answers(services, clock, tally, post, part, going, waits) if waits.sign_ups or waits.answers else 0
        planned_now = _plan(services, clock(), tally, part, going, waits)
        letters = 0
        if part.sends and going():
            letters = send_due(post, clock, 1, tally, limit=SHARED_BATCH if shares else None)
            if letters == post.mailer.batch_size:
                others.begin()
            done += letters
        if shares:
            time.sleep(SHARED_PAUSE)
        planned, claimed = planned + planned_now, claimed + done
        if not (done or planned_now):
            # What the others have sent may have made something due.
            if not others:
                break
            claimed += others.end(tally)
        waits = looks.again(full=letters == post.mailer.batch_size)
    return planned, claimed + others.end(tally), waits


def shares_file(services: Services) -> bool:
    """Say whether visitors and worker write to one SQLite file."""
    return services.config.run_worker_in_web and services.engine.dialect.name == "sqlite"


def answers(
    services: Services,
    clock: Callable[[], Now],
    tally: Tally,
    post: Post,
    part: Part = ALL,
    going: Callable[[], bool] = always,
    waits: Agenda | None = None,
) -> int:
    """Handle sign-ups and send what answers people: a lane of its own that never waits behind a big hour.

    `waits`, where the caller has just looked, spares a look.
    """
    waits = waits or agenda(services, clock())
    handled = _handle_sign_ups(services, clock, going) if part.leads and waits.sign_ups else 0
    claimed = 0
    while part.sends and (handled or waits.answers) and going() and (done := send_due(post, clock, 0, tally)):
        claimed += done
        if done < post.mailer.batch_size and not agenda(services, clock()).answers:
            break
    return claimed


def _handle_sign_ups(services: Services, clock: Callable[[], Now], going: Callable[[], bool]) -> int:
    """Handle what forms have brought, in short transactions; return how many were weighed."""
    config, shares, count = services.config, shares_file(services), 0
    most = SHARED_ANSWERS if shares else MOST_ANSWERED
    while going():
        with store.writing(services.engine) as session:
            weighed = process_sign_ups(
                session,
                clock(),
                clinic_zone=config.clinic_timezone,
                suppression_key=config.suppression_key,
                guard=guard_from(config),
                most=most,
            )
        count += weighed
        if shares:
            time.sleep(SHARED_PAUSE)
        if weighed < most:
            break
    return count


def _plan(services: Services, now: Now, tally: Tally, part: Part, going: Callable[[], bool], waits: Agenda) -> int:
    """Plan what may be planned at this instant, in short transactions; return how many rows were looked at."""
    planned = 0
    if part.leads and (waits.pauses or waits.overdue):
        with store.writing(services.engine) as session:
            end_pauses(session, now.course)
            if expired := overdue_want_plan(session, now.course):
                tally.skipped[SkipReason.EXPIRED] += expired
        waits = agenda(services, now)
    for mine, wanted, work in ((part.plans, waits.plans, plan), (part.leads, waits.reminders, _remind)):
        while mine and wanted and going() and (done := work(services, now)):
            planned += done
    return planned


def plan(services: Services, now: Now) -> int:
    """Plan for one batch of enrollments and return how many there were."""
    with store.writing(services.engine, durable=False) as session:
        return plan_enrollments(session, now.course, SHARED_BATCH if shares_file(services) else 1000)


def _remind(services: Services, now: Now) -> int:
    with store.writing(services.engine, durable=False) as session:
        return remind(session, now.course)


def _tidy_up(services: Services, clock: Callable[[], Now], going: Callable[[], bool], waits: Agenda) -> None:
    while going() and waits.clicks and _look_at_clicks(services, clock()):
        waits = agenda(services, clock())
    while going() and waits.stale and purge(services, clock()):
        waits = agenda(services, clock())
    old_rows.move_some(services, clock, going, old_rows.SHARED if shares_file(services) else old_rows.ALONE)
    fading.fade_some(services, clock, going)
    erasing.finish(services, clock())
    # The age of a file is told by the machine's clock, whichever one this pass runs on.
    erasing.forget_files(services, real_now())


def _look_at_clicks(services: Services, now: Now) -> int:
    with store.writing(services.engine, durable=False) as session:
        return look_again(session, now)
