"""Somebody's own pace, honoured by the planner, the path and the letters; the rehearsal knows nothing of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.domain.schedule import MINIMUM_GAP, local_day
from leadmagnet.domain.sequence import Pace
from leadmagnet.domain.zones import zone
from leadmagnet.enrollment.path import path_of
from leadmagnet.feedback import steering

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WHERE = zone("America/Vancouver")


def videos(world: Any) -> list[Any]:
    return [at for kind, at in world.sent() if kind in ("video", "finished")]


@pytest.mark.parametrize(("pace", "days"), [(Pace.FASTER, 2), (Pace.USUAL, 3), (Pace.SLOWER, 6)])
def test_videos_come_at_the_chosen_pace_at_the_usual_hour(fast_world: Any, pace: Pace, days: int) -> None:
    fast_world.join()
    fast_world.act(steering.set_pace, fast_world.clock.now().course, pace)
    fast_world.live(24 * days * 3 + 6, step=2)
    sent = videos(fast_world)
    assert len(sent) == 4
    gaps = [local_day(later, WHERE) - local_day(earlier, WHERE) for earlier, later in pairwise(sent)]
    assert gaps == [timedelta(days=days)] * 3
    assert all(later - earlier >= MINIMUM_GAP for earlier, later in pairwise(sent))


def test_what_the_letter_and_the_page_foresee_is_what_comes(fast_world: Any, memory_mailer: Any) -> None:
    fast_world.join()
    fast_world.act(steering.set_pace, fast_world.clock.now().course, Pace.FASTER)
    fast_world.live(24 * 2 + 6)
    letter = memory_mailer.calls[-1].letters[-1]
    with store.reading(fast_world.services.engine) as session:
        foreseen = path_of(session, fast_world.person(), fast_world.clock.now().course).next
    # Video 2 came on Wednesday, 4 March; the next one follows on Friday.
    assert letter.values["next_line"].startswith("Next, on Friday: ")
    assert foreseen is not None
    fast_world.live(24 * 2)
    assert foreseen.at == videos(fast_world)[-1].replace(minute=0, second=0, microsecond=0)


def test_faster_after_waiting_brings_one_video_and_no_burst(fast_world: Any) -> None:
    fast_world.join()
    fast_world.act(steering.set_pace, fast_world.clock.now().course, Pace.SLOWER)
    fast_world.live(24 * 5)
    assert len(videos(fast_world)) == 1
    fast_world.act(steering.set_pace, fast_world.clock.now().course, Pace.FASTER)
    fast_world.live(24)
    assert len(videos(fast_world)) == 2
    fast_world.live(24)
    assert len(videos(fast_world)) == 2
    assert [row.kind for row in activities(fast_world)] == ["changed pace", "changed pace"]


def activities(world: Any) -> list[Any]:
    with store.reading(world.services.engine) as session:
        return store.activities.of_subscriber(session, world.person().id)
