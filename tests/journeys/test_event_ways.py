"""All kinds of events, shuffled, repeated, some before the settle: one end, whatever came first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadmagnet import store
from leadmagnet.services import Services
from tests.journeys import ways

SHARED = Path(__file__).resolve().parents[3] / "shared" / "sendgrid" / "event_samples.json"
#: Samples of our own, with fields that nobody has told us of, and where each alone must end.
SAMPLES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"event": "processed", "pool": {"name": "p", "id": 1}}, ("sent", "active")),
    ({"event": "deferred", "response": "451 busy", "attempt": "3"}, ("sent", "active")),
    ({"event": "delivered", "response": "250 OK"}, ("delivered", "active")),
    ({"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such user"}, ("bounced", "bounced")),
    ({"event": "bounce", "bounce_classification": "Mailbox Unavailable"}, ("bounced", "active")),
    ({"event": "bounce", "type": "blocked", "bounce_classification": "Reputation"}, ("bounced", "active")),
    ({"event": "bounce", "type": "expired", "reason": "timed out"}, ("bounced", "active")),
    ({"event": "dropped", "reason": "Bounced Address"}, ("failed", "bounced")),
    ({"event": "dropped", "reason": "Spam Content"}, ("failed", "active")),
    ({"event": "dropped", "reason": "Unsubscribed Address"}, ("failed", "unsubscribed")),
    ({"event": "open", "sg_machine_open": True, "ip": "203.0.113.1"}, ("sent", "active")),
    ({"event": "click", "url": "https://x.example/", "url_offset": {"index": 0}}, ("sent", "active")),
    ({"event": "spamreport"}, ("sent", "complained")),
    ({"event": "unsubscribe"}, ("sent", "unsubscribed")),
    ({"event": "group_unsubscribe", "asm_group_id": 10}, ("sent", "unsubscribed")),
    ({"event": "group_resubscribe", "asm_group_id": 10}, ("sent", "active")),
    ({"event": "moonwalk", "depth": [1, {"a": None}]}, ("sent", "active")),
]


@pytest.fixture
def listening(
    new_config: Callable[..., Any], build_services: Callable[..., Services], hand_clock: Any
) -> Callable[[str], Services]:
    """A maker of services that take in signed events, on the database of a URL."""

    def make(url: str) -> Services:
        config = new_config(database_url=url, sendgrid_webhook_public_key=ways.public_key())
        return build_services(config, hand_clock)

    return make


def test_our_samples_end_as_they_must_in_every_way(
    listening: Callable[[str], Services], database_url: str, hand_clock: Any
) -> None:
    services = listening(database_url)
    ends = ways.ways(services, [sample for sample, _ in SAMPLES], 12, 7, hand_clock.now()).run()
    expected = {str(number): end for number, (_, end) in enumerate(SAMPLES)} | {ways.ALL: ("bounced", "complained")}
    assert [{name: (end[0], end[2]) for name, end in way.items()} for way in ends] == [expected] * 12
    assert {end[1] for way in ends for end in way.values()} == {
        "", "dropped: Bounced Address", "dropped: Spam Content", "dropped: Unsubscribed Address"
    }  # fmt: skip
    with store.reading(services.engine) as session:
        assert set(store.suppressions.counts(session)) == {"bounced", "complained"}
        assert not store.event_batches.wait(session)


def test_the_providers_own_samples_end_the_same_in_every_way(
    listening: Callable[[str], Services], tmp_path: Path, hand_clock: Any
) -> None:
    if not SHARED.exists():
        pytest.skip("the provider's sample events were not found beside the checkout")
    services = listening(f"sqlite:///{tmp_path / 'ways.db'}")
    ends = ways.ways(services, ways.samples_of(SHARED), 40, 11, hand_clock.now()).run()
    assert ends == [ends[0]] * 40
    assert ends[0][ways.ALL] == ("bounced", "", "complained", "stopped")
