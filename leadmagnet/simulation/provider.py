"""The simulated provider: takes letters, refuses some, loses answers, is slow or away. Events follow (reports.py).

It keeps its own record of what it took. It can't be asked about the past, but its events could tell, as with SendGrid.
Must not know: the engine's tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from leadmagnet.domain.message import Batch, Letter, MailError, Outcome, Result
from leadmagnet.domain.signals import Signal
from leadmagnet.simulation.deaths import Deaths
from leadmagnet.simulation.dice import roll
from leadmagnet.simulation.hours import VirtualClock
from leadmagnet.simulation.record import Record
from leadmagnet.simulation.reports import Reports
from leadmagnet.simulation.trouble import NONE, Stretch, Trouble

#: Seconds that a call takes: so many, and so many more for each letter.
CALL_SECONDS, LETTER_SECONDS = 0.05, 0.0002
#: Seconds after which a letter that was postponed may come again, at most.
LONGEST_POSTPONED = 900


class Readers(Protocol):
    """Who gets the letters."""

    def receive(self, letter: Letter, kind: str, step: str, at: datetime) -> None:
        """Get a letter."""
        ...


class SimulatedProvider:
    """A Mailer."""

    name = "simulated"
    batch_size = 1000
    has_evidence = True

    def __init__(
        self,
        clock: VirtualClock,
        record: Record,
        readers: Readers,
        reports: Reports,
        deaths: Deaths,
        trouble: Trouble,
        away: Sequence[Stretch],
        *,
        seed: int,
        lease_seconds: float,
    ) -> None:
        """Take the world in which it stands. `away`: when it cannot be reached, by their beginning."""
        self._clock, self._record, self._readers, self._reports, self._deaths = clock, record, readers, reports, deaths
        self.trouble, self._away, self._seed, self._lease = trouble, away, seed, lease_seconds
        self._in_hand: tuple[int, int] | None = None
        deaths.committed = self._settled
        #: What another worker does while a call hangs.
        self.meanwhile: Callable[[], object] = lambda: None
        self.seen: Counter[str] = Counter()
        #: What was drawn for each address, which stays as it is.
        self._luck: dict[str, float] = {}

    def send(self, batch: Batch) -> list[Result]:
        """Take a batch."""
        self._deaths.go_by("before a call")
        self.seen["calls"] += 1
        self._be_there()
        lost, slow, *_ = roll(self._seed, "call", self._clock.at, batch.letters[0].to_email)
        before = self._record.place
        answers = [self._answer(letter, batch, lost_call=lost < self.trouble.lost_calls) for letter in batch.letters]
        self._clock.wait(CALL_SECONDS + LETTER_SECONDS * len(answers))
        if slow < self.trouble.slow_calls:
            self._hang(before)
        else:
            self._in_hand = before, self._record.place
        self._deaths.go_by("after a call")
        return answers

    def taken(self, delivery_id: str) -> bool | None:
        """Say that nobody knows."""
        return None

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def calm(self) -> None:
        """Let nothing go wrong from now on. Dead addresses stay dead."""
        self.trouble, self._away = replace(NONE, dead_addresses=self.trouble.dead_addresses), ()

    def death(self) -> None:
        """Note that the worker died: what it had not yet written down is lost."""
        if self._in_hand is not None:
            lost = self._record.lost(*self._in_hand)
            self.seen["answers lost by a death"] += len(lost)
            self._reports.unanswered.update(lost)
            self._in_hand = None

    def _settled(self) -> None:
        self._in_hand = None

    def _be_there(self) -> None:
        at = self._clock.at
        for stretch in self._away:
            if stretch.begins <= at < stretch.ends:
                self.seen["calls refused" if stretch.refused else "calls in an outage"] += 1
                words = "the key is wrong" if stretch.refused else "no connection"
                raise MailError(words, permanent=stretch.refused)

    def _hang(self, before: int) -> None:
        """Keep the call open until its lease is over; its answer comes too late."""
        self.seen["slow calls"] += 1
        self._reports.unanswered.update(self._record.lost(before, self._record.place))
        self._clock.wait(self._lease + 1)
        self.meanwhile()

    def _answer(self, letter: Letter, batch: Batch, *, lost_call: bool) -> Result:
        trouble, at = self.trouble, self._clock.at
        refused, postponed, wait, lost, half, *_ = roll(self._seed, "letter", at, letter.to_email)
        if lost_call or lost < trouble.lost_answers:
            self.seen["lost answers"] += 1
            if half < 0.5:
                self._take(letter, batch, known=False)
            return Result(letter.delivery_id, Outcome.UNKNOWN, self.name, "connection lost")
        if refused < trouble.refused:
            self.seen["refused"] += 1
            return Result(letter.delivery_id, Outcome.REJECTED, self.name, "550 refused")
        if postponed < trouble.postponed:
            self.seen["postponed"] += 1
            after = round(wait * LONGEST_POSTPONED)
            return Result(letter.delivery_id, Outcome.RETRY, self.name, "429 later", retry_after=after)
        self._take(letter, batch, known=True)
        return Result(letter.delivery_id, Outcome.SENT, self.name, provider_id="taken")

    def _take(self, letter: Letter, batch: Batch, *, known: bool) -> None:
        at, address = self._clock.at, letter.to_email
        kind, step = _kind(letter.headers.get("Feedback-ID", ""), "confirm_url" in batch.content.slots())
        self._record.took(at, address, letter.delivery_id, letter.message_id, kind, known=known)
        if not known:
            self._reports.unanswered.add(letter.delivery_id)
        if self.bounces(address):
            self._reports.send(at, letter.delivery_id, address, Signal.BOUNCED_HARD)
            return
        self._reports.send(at, letter.delivery_id, address, Signal.DELIVERED)
        if roll(self._seed, "complains", at, address)[0] < self.trouble.complaints:
            self._reports.send(at, letter.delivery_id, address, Signal.COMPLAINED)
        self._readers.receive(letter, kind, step, at)

    def bounces(self, address: str) -> bool:
        """Say whether nobody reads mail at this address."""
        if address not in self._luck:
            self._luck[address] = roll(self._seed, "address", address)[0]
        return self._luck[address] < self.trouble.dead_addresses


@lru_cache(maxsize=256)
def _kind(feedback_id: str, asks_to_confirm: bool) -> tuple[str, str]:
    """Return kind and step of an email, from what it says of itself."""
    if not feedback_id:
        return ("confirmation" if asks_to_confirm else "already_subscribed"), ""
    kind, _, step, _ = feedback_id.split(":")
    return kind, "" if step == "none" else step
