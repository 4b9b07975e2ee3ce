"""The virtual clock of a run. Both clocks of the engine show it: a run has no time lapse."""

from __future__ import annotations

from datetime import datetime, timedelta

from leadmagnet.clock import Now


class VirtualClock:
    """A clock that stands until it is moved, and never goes back."""

    def __init__(self, at: datetime) -> None:
        """Begin at an aware instant in UTC."""
        self.at = at

    def now(self) -> Now:
        """Return this moment on both clocks."""
        return Now(self.at, self.at)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.at += timedelta(seconds=seconds)

    def to(self, at: datetime) -> None:
        """Go on to an instant; one that has gone by changes nothing."""
        self.at = max(self.at, at)
