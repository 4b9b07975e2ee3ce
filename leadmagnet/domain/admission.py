"""Which sign-ups may cause an email now, and which are held: caps over an hour that slides along.

A form that answers anybody can be made to flood other people's inboxes (list bombing). So there is a cap on the
sign-ups that are let through: for one network, for one form, and for all. Half of each is for anybody; the other half
is for sign-ups whose browser has done a proof of work. Above that a sign-up is held: with a proof it waits its turn,
without one it waits for a person to look. Must not know: where sign-ups are kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

#: The hour over which sign-ups are counted. Real time.
WINDOW = timedelta(hours=1)
#: A sign-up that waits its turn is looked at again after this long, and for this long; then a person has to. Real time.
TURN, TURNS_END = timedelta(minutes=10), timedelta(days=1)
#: A browser is asked for a proof a little before one is needed: between the question and the sign-up others come.
NEAR = 0.8


class Held(StrEnum):
    """Which cap was reached."""

    NETWORK = "network"
    FORM = "form"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class Caps:
    """The most sign-ups in an hour; 0: no cap. `address`: the most confirmations in a day to one address."""

    network: int = 30
    form: int = 300
    everywhere: int = 600
    address: int = 5


@dataclass(frozen=True, slots=True)
class Source:
    """Where a sign-up came from. A network that is empty is not known, and has no cap of its own."""

    network: str
    form: str


@dataclass(slots=True)
class Window:
    """The sign-ups that were let through within the last hour."""

    networks: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    everywhere: int = 0

    def add(self, source: Source, number: int = 1) -> None:
        """Count sign-ups."""
        self.networks[source.network] += number
        self.forms[source.form] += number
        self.everywhere += number


def open_half(cap: int) -> int:
    """Return how much of a cap is there for anybody: half, and at least one."""
    return max(1, cap // 2)


def held_by(caps: Caps, window: Window, source: Source, *, proven: bool) -> Held | None:
    """Say which cap keeps a sign-up back; None where it is let through."""
    for name, cap, number in _scopes(caps, window, source):
        if cap and number >= (cap if proven else open_half(cap)):
            return name
    return None


def asks_proof(caps: Caps, window: Window, source: Source) -> bool:
    """Say whether a browser should do a proof of work for a sign-up: one of the caps is nearly half used up."""
    return any(cap and number >= NEAR * open_half(cap) for _, cap, number in _scopes(caps, window, source))


def _scopes(caps: Caps, window: Window, source: Source) -> tuple[tuple[Held, int, int], ...]:
    return (
        (Held.NETWORK, caps.network if source.network else 0, window.networks[source.network]),
        (Held.FORM, caps.form, window.forms[source.form]),
        (Held.EVERYWHERE, caps.everywhere, window.everywhere),
    )
