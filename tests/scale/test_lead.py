"""Who leads, without a broker: one at a time, another within ten seconds of a kill, at once after SIGTERM."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from leadmagnet import store
from leadmagnet.leadership import LEASE_SECONDS, Leadership
from leadmagnet.store.enrollments import Enrollment

pytestmark = pytest.mark.postgres


@pytest.mark.timeout(120)
def test_another_leads_after_a_kill_and_after_a_goodbye(fleet: Any) -> None:
    first, second, third = fleet.start(), fleet.start(), fleet.start()
    fleet.until(lambda: all("worker started" in fleet.said(number) for number in range(3)))
    by_pid = {worker.pid: worker for worker in (first, second, third)}
    leader = by_pid[fleet.leader()]

    leader.send_signal(signal.SIGKILL)
    leader.wait(timeout=10)
    fleet.until(lambda: fleet.leader() not in (None, leader.pid), seconds=10)
    leader = by_pid[fleet.leader()]

    fleet.stop(leader)
    # Given back, not run out: a lease that is only let go lasts longer than this.
    fleet.until(lambda: fleet.leader() not in (None, leader.pid), seconds=LEASE_SECONDS - 2)
    assert sum("leads" in fleet.said(number) for number in range(3)) == 3


@pytest.mark.timeout(120)
def test_everybody_sends_and_plans_what_follows(fleet: Any) -> None:
    fleet.mailbox.pause = 0.02
    for _ in range(2):
        fleet.start()
    fleet.until(lambda: all("worker started" in fleet.said(number) for number in range(2)))
    fleet.due(2000)
    fleet.until(lambda: fleet.all_sent(2000))
    assert set(fleet.mailbox.taken.values()) == {1}
    # A pass says what it did at its end.
    fleet.until(lambda: all("planned=" in fleet.said(number) for number in range(2)))


def lead(services: Any, name: str) -> Leadership:
    return Leadership(services.engine, name)


def test_one_leads_and_the_next_follows_when_it_has_left(services: Any) -> None:
    ann, ben = lead(services, "ann"), lead(services, "ben")
    ann.start()
    ben.start()
    assert (ann.leads, ben.leads) == (True, False)
    ann.stop()
    assert ann.leads is False
    ben.renew()
    assert ben.leads is True
    ben.stop()


def test_a_follower_writes_nothing(services: Any) -> None:
    lead(services, "ann").renew()
    with store.reading(services.engine) as session:
        before = session.get(store.leases.Lease, "leader")
    lead(services, "ben").renew()
    with store.reading(services.engine) as session:
        after = session.get(store.leases.Lease, "leader")
    assert before is not None
    assert after is not None
    assert (before.holder, before.seen_at) == (after.holder, after.seen_at)


def test_who_cannot_renew_stops_leading_by_itself(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away: nobody may believe that he leads when another one may have taken over."""
    moment = [100.0]
    monkeypatch.setattr("leadmagnet.leadership.time.monotonic", lambda: moment[0])
    ann = lead(services, "ann")
    ann.renew()
    store.leases.Lease.__table__.drop(services.engine)
    moment[0] += LEASE_SECONDS - 1
    ann.renew()
    assert ann.leads is True
    moment[0] += 1
    assert ann.leads is False


def test_a_pass_ends_when_it_is_told_to(services: Any, hand_clock: Any) -> None:
    """SIGTERM in a big hour: the pass stops after the batch in hand and leaves the rest due."""
    from leadmagnet.tick import FOLLOWER, tick

    with store.writing(services.engine) as session:
        session.execute(update(Enrollment).values(wants_plan=True))
    asked = []

    def going() -> bool:
        asked.append(datetime.now(UTC))
        return False

    done = tick(services, hand_clock.now, FOLLOWER, going)
    assert (done["claimed"], done["planned"]) == (0, 0)
    assert asked
