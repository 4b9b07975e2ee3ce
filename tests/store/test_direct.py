"""Looking, writing and beginning in one transaction: who gets which row, what wins, what a bad text may cost."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.delivery.direct import send_due
from leadmagnet.delivery.settle import Tally
from leadmagnet.from_config import post_of
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.sequences import StepRevision
from leadmagnet.store.subscribers import Subscriber


def looked_at(ledger: Any, **more: Any) -> list[int]:
    asked = {"now": ledger.at, "real_now": ledger.at, "lane": 1, "limit": 100} | more
    return [row.id for row in ledger.do(store.in_hand.look, **asked)]


def begin(ledger: Any, ids: list[int]) -> set[int]:
    until = ledger.at + timedelta(seconds=120)
    readers = {ledger.row(row_id).subscriber_id for row_id in ids}
    begun: set[int] = ledger.do(store.claims.begin_due, ids, readers, "mine", until, ledger.at)
    return begun


def videos(ledger: Any, count: int, step: int = 1) -> list[int]:
    steps = ledger.steps()
    return [ledger.due(one, step_id=steps[step]) for one in ledger.people(count, confirmed_at=ledger.at)]


@pytest.mark.parametrize(
    "columns",
    [
        {"due_at": timedelta(seconds=1)},
        {"held": "paused"},
        {"lane": 0},
        {"retry_at": timedelta(seconds=1)},
        {"closes_at": timedelta()},
        {"status": "skipped"},
        {"status": "unknown"},
    ],
    ids=str,
)
def test_a_look_sees_what_a_claim_would_take(ledger: Any, columns: dict[str, Any]) -> None:
    waits, goes = ledger.people(2)
    moved = {key: ledger.at + value if isinstance(value, timedelta) else value for key, value in columns.items()}
    ledger.due(waits, **moved)
    expected = [ledger.due(goes)]
    assert looked_at(ledger) == expected


@pytest.mark.parametrize(
    "changed",
    [{"status": "unsubscribed"}, {"paused_at": timedelta()}, {"hurt_at": timedelta()}],
    ids=str,
)
def test_who_has_left_since_the_look_is_not_begun(ledger: Any, changed: dict[str, Any]) -> None:
    stays, goes = videos(ledger, 2)
    assert looked_at(ledger) == [stays, goes]
    values = {key: ledger.at if isinstance(value, timedelta) else value for key, value in changed.items()}
    with store.writing(ledger.engine) as session:
        person = session.get_one(Subscriber, session.get_one(Delivery, stays).subscriber_id)
        for key, value in values.items():
            setattr(person, key, value)
    assert begin(ledger, [stays, goes]) == {goes}
    row, left = ledger.row(goes), ledger.row(stays)
    assert (row.status, row.claim_id, row.call_begun_at) == ("claimed", "mine", ledger.at)
    assert (left.status, left.claim_id, left.call_begun_at) == ("due", None, None)


def test_a_call_begins_once(ledger: Any) -> None:
    rows = videos(ledger, 3)
    assert begin(ledger, rows) == set(rows)
    assert begin(ledger, rows) == set()
    assert ledger.do(store.claims.keep, rows, "other", ledger.at) == set()


def test_several_contents_begin_one_after_the_other(ledger: Any, hand_clock: Any) -> None:
    videos(ledger, 2, step=1)
    videos(ledger, 2, step=2)
    seen: list[Counter[tuple[str, bool]]] = []
    post = post_of(ledger.services)
    send = post.mailer.send

    class Looking:
        """The mailer, with a look at the ledger during each call."""

        name, batch_size, has_evidence = post.mailer.name, post.mailer.batch_size, False

        def send(self, batch: Any) -> Any:
            with store.reading(ledger.engine) as session:
                rows = session.query(Delivery.status, Delivery.call_begun_at).all()
            seen.append(Counter((status, begun is not None) for status, begun in rows))
            return send(batch)

    tally = Tally()
    assert send_due(replace(post, mailer=Looking()), hand_clock.now, 1, tally) == 4  # type: ignore[arg-type]
    assert tally.sent == 4
    assert seen[0] == {("claimed", True): 2, ("claimed", False): 2}
    assert seen[1][("claimed", True)] == 2
    assert seen[1][("claimed", False)] == 0


def test_a_text_that_cannot_be_written_does_not_stand_before_all_others(ledger: Any, hand_clock: Any) -> None:
    bad = videos(ledger, 1, step=1)
    with store.writing(ledger.engine) as session:
        revision = session.query(StepRevision).filter_by(step_id=ledger.steps()[1]).one()
        source = revision.source
        revision.source = source.replace("The name is odd", "{{no_such_slot}}")
    tally = Tally()
    with pytest.raises(Exception, match="no_such_slot"):
        send_due(post_of(ledger.services), hand_clock.now, 1, tally)
    assert ledger.row(bad[0]).status == "claimed"
    good = videos(ledger, 1, step=2)
    assert send_due(post_of(ledger.services), hand_clock.now, 1, tally) == 1
    assert ledger.row(good[0]).status == "sent"
    with store.writing(ledger.engine) as session:
        session.query(StepRevision).filter_by(step_id=ledger.steps()[1]).one().source = source


def test_senders_never_share_a_row(ledger: Any, hand_clock: Any) -> None:
    """On PostgreSQL they pass over one another's locks; SQLite lets one in at a time."""
    rows = videos(ledger, 120)
    post, taken = post_of(ledger.services), Counter[str]()
    together = threading.Barrier(3)

    class Counting:
        name, batch_size, has_evidence = post.mailer.name, 7, False

        def send(self, batch: Any) -> Any:
            taken.update(letter.delivery_id for letter in batch.letters)
            return post.mailer.send(batch)

    def work() -> None:
        together.wait()
        while send_due(replace(post, mailer=Counting()), hand_clock.now, 1, Tally()):  # type: ignore[arg-type]
            pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(rows)
    assert set(taken.values()) == {1}


def test_a_halt_by_hand_lets_nothing_begin(ledger: Any, hand_clock: Any) -> None:
    [row] = videos(ledger, 1)
    ledger.do(store.halts.stop_by_hand, "a wrong picture", "anna", hand_clock.now().real)
    assert send_due(post_of(ledger.services), hand_clock.now, 1, Tally()) == 0
    assert ledger.row(row).status == "due"


def test_the_largest_look_is_a_batch(ledger: Any, hand_clock: Any) -> None:
    videos(ledger, 5)
    sent = [send_due(post_of(ledger.services), hand_clock.now, 1, Tally(), limit=3) for _ in range(3)]
    assert sent == [3, 2, 0]
