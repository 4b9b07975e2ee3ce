"""One open connection to an SMTP server: greeting, EHLO, STARTTLS, sign-in, and what the server offers.

Must not know: messages, batches, deliveries.
"""

from __future__ import annotations

import base64
import socket
import ssl
from contextlib import suppress

from leadmagnet.domain.message import MailError
from leadmagnet.mail.smtp_account import Account
from leadmagnet.mail.smtp_wire import Lost, Reply, Wire, words_of


class Session:
    """An open connection. Raises MailError where it cannot be opened: nothing was handed over then."""

    def __init__(self, account: Account, timeout: float) -> None:
        """Connect, secure and sign in; each step has `timeout` seconds."""
        #: How many messages this server has taken over this connection.
        self.delivered = 0
        #: Whether it has carried messages of an earlier batch: it may be dead without our knowing.
        self.was_used = False
        self._offers: dict[str, str] = {}
        try:
            self.wire = Wire(_connect(account, timeout), timeout)
        except (OSError, ValueError) as error:
            raise MailError(f"smtp: {words_of(error)}", permanent=False) from None
        try:
            self._begin(account)
        except Lost as error:
            self.wire.close()
            raise MailError(f"smtp: {error}", permanent=False) from None
        except MailError:
            self.wire.close()
            raise

    def _begin(self, account: Account) -> None:
        greeting = self.wire.ask()
        if greeting.code != 220:
            raise MailError(f"smtp: {greeting.words()}", permanent=False)
        self._hello()
        self._secure(account)
        self._sign_in(account)

    def _hello(self) -> None:
        # Never smtplib's own choice of name: it asks the DNS, without a time-out.
        name = socket.gethostname()
        me = name if "." in name and name.isascii() else "[127.0.0.1]"
        reply = self.wire.ask(f"EHLO {me}")
        if reply.kind == 5:
            reply = self.wire.ask(f"HELO {me}")
            reply = reply._replace(text="")
        if reply.code != 250:
            raise MailError(f"smtp: {reply.words()}", permanent=False)
        # The first line is the server's name. "AUTH=PLAIN" is how servers older than RFC 2554 write it.
        lines = [line.replace("=", " ", 1).upper().split(None, 1) for line in reply.text.split("\n")[1:]]
        self._offers = {words[0]: " ".join(words[1:]) for words in lines if words}

    def _secure(self, account: Account) -> None:
        if account.tls or not (account.require_starttls or "STARTTLS" in self._offers):
            return
        if "STARTTLS" not in self._offers:
            raise MailError("smtp: the server offers no STARTTLS, which SMTP_URL requires", permanent=True)
        reply = self.wire.ask("STARTTLS")
        if reply.code != 220:
            raise MailError(f"smtp: STARTTLS refused: {reply.words()}", permanent=False)
        context = ssl.create_default_context()
        if not account.require_starttls:
            # Opportunistic (RFC 7435): better than plain text; a local relay's own certificate is no reason to fail.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.wire.start_tls(context, account.host)
        # RFC 3207, 4.2: what was offered in clear text does not count any more.
        self._hello()

    def _sign_in(self, account: Account) -> None:
        if not account.user:
            return
        ways = self._offers.get("AUTH", "").split()
        if "PLAIN" in ways:
            reply = self._plain(account)
        elif "LOGIN" in ways:
            reply = self._login(account)
        else:
            raise MailError("smtp: the server offers no way to sign in that we know", permanent=True)
        if reply.code not in {235, 503}:
            raise MailError(f"smtp: sign-in refused: {reply.words()}", permanent=reply.kind == 5)

    def _plain(self, account: Account) -> Reply:
        secret = _base64(f"\0{account.user}\0{account.password}")
        reply = self.wire.ask(f"AUTH PLAIN {secret}")
        return self.wire.ask(secret) if reply.code == 334 else reply

    def _login(self, account: Account) -> Reply:
        reply = self.wire.ask("AUTH LOGIN")
        for secret in (account.user, account.password):
            if reply.code == 334:
                reply = self.wire.ask(_base64(secret))
        return reply

    def is_pipelining(self) -> bool:
        """Say whether the server takes commands in groups (RFC 2920)."""
        return "PIPELINING" in self._offers

    def takes_utf8(self) -> bool:
        """Say whether the server takes addresses that are not ASCII (RFC 6531)."""
        return "SMTPUTF8" in self._offers

    def most_octets(self) -> int:
        """Return how large a message may be (RFC 1870); 0 where the server names no limit."""
        size = self._offers.get("SIZE", "")
        return int(size) if size.isdecimal() else 0

    def leave(self) -> None:
        """Say goodbye if the server still listens, and give the socket back."""
        with suppress(Lost):
            self.wire.ask("QUIT")
        self.wire.close()


def _connect(account: Account, timeout: float) -> socket.socket:
    connected = socket.create_connection((account.host, account.port), timeout)
    if not account.tls:
        return connected
    try:
        return ssl.create_default_context().wrap_socket(connected, server_hostname=account.host)
    except (OSError, ValueError):
        connected.close()
        raise


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
