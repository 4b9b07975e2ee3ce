"""Leases, the course clock's anchor, runs of decisions, halts, suppressions, wordings."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadmagnet import store
from leadmagnet.clock import END, Anchor, Clock
from leadmagnet.domain.status import SkipReason


def later(ledger: Any, seconds: float) -> datetime:
    return ledger.at + timedelta(seconds=seconds)


def test_a_lease_is_taken_renewed_lost_and_given_back(ledger: Any) -> None:
    take, release = store.leases.take, store.leases.release
    assert ledger.do(take, "worker", "ann", ledger.at, 10) is True
    assert ledger.do(take, "worker", "ben", later(ledger, 9), 10) is False
    assert ledger.do(take, "worker", "ann", later(ledger, 9), 10) is True, "renewed"
    assert ledger.do(take, "worker", "ben", later(ledger, 18), 10) is False
    assert ledger.do(take, "worker", "ben", later(ledger, 19), 10) is True, "over, so another may have it"
    assert ledger.do(take, "worker", "ann", later(ledger, 20), 10) is False
    ledger.do(release, "worker", "ann", later(ledger, 20))
    assert ledger.do(take, "worker", "ann", later(ledger, 20), 10) is False, "only the holder gives back"
    ledger.do(release, "worker", "ben", later(ledger, 20))
    assert ledger.do(take, "worker", "ann", later(ledger, 20), 10) is True
    assert ledger.do(take, "other", "ben", later(ledger, 20), 10) is True, "another duty is another lease"
    with store.reading(ledger.engine) as session:
        assert store.leases.last_seen(session, "worker") == later(ledger, 20)
        assert store.leases.last_seen(session, "nobody") is None


def test_one_of_many_gets_a_new_lease(ledger: Any) -> None:
    """Nobody had the duty before, and all ask at once: an insert decides."""
    ready, won = threading.Barrier(3), []

    def ask(name: str) -> None:
        ready.wait(timeout=10)
        won.append(ledger.do(store.leases.take, "worker", name, ledger.at, 10))

    threads = [threading.Thread(target=ask, args=(f"holder-{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(won) == [False, False, True]


def test_an_ordinary_clock_needs_no_anchor(ledger: Any) -> None:
    assert ledger.do(store.clocks.anchor, ledger.at, 1.0) is None


def test_a_time_lapse_is_kept_over_a_restart(ledger: Any) -> None:
    first = ledger.do(store.clocks.anchor, ledger.at, 8640.0)
    again = ledger.do(store.clocks.anchor, later(ledger, 60), 8640.0)
    assert first == again == Anchor(ledger.at, ledger.at, 8640.0)
    assert again.course(later(ledger, 10)) == ledger.at + timedelta(days=1)


def test_the_course_never_goes_back_when_the_rate_changes(ledger: Any) -> None:
    ledger.do(store.clocks.anchor, ledger.at, 8640.0)
    reached = ledger.at + timedelta(days=2)
    calm = ledger.do(store.clocks.anchor, later(ledger, 20), 1.0)
    assert calm.course(later(ledger, 20)) == reached, "at the ordinary rate it goes on from where it stood"
    assert calm.course(later(ledger, 30)) == reached + timedelta(seconds=10)
    fast = ledger.do(store.clocks.anchor, later(ledger, 30), 60.0)
    assert fast.course(later(ledger, 31)) == reached + timedelta(seconds=70)


def test_a_fast_clock_stops_before_there_are_no_more_dates() -> None:
    real = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    for rate, years in ((1_000_000.0, 1), (1e300, 1), (8640.0, 7000)):
        shown = Anchor(real, real, rate).course(real + timedelta(days=365 * years))
        assert shown == END


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(1, 1e5)), min_size=1, max_size=8))
def test_an_anchor_moved_at_any_moment_never_jumps(moves: list[tuple[float, float]]) -> None:
    """The same arithmetic as the table's, over any run of restarts with any rates."""
    real = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
    anchor = Anchor(real, real, 1.0)
    for seconds, rate in moves:
        before = anchor.course(real)
        real += timedelta(seconds=seconds)
        shown = anchor.course(real)
        assert shown >= before
        anchor = Anchor(real, shown, rate)
        assert anchor.course(real) == shown


