"""Several mailers in order: the next one gets a batch only when the one before has refused all of it.

An unknown outcome never moves on: the letter may have been taken, and a second provider would send it twice. A mailer
that has refused rests for a moment, so that a provider which is away does not cost each batch its time-out; then it has
its turn again. Must not know: what the mailers are.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from leadmagnet.domain.message import Batch, Mailer, MailError, Result

_log = logging.getLogger(__name__)

#: Seconds that a mailer rests after a refusal: as long as it asked for, within these bounds.
LEAST_REST, LONGEST_REST = 15.0, 600.0


class Failover:
    """A mailer made of mailers. Each result names the one that gave it."""

    def __init__(self, mailers: Sequence[Mailer], elapsed: Callable[[], float] = time.monotonic) -> None:
        """Take the mailers in order of preference; `elapsed` counts seconds and is never set back."""
        if not mailers:
            raise ValueError("a fail-over needs at least one mailer")
        self._mailers = tuple(mailers)
        self._elapsed = elapsed
        self._rests_until: dict[str, float] = {}
        self.name = ",".join(mailer.name for mailer in self._mailers)
        self.batch_size = min(mailer.batch_size for mailer in self._mailers)
        # Of the whole, for a letter of which not even the provider is known (a crash during the call): one that can
        # give evidence is enough to make waiting right. Where a result names its provider, ask has_evidence_from.
        self.has_evidence = any(mailer.has_evidence for mailer in self._mailers)

    @property
    def mailers(self) -> tuple[Mailer, ...]:
        """The mailers, in order of preference."""
        return self._mailers

    def send(self, batch: Batch) -> list[Result]:
        """Return the results of the first mailer that does not refuse. Raises MailError where all of them do.

        Permanent only if every refusal is: while one of them may recover, waiting is not pointless.
        """
        refusals: list[MailError] = []
        for mailer in self._in_turn():
            try:
                results = mailer.send(batch)
            except MailError as error:
                level = logging.ERROR if error.permanent else logging.WARNING
                _log.log(level, "mailer %s refused a batch: %s", mailer.name, error)
                rest = min(max(error.retry_after or 0.0, LEAST_REST), LONGEST_REST)
                self._rests_until[mailer.name] = self._elapsed() + rest
                refusals.append(error)
            else:
                if self._rests_until.pop(mailer.name, None) is not None:
                    _log.warning("mailer %s takes batches again", mailer.name)
                return results
        waits = [error.retry_after for error in refusals if not error.permanent and error.retry_after is not None]
        raise MailError(
            "; ".join(str(error) for error in refusals),
            permanent=all(error.permanent for error in refusals),
            retry_after=min(waits, default=None),
        )

    def _in_turn(self) -> list[Mailer]:
        """Return the mailers in order of preference, those that rest at the end: better one of them than nobody."""
        now = self._elapsed()
        return sorted(self._mailers, key=lambda mailer: self._rests_until.get(mailer.name, now) > now)

    def taken(self, delivery_id: str) -> bool | None:
        """Say whether any of the mailers took the letter; None where one cannot know and no other took it."""
        answers = [mailer.taken(delivery_id) for mailer in self._mailers]
        if any(answers):
            return True
        return None if None in answers else False

    def close(self) -> None:
        """Close all of them."""
        for mailer in self._mailers:
            mailer.close()


def has_evidence_from(mailer: Mailer, provider: str) -> bool:
    """Say whether a later event can tell what became of a letter that `provider` has left unknown.

    `provider` is what a Result names. Of a fail-over, that one of its mailers is asked: SendGrid's events say nothing
    about a letter that went by SMTP. A name that is none of them gets the answer of the whole.
    """
    parts = mailer.mailers if isinstance(mailer, Failover) else ()
    return next((part.has_evidence for part in parts if part.name == provider), mailer.has_evidence)
