"""signups: held ones on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.store.consents import keep_wording
from leadmagnet.store.signups import SignUp


@pytest.fixture
def queue(shell: Any, hand_clock: Any) -> list[int]:
    """Four held sign-ups of two networks."""
    at = hand_clock.course
    with store.writing(shell.services.engine) as session:
        wording = keep_wording(session, "Yes.", "en", at)
        rows = [
            SignUp(
                email=f"v{n}@example.org", email_canonical=f"v{n}@example.org", form="landing", wording_id=wording,
                network=f"203.0.{n % 2}.0/24", asked_at=at, asked_real_at=at, handled_at=at, outcome="held",
                held="form",
            )
            for n in range(4)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def test_the_queue_is_listed(shell: Any, queue: list[int]) -> None:
    found = shell.json("signups", "held")
    assert found["held"] == 4
    assert found["networks"] == {"203.0.0.0/24": 2, "203.0.1.0/24": 2}
    assert found["newest"][0] == {
        "id": queue[3], "email": "v3@example.org", "form": "landing", "network": "203.0.1.0/24", "page": "",
        "at": "2026-03-02T15:00:00Z", "reason": "form", "waits_its_turn": False,
    }  # fmt: skip
    assert "4 held." in shell.run("signups", "held").output


def test_some_are_let_through_and_some_discarded(shell: Any, queue: list[int]) -> None:
    assert shell.json("signups", "release", str(queue[0])) == {"released": 1}
    assert shell.json("signups", "discard", "--network", "203.0.1.0/24") == {"discarded": 2}
    assert shell.json("signups", "release", "--all") == {"released": 1}
    assert shell.json("signups", "discard", "--form", "landing") == {"discarded": 0}
    assert shell.json("tick")["sent"] == 2


@pytest.mark.parametrize("words", [(), ("1", "--all"), ("--all", "--network", "x")])
def test_it_must_be_said_which(shell: Any, words: tuple[str, ...]) -> None:
    assert "name IDS, or --all, or --network or --form" in shell.refused("signups", "discard", *words, status=2)
