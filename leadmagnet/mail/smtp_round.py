"""One batch on its way over SMTP: what is still to be handed over, and what became of each letter.

Must not know: connections, commands, replies.
"""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

from leadmagnet.domain.message import Batch, Letter, MailError, Outcome, Result
from leadmagnet.mail.headers import address
from leadmagnet.mail.mime import Composer

_NAME = "smtp"


class Job(NamedTuple):
    """A letter ready to be handed over: its place in the batch, its envelope, and its message in pieces."""

    place: int
    sender: str
    recipient: str
    message: list[bytes]
    octets: int
    needs_utf8: bool


class Round:
    """The letters of one batch. `seconds` after its start no new one is begun."""

    def __init__(self, batch: Batch, seconds: float, bounces_to: str = "") -> None:
        """Compile what the letters share; what cannot be delivered goes to `bounces_to`, else to the sender.

        Raises ValueError where the sender's own identity is unusable."""
        self._composer = Composer(batch)
        self._sender = address(bounces_to or batch.from_email)
        self._letters = batch.letters
        self._may_begin = batch.may_begin
        self._stopped = False
        self._waiting = deque(range(len(batch.letters)))
        self._results: dict[int, Result] = {}
        self._end = time.monotonic() + seconds
        self._why_not = "not tried: the connection was lost"
        self._failure: MailError | None = None
        self._lost: set[int] = set()

    def has_more(self) -> bool:
        """Say whether there is another letter to begin."""
        if self._waiting and time.monotonic() > self._end:
            self._why_not = "not tried: the server is too slow"
            return False
        return bool(self._waiting) and self._failure is None and not self.is_stopped()

    def is_stopped(self) -> bool:
        """Say whether no other message may be handed over, because all sending was stopped."""
        self._stopped = self._stopped or not self._may_begin()
        return self._stopped

    def take(self, *, utf8: bool, most_octets: int) -> Job | None:
        """Return the next letter that such a server can take, None where there is none. Raises MailError."""
        while self.has_more():
            place = self._waiting.popleft()
            try:
                job = self._job(place, self._letters[place])
            except ValueError as error:
                self.settle(place, Outcome.REJECTED, str(error))
                continue
            if job.needs_utf8 and not utf8:
                self._refuse_utf8(job)
            elif 0 < most_octets < job.octets:
                self.settle(place, Outcome.REJECTED, f"{job.octets} octets; the server takes {most_octets}")
            else:
                return job
        return None

    def _job(self, place: int, letter: Letter) -> Job:
        recipient, message = address(letter.to_email), self._composer.pieces(letter)
        needs_utf8 = not all(map(bytes.isascii, message))
        return Job(place, self._sender, recipient, message, sum(map(len, message)), needs_utf8)

    def _refuse_utf8(self, job: Job) -> None:
        if job.recipient.isascii():
            self.put_back(job)
            raise MailError("smtp: the sender's address needs SMTPUTF8, which is not offered", permanent=True)
        detail = "the address needs SMTPUTF8, which the server does not offer"
        self.settle(job.place, Outcome.REJECTED, detail)

    def settle(self, place: int, outcome: Outcome, detail: str, queue_id: str = "") -> None:
        """Write down what became of a letter."""
        self._results[place] = Result(self._letters[place].delivery_id, outcome, _NAME, detail, queue_id)

    def lose(self, place: int, detail: str) -> None:
        """Write down that the server is gone before it had a letter: that says nothing of the letter itself."""
        self._lost.add(place)
        self.settle(place, Outcome.RETRY, detail)

    def put_back(self, job: Job) -> None:
        """Take a letter back that was not handed over, through no fault of its own."""
        self._waiting.appendleft(job.place)

    def fail(self, error: MailError) -> None:
        """Begin no other letter: the server refuses us."""
        self._failure = self._failure or error

    def results(self) -> list[Result]:
        """Return one result per letter; what was not begun is RETRY. Raises MailError where nothing was taken."""
        if self._stopped:
            for place in self._waiting:
                self.settle(place, Outcome.UNTRIED, "not tried: sending was stopped")
            return [self._results[place] for place in range(len(self._letters))]
        if self._failure:
            if not any(result.outcome in {Outcome.SENT, Outcome.UNKNOWN} for result in self._results.values()):
                raise self._failure
            self._why_not = str(self._failure)
        elif self._letters and self._results.keys() <= self._lost:
            # It has judged no letter and has none: so somebody else may have them all.
            said = next(iter(self._results.values())).detail if self._results else self._why_not
            raise MailError(f"smtp: {said}", permanent=False)
        for place in self._waiting:
            self.settle(place, Outcome.RETRY, self._why_not)
        return [self._results[place] for place in range(len(self._letters))]
