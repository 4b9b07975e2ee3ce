"""The provider is down for an hour, or busy for ten minutes, at the big hour: nothing lost, nothing twice, no burst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.domain.message import Batch, MailError, Outcome, Result
from leadmagnet.domain.status import DeliveryStatus
from leadmagnet.domain.zones import zone
from leadmagnet.feedback import steering

PEOPLE = 40
ZONES = ("America/Vancouver", "America/Toronto", "Europe/Zurich", "Asia/Tokyo")


def away(clock: Any, since: Any, minutes: float, error: Callable[[], MailError]) -> Callable[[Batch], None]:
    """Return a script that refuses every call for some minutes of real time."""

    def script(_batch: Batch) -> None:
        if since <= clock.real < since + timedelta(minutes=minutes):
            raise error()

    return script


@pytest.mark.parametrize(
    ("minutes", "error"),
    [
        (60, lambda: MailError("503 away", permanent=False)),
        (60, lambda: MailError("not reached", permanent=False)),
        (10, lambda: MailError("429 busy", permanent=False, retry_after=37)),
        (60, lambda: MailError("401 the key is refused", permanent=True)),
    ],
    ids=["down", "unreachable", "busy", "refused"],
)
def test_a_provider_that_is_away_delays_and_nothing_else(
    fast_world: Any, memory_mailer: Any, minutes: float, error: Callable[[], MailError]
) -> None:
    for number in range(PEOPLE):
        fast_world.join(f"p{number}@example.org", zone=ZONES[number % len(ZONES)])
    # To a minute before nine in Vancouver, three days on; the other zones have had theirs.
    fast_world.live(65)
    clock, began = fast_world.clock, len(memory_mailer.calls)
    memory_mailer.script = away(clock, clock.real, minutes, error)
    for _ in range(int(minutes * 3) + 90):
        clock.move(seconds=20)
        fast_world.tick()
    refused = len(memory_mailer.calls) - began
    assert refused < 120, "a provider that is away is not hammered"
    fast_world.live(24 * 6)
    for number in range(PEOPLE):
        rows = fast_world.deliveries(f"p{number}@example.org")
        videos = [row for row in rows if row.kind == "video" and row.status == "sent"]
        assert [row.step_id for row in videos] == sorted({row.step_id for row in videos})
        assert len(videos) >= 3, "each day's video came, if late"
        gaps = [later.sent_at - earlier.sent_at for earlier, later in pairwise(videos)]
        assert min(gaps) >= timedelta(hours=20)
        days = Counter(row.day for row in rows if row.status == "sent" and row.day)
        assert max(days.values()) == 1
        assert not [row for row in rows if row.status in ("failed", "unknown", "claimed")]


def test_the_queue_waits_as_told_and_one_letter_tries(fast_world: Any, memory_mailer: Any) -> None:
    """However many batches wait: who is busy is asked once, left alone for so long, and then asked with one letter."""
    for number in range(10):
        fast_world.join(f"p{number}@example.org")
    fast_world.live(65)
    memory_mailer.batch_size = 2
    clock, began = fast_world.clock, len(memory_mailer.calls)
    while clock.course.hour != 17 or clock.course.minute:  # nine in Vancouver
        clock.move(minutes=1)
    memory_mailer.script = away(clock, clock.real, 1, lambda: MailError("429 busy", permanent=False, retry_after=37))
    sizes = []
    for _ in range(9):
        fast_world.tick()
        sizes.append([len(call.letters) for call in memory_mailer.calls[began:]])
        clock.move(seconds=12)
    assert sizes[:4] == [[2]] * 4, "no other batch, and nothing before the time is over"
    assert sizes[4:8] == [[2, 1]] * 4, "one careful try, and the same wait again"
    assert sizes[8][:3] == [2, 1, 1], "another careful try, which is taken"
    clock.move(minutes=2)
    fast_world.tick()
    assert sum(len(call.letters) for call in memory_mailer.calls[began:]) == 2 + 1 + 10


def test_each_letter_is_taken_once(fast_world: Any, memory_mailer: Any) -> None:
    """A provider that is away for every other call, for a week."""
    taken: Counter[str] = Counter()

    def script(batch: Batch) -> list[Result]:
        if len(memory_mailer.calls) % 2:
            raise MailError("503", permanent=False)
        taken.update(letter.delivery_id for letter in batch.letters)
        return [Result(letter.delivery_id, Outcome.SENT, "memory") for letter in batch.letters]

    memory_mailer.script = script
    for number in range(5):
        fast_world.sign_up(f"p{number}@example.org")
    for _ in range(30):
        fast_world.clock.move(seconds=5)
        fast_world.tick()
    for number in range(5):
        fast_world.press_confirm(f"p{number}@example.org")
    for _ in range(7 * 48):
        fast_world.clock.move(minutes=30)
        fast_world.tick()
    sent = [row for number in range(5) for row in fast_world.deliveries(f"p{number}@example.org", status="sent")]
    assert taken == Counter(row.public_id for row in sent)
    assert len([row for row in sent if row.kind == "video"]) == 5 * 3


def night_zone(now: Any) -> str:
    """Return a zone without summer time in which it is two in the morning."""
    ahead = (2 - now.hour) % 24
    return f"Etc/GMT{-ahead:+d}" if ahead <= 14 else f"Etc/GMT{24 - ahead:+d}"


@pytest.mark.parametrize("kind", ["reminder", "video"])
@pytest.mark.parametrize("in_hand", [False, True], ids=["waits", "in hand"])
def test_what_waits_for_a_provider_does_not_go_out_at_night_in_a_new_zone(
    fast_world: Any, memory_mailer: Any, kind: str, in_hand: bool
) -> None:
    """The zone is changed while an email is due, or in the very moment of a call that fails."""
    fast_world.join()
    clock, before = fast_world.clock, len(fast_world.deliveries(kind=kind, status="sent"))
    moved: list[str] = []

    def move() -> None:
        now = clock.now().course
        moved.append(night_zone(now))
        fast_world.act(steering.set_rhythm, now, days=frozenset(range(7)), hour=None, timezone=moved[-1])

    def away(batch: Batch) -> None:
        if in_hand and not moved and any(row.kind == kind for row in fast_world.deliveries(status="claimed")):
            move()
        raise MailError("not reached", permanent=False)

    memory_mailer.script = away
    while not moved:
        clock.move(minutes=15)
        fast_world.tick()
        if not in_hand and len(fast_world.deliveries(kind=kind, status="due")) > 0 and late(fast_world, kind):
            move()
    memory_mailer.script = None
    clock.move(seconds=20)
    fast_world.tick()
    clock.move(minutes=15)
    fast_world.tick()
    assert len(fast_world.deliveries(kind=kind, status="sent")) == before, "it is two in the morning"
    fast_world.live(24 * 4)
    sent = [at.astimezone(zone(moved[0])) for what, at in fast_world.sent() if what == kind][before:]
    assert sent
    assert {8 <= at.hour < 20 for at in sent} == {True}


def late(world: Any, kind: str) -> bool:
    """Say whether an email of a kind is due by now."""
    return any(row.due_at <= world.clock.course for row in world.deliveries(kind=kind, status="due"))


def test_what_is_sent_again_goes_in_small_batches_behind_the_others(fast_world: Any, memory_mailer: Any) -> None:
    """One of them may be what kills the worker: it must not take the others with it, again and again."""
    for number in range(20):
        fast_world.join(f"p{number}@example.org")
    fast_world.live(65)
    memory_mailer.batch_size = 16
    with store.writing(fast_world.services.engine) as session:
        due = [row.id for number in range(20) for row in fast_world.deliveries(f"p{number}@example.org", status="due")]
        for ids, resent in ((due[:4], 1), (due[4:6], 2)):
            store.claims.change(session, ids, DeliveryStatus.DUE, resent=resent)
    began = len(memory_mailer.calls)
    fast_world.live(10)
    assert [len(call.letters) for call in memory_mailer.calls[began:]] == [10, 2, 2, 1, 1, 4]


@pytest.mark.parametrize("kind", ["reminder", "video"])
def test_what_nobody_has_heard_of_does_not_come_again_at_night_in_a_new_zone(
    fast_world: Any, memory_mailer: Any, kind: str
) -> None:
    fast_world.join()
    clock = fast_world.clock
    memory_mailer.script = lambda batch: [
        Result(letter.delivery_id, Outcome.UNKNOWN, "memory") for letter in batch.letters
    ]
    while not fast_world.deliveries(kind=kind, status="unknown"):
        clock.move(minutes=15)
        fast_world.tick()
    now = clock.now().course
    fast_world.act(steering.set_rhythm, now, days=frozenset(range(7)), hour=None, timezone=night_zone(now))
    memory_mailer.script, calls = None, len(memory_mailer.calls)
    for _ in range(4):
        clock.move(minutes=10)
        fast_world.tick()
    assert len(memory_mailer.calls) == calls
    assert not fast_world.deliveries(kind=kind, status="unknown"), "it was given back, and waits or has expired"
