"""Letters to an SMTP server, one after the other over one connection that is kept between batches.

No address and no password is logged. Must not know: what a server's answer means (smtp_session.py does), or who asks.
"""

from __future__ import annotations

import threading
import time

from leadmagnet.domain.message import Batch, Letter, MailError, Outcome, Result
from leadmagnet.mail.headers import address
from leadmagnet.mail.mime import Composer, require_values
from leadmagnet.mail.smtp_session import Account, Session, Verdict


class SmtpMailer:
    """A mailer for one SMTP account. One batch at a time; threads wait for one another."""

    name = "smtp"
    #: Small: at four round trips a letter, a batch should stay far below the lease of its claim.
    batch_size = 100
    has_evidence = False

    def __init__(self, url: str, timeout: float = 10.0, batch_seconds: float = 60.0) -> None:
        """Read the account from the URL (see Account.from_url). Nothing is connected yet. Raises ValueError.

        After `batch_seconds` the rest of a batch goes back: a slow server must not outlast the lease of its claim.
        """
        self._account = Account.from_url(url)
        self._timeout = timeout
        self._batch_seconds = batch_seconds
        self._session: Session | None = None
        self._lock = threading.Lock()

    def send(self, batch: Batch) -> list[Result]:
        """Send letter by letter. Raises MailError where the server refuses us before it took any letter.

        Once the connection is lost, or the server refuses us half-way, the letters behind are RETRY.
        """
        require_values(batch)
        try:
            composer, sender = Composer(batch), address(batch.from_email)
        except ValueError as error:
            raise MailError(f"smtp: the sender cannot be used: {error}", permanent=True) from error
        with self._lock:
            return self._send(batch.letters, composer, sender)

    def taken(self, delivery_id: str) -> None:
        """Return None: SMTP cannot be asked about the past."""

    def close(self) -> None:
        """Leave the server."""
        with self._lock:
            self._drop()

    def _send(self, letters: tuple[Letter, ...], composer: Composer, sender: str) -> list[Result]:
        if self._session and not self._session.is_ready():
            self._drop()
        results: list[Result] = []
        stop = ""
        deadline = time.monotonic() + self._batch_seconds
        for letter in letters:
            if not stop and time.monotonic() > deadline:
                stop = "not tried: the server is too slow"
            if stop:
                results.append(Result(letter.delivery_id, Outcome.RETRY, self.name, stop))
                continue
            try:
                result, stop = self._one(letter, composer, sender)
            except MailError as error:
                self._drop()
                if not any(result.outcome in {Outcome.SENT, Outcome.UNKNOWN} for result in results):
                    raise
                stop = str(error)
                result = Result(letter.delivery_id, Outcome.RETRY, self.name, stop)
            results.append(result)
        return results

    def _one(self, letter: Letter, composer: Composer, sender: str) -> tuple[Result, str]:
        """Return what became of one letter, and why no other should be tried, if so."""
        try:
            recipient, raw = address(letter.to_email), composer.message(letter)
        except ValueError as error:
            return Result(letter.delivery_id, Outcome.REJECTED, self.name, str(error)), ""
        session = self._open()
        if not raw.isascii() and not session.takes_utf8():
            return self._needs_utf8(letter, recipient), ""
        verdict = session.deliver(sender, recipient, raw)
        result = Result(letter.delivery_id, verdict.outcome, self.name, verdict.detail, verdict.queue_id)
        return result, self._after(session, verdict)

    def _needs_utf8(self, letter: Letter, recipient: str) -> Result:
        if recipient.isascii():
            raise MailError("smtp: the sender's address needs SMTPUTF8, which is not offered", permanent=True)
        detail = "the address needs SMTPUTF8, which the server does not offer"
        return Result(letter.delivery_id, Outcome.REJECTED, self.name, detail)

    def _open(self) -> Session:
        if self._session is None:
            self._session = Session(self._account, self._timeout)
        return self._session

    def _after(self, session: Session, verdict: Verdict) -> str:
        if verdict.alive:
            return ""
        self._drop()
        # Servers that take only so many letters a connection say 421. Going on over a new one is safe while each one
        # takes at least one letter.
        return "" if verdict.may_reconnect and session.delivered else "not tried: the connection was lost"

    def _drop(self) -> None:
        if self._session:
            self._session.close()
            self._session = None