def test_the_clock_asks_for_its_anchor_once(ledger: Any) -> None:
    asked = []

    def find() -> Anchor:
        asked.append(1)
        return Anchor(ledger.at, ledger.at + timedelta(days=5), 2.0)

    clock = Clock(find)
    one, two = clock.now(), clock.now()
    assert len(asked) == 1
    assert two.course - one.course == 2 * (two.real - one.real)


def test_a_run_of_one_reason_is_one_row(ledger: Any) -> None:
    person, monday = ledger.people(1)[0], date(2026, 3, 2)
    days = [
        (SkipReason.SNOOZED, 0),
        (SkipReason.SNOOZED, 0),
        (SkipReason.SNOOZED, 2),
        (SkipReason.VIDEO_TODAY, 4),
        (SkipReason.SNOOZED, 7),
    ]
    for reason, after in days:
        with store.writing(ledger.engine) as session:
            last = store.decisions.newest(session, [person]).get(person)
            at = ledger.at + timedelta(days=after)
            run = store.decisions.after(last, reason, at, monday + timedelta(days=after))
            store.decisions.keep(session, {person: [run]})
    with store.reading(ledger.engine) as session:
        runs = store.decisions.of_subscriber(session, person)
    assert [(run.reason, run.times, run.first_day.day, run.last_day.day) for run in runs] == [
        ("snoozed", 2, 2, 4),
        ("video_today", 1, 6, 6),
        ("snoozed", 1, 9, 9),
    ]
    assert runs[0].at == ledger.at


def test_a_halt_keeps_its_beginning_and_is_lifted(ledger: Any) -> None:
    ledger.do(store.halts.stop, "wrong key " * 60, ledger.at, later(ledger, 60))
    ledger.do(store.halts.stop, "wrong key", later(ledger, 60), later(ledger, 120))
    with store.reading(ledger.engine) as session:
        halt = store.halts.current(session)
        assert halt is not None
        assert (halt.reason, halt.since, halt.until) == ("wrong key", ledger.at, later(ledger, 120))
    ledger.do(store.halts.lift)
    with store.reading(ledger.engine) as session:
        assert store.halts.current(session) is None


def test_a_suppression_knows_an_address_only_by_its_keyed_hash(ledger: Any) -> None:
    mark = store.suppressions.email_hash("key " * 10, "anna@example.org")
    assert "anna" not in mark
    ledger.do(
        lambda session: session.add(store.suppressions.Suppression(email_hash=mark, reason="bounced", at=ledger.at))
    )
    with store.reading(ledger.engine) as session:
        assert store.suppressions.suppressed(session, "key " * 10, "anna@example.org") is not None
        assert store.suppressions.suppressed(session, "another key", "anna@example.org") is None
        assert store.suppressions.suppressed(session, "key " * 10, "ben@example.org") is None


def test_a_wording_is_kept_once_and_a_changed_one_is_another(ledger: Any) -> None:
    keep = store.consents.keep_wording
    one = ledger.do(keep, "Yes, write to me.", "en", ledger.at)
    assert ledger.do(keep, "Yes,  write\nto me.", "en", later(ledger, 9)) == one
    assert ledger.do(keep, "Yes, do write to me.", "en", ledger.at) != one
    assert ledger.do(keep, "Yes, write to me.", "fr", ledger.at) != one


def test_an_idle_agenda_is_empty_and_a_due_row_is_on_it(ledger: Any) -> None:
    def agenda() -> Any:
        with store.reading(ledger.engine) as session:
            return store.agenda.agenda(session, ledger.at, ledger.at, ledger.at - timedelta(days=30))

    person = ledger.people(1)[0]
    assert agenda().anything is False
    ledger.due(person, lane=0)
    assert agenda().answers is True
    assert agenda().letters is False
    ledger.claim(lane=0, seconds=0)
    assert agenda().anything is False
    assert agenda().leases is True
