"""What goes wrong in a simulated run, and how often. Must not know: the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from leadmagnet.simulation.dice import roll

#: Longest outage of a provider, in hours.
LONGEST_OUTAGE = 14.0
#: Longest stretch in which the provider refuses us altogether, in hours.
LONGEST_REFUSAL = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Rates. Those of letters and calls are shares from 0 to 1."""

    dead_addresses: float = 0.0  #: addresses that bounce
    complaints: float = 0.0  #: letters called spam
    refused: float = 0.0  #: letters that the provider refuses for good
    postponed: float = 0.0  #: letters that the provider asks to bring again
    lost_answers: float = 0.0  #: letters of which no answer is known; half of them were taken
    lost_calls: float = 0.0  #: calls of which no answer comes back; half of them were taken
    slow_calls: float = 0.0  #: calls that hang for longer than a lease, while another worker goes about its work
    doubled_events: float = 0.0  #: provider events that arrive twice
    lost_events: float = 0.0  #: provider events that never arrive
    outages: float = 0.0  #: stretches a month in which the provider cannot be reached
    refusals: float = 0.0  #: stretches a month in which the provider refuses us altogether, as with a wrong key
    deaths: float = 0.0  #: workers a day that die at the edge of a transaction or of a call


NONE = Trouble()
USUAL = Trouble(
    dead_addresses=0.01,
    complaints=0.0005,
    refused=0.001,
    postponed=0.004,
    lost_answers=0.0005,
    lost_calls=0.001,
    slow_calls=0.0005,
    doubled_events=0.02,
    lost_events=0.002,
    outages=1.5,
    refusals=0.3,
    deaths=0.3,
)
HEAVY = Trouble(
    dead_addresses=0.03,
    complaints=0.004,
    refused=0.005,
    postponed=0.03,
    lost_answers=0.01,
    lost_calls=0.02,
    slow_calls=0.02,
    doubled_events=0.3,
    lost_events=0.05,
    outages=8,
    refusals=4,
    deaths=8,
)
KINDS = {"none": NONE, "usual": USUAL, "heavy": HEAVY}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the provider is away. `refused`: it answers, and refuses everything."""

    begins: datetime
    ends: datetime
    refused: bool


def stretches(trouble: Trouble, seed: int, begin: datetime, days: int) -> list[Stretch]:
    """Return the outages and refusals of a run, by their beginning."""
    found = []
    for day in range(days):
        for refused, rate, longest in (
            (False, trouble.outages, LONGEST_OUTAGE),
            (True, trouble.refusals, LONGEST_REFUSAL),
        ):
            chance, hour, length, *_ = roll(seed, "outage", refused, day)
            if chance < rate / 30:
                begins = begin + timedelta(days=day, minutes=round(hour * 1440))
                found.append(Stretch(begins, begins + timedelta(minutes=round((0.1 + length) * longest * 60)), refused))
    return sorted(found, key=lambda stretch: stretch.begins)
