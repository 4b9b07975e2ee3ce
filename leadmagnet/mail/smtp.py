"""Letters to an SMTP server, over a few connections that are kept between batches.

No address and no password is logged. Must not know: what is said to a server (smtp_talk.py does), or who asks.
"""

from __future__ import annotations

import logging
import threading

from leadmagnet.domain.message import Batch, MailError, Result
from leadmagnet.mail.mime import require_values
from leadmagnet.mail.smtp_account import Account
from leadmagnet.mail.smtp_loop import Loop
from leadmagnet.mail.smtp_round import Round
from leadmagnet.mail.smtp_session import Session

_log = logging.getLogger(__name__)

#: Opening a connection costs up to eight round trips, a letter one or four: fewer letters are not worth another one.
LETTERS_WORTH_A_CONNECTION = 25


class SmtpMailer:
    """A mailer for one SMTP account. One batch at a time; threads wait for one another."""

    name = "smtp"
    batch_size = 500
    has_evidence = False

    def __init__(
        self,
        url: str,
        timeout: float = 10.0,
        batch_seconds: float = 60.0,
        *,
        most_connections: int = 4,
        bounces_to: str = "",
    ) -> None:
        """Read the account from the URL (see Account.from_url). Nothing is connected yet. Raises ValueError.

        `timeout` is in seconds, for connecting and for each answer; after the closing dot it is three times as long.
        `bounces_to` is the envelope's sender, to whom undeliverable letters return; else it is the letter's.
        After `batch_seconds` the rest of a batch goes back: a slow server must not outlast the lease of its claim.
        """
        self._account = Account.from_url(url)
        self._timeout = timeout
        self._batch_seconds = batch_seconds
        self._bounces_to = bounces_to
        self._most_connections = self._allowed = most_connections
        self._pool: list[Session] = []
        self._lock = threading.Lock()

    def send(self, batch: Batch) -> list[Result]:
        """Hand over letter by letter. Raises MailError where the server refuses us before it took any letter.

        Once the last connection is lost, or the server refuses us half-way, the letters behind are RETRY.
        """
        require_values(batch)
        try:
            letters = Round(batch, self._batch_seconds, self._bounces_to)
        except ValueError as error:
            raise MailError(f"smtp: the sender cannot be used: {error}", permanent=True) from error
        with self._lock:
            if not self._pool:
                self._allowed = self._most_connections
            if letters.has_more():
                most = min(self._allowed, -(-len(batch.letters) // LETTERS_WORTH_A_CONNECTION))
                self._open(most)
                Loop(self._pool, self._session, letters, self._timeout).run(most)
        return letters.results()

    def taken(self, delivery_id: str) -> None:
        """Return None: SMTP cannot be asked about the past."""

    def close(self) -> None:
        """Leave the server."""
        with self._lock:
            while self._pool:
                self._pool.pop().leave()

    def _session(self) -> Session:
        return Session(self._account, self._timeout)

    def _open(self, most: int) -> None:
        """Open what is missing. Raises MailError where there is not even one connection."""
        while len(self._pool) < most:
            try:
                self._pool.append(self._session())
            except MailError as error:
                if not self._pool:
                    raise
                # Many servers allow fewer connections than we would like; they need not be asked again and again.
                self._allowed = len(self._pool)
                _log.warning("smtp: going on with %d connections: %s", len(self._pool), error)
                return
