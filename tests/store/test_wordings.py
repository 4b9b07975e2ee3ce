"""A wording is kept once, whoever comes first."""

from __future__ import annotations

import threading
from typing import Any

from leadmagnet import store
from leadmagnet.store.consents import Wording, keep_wording


def test_two_that_come_first_at_the_same_moment_share_a_wording(services: Any, hand_clock: Any) -> None:
    found: list[str] = []

    def other() -> None:
        with store.writing(services.engine) as session:
            found.append(keep_wording(session, "Yes.", "en", hand_clock.course))

    with store.writing(services.engine) as session:
        mine = keep_wording(session, "Yes.", "en", hand_clock.course)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.3)
        assert found == [], "the other one must wait for what becomes of this"
    thread.join()
    assert found == [mine]
    with store.reading(services.engine) as session:
        assert session.query(Wording).filter_by(id=mine).count() == 1
