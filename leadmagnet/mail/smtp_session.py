"""One connection to an SMTP server: opening it, and handing over one message with a clear verdict.

The verdict tells apart what a mail queue must not mix up: refused for good, refused for now, never handed over, and
handed over with no answer. Must not know: batches, slots, deliveries.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from leadmagnet.domain.message import MailError, Outcome
from leadmagnet.mail.headers import without_addresses

_FORM = "SMTP_URL must look like smtp://user:password@host:port, smtps://… or end in ?starttls=require"
_QUEUED_AS = re.compile(r"queued as ([\w.-]+)", re.ASCII)
#: The server wants credentials, or better ones: that concerns every letter.
_ABOUT_US = frozenset({503, 530, 534, 535, 538})
_CLOSING = 421
_GO_ON = 354


@dataclass(frozen=True, slots=True)
class Account:
    """Where to connect and as whom."""

    host: str
    port: int
    tls: bool = False
    require_starttls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> Account:
        """Read smtp://user:password@host:port?starttls=require. Raises ValueError, with no part of the URL in it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(_FORM) from None
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        wanted = query.pop("starttls", "")
        tls = parts.scheme == "smtps"
        if query or wanted not in {"", "require"} or (tls and wanted) or not _is_server(parts):
            raise ValueError(_FORM)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not (user + password).isascii():
            raise ValueError("the user name and password in SMTP_URL must be ASCII")
        return cls(parts.hostname or "", port or (465 if tls else 25), tls, wanted == "require", user, password)


def _is_server(parts: SplitResult) -> bool:
    return parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.path in {"", "/"} and not parts.fragment


class Verdict(NamedTuple):
    """What became of one message, and whether the connection can carry another."""

    outcome: Outcome
    detail: str
    alive: bool = True
    #: The server said 421: it closes this connection in good order and will take another one.
    may_reconnect: bool = False

    @property
    def queue_id(self) -> str:
        """Return the server's own id of the message, where it named one."""
        found = _QUEUED_AS.search(self.detail)
        return found[1] if found and self.outcome is Outcome.SENT else ""


class Session:
    """An open connection. Raises MailError where it cannot be opened: nothing was handed over then."""

    def __init__(self, account: Account, timeout: float) -> None:
        """Connect, secure and sign in."""
        self.delivered = 0
        try:
            self._smtp = _connect(account, timeout)
        except (OSError, smtplib.SMTPException) as error:
            raise MailError(f"smtp: {_words(error)}", permanent=False) from None
        try:
            self._smtp.ehlo_or_helo_if_needed()
            self._secure(account)
            self._sign_in(account)
        except MailError:
            self._smtp.close()
            raise
        except (OSError, smtplib.SMTPException) as error:
            self._smtp.close()
            raise MailError(f"smtp: {_words(error)}", permanent=False) from None

    def _secure(self, account: Account) -> None:
        if account.tls or not (account.require_starttls or self._smtp.has_extn("starttls")):
            return
        context = ssl.create_default_context()
        if not account.require_starttls:
            # Opportunistic (RFC 7435): better than plain text; a local relay's own certificate is no reason to fail.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        try:
            self._smtp.starttls(context=context)
        except smtplib.SMTPNotSupportedError:
            raise MailError("smtp: the server offers no STARTTLS, which SMTP_URL requires", permanent=True) from None
        self._smtp.ehlo()

    def _sign_in(self, account: Account) -> None:
        if not account.user:
            return
        try:
            self._smtp.login(account.user, account.password)
        except smtplib.SMTPAuthenticationError as error:
            raise MailError(f"smtp: sign-in refused: {_words(error)}", permanent=error.smtp_code >= 500) from None
        except (smtplib.SMTPServerDisconnected, smtplib.SMTPResponseException):
            raise
        except smtplib.SMTPException:
            raise MailError("smtp: the server offers no way to sign in that we know", permanent=True) from None

    def is_ready(self) -> bool:
        """Say whether the connection still stands, and clear what an earlier message may have left."""
        try:
            return self._smtp.rset()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def takes_utf8(self) -> bool:
        """Say whether the server takes addresses that are not ASCII."""
        return self._smtp.has_extn("smtputf8")

    def deliver(self, sender: str, recipient: str, raw: bytes) -> Verdict:
        """Hand over one message. Raises MailError where the server refuses us or the sender, not this message."""
        try:
            refusal = self._envelope(sender, recipient, utf8=not raw.isascii())
            if refusal:
                return refusal
            # If this fails, the closing dot at its end was not sent, so the server cannot have taken the message.
            self._smtp.send(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        except (OSError, smtplib.SMTPException) as error:
            return Verdict(Outcome.RETRY, f"connection lost before the message was handed over: {_words(error)}", False)
        try:
            code, text = self._smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return Verdict(Outcome.UNKNOWN, f"handed over, no answer: {_words(error)}", alive=False)
        if code // 100 not in {2, 4, 5}:
            return Verdict(Outcome.UNKNOWN, "handed over, answer not understood", alive=False)
        self.delivered += code // 100 == 2
        return _verdict(code, text)

    def _envelope(self, sender: str, recipient: str, *, utf8: bool) -> Verdict | None:
        """Say who writes to whom. Returns None where the server waits for the message."""
        code, text = self._smtp.mail(sender, ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else [])
        if code // 100 != 2 and code != _CLOSING:
            raise MailError(f"smtp: the sender was refused: {_reply(code, text)}", permanent=code // 100 == 5)
        if code // 100 == 2:
            code, text = self._smtp.rcpt(recipient)
        if code // 100 == 2:
            code, text = self._smtp.docmd("DATA")
        return None if code == _GO_ON else self._refusal(code, text)

    def _refusal(self, code: int, text: bytes) -> Verdict:
        if code in _ABOUT_US:
            raise MailError(f"smtp: the server refuses us: {_reply(code, text)}", permanent=True)
        if code // 100 not in {4, 5}:
            return Verdict(Outcome.RETRY, "answer not understood, nothing handed over", alive=False)
        verdict = _verdict(code, text)
        return verdict if not verdict.alive or self.is_ready() else verdict._replace(alive=False)

    def close(self) -> None:
        """Say goodbye if the server still listens, and give the socket back."""
        with suppress(OSError, smtplib.SMTPException):
            self._smtp.quit()
        self._smtp.close()


def _connect(account: Account, timeout: float) -> smtplib.SMTP:
    # Never smtplib's own choice of name: it asks the DNS, without a time-out.
    name = socket.gethostname()
    me = name if "." in name and name.isascii() else "[127.0.0.1]"
    if account.tls:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(account.host, account.port, local_hostname=me, timeout=timeout, context=context)
    return smtplib.SMTP(account.host, account.port, local_hostname=me, timeout=timeout)


def _verdict(code: int, text: bytes) -> Verdict:
    outcome = {2: Outcome.SENT, 4: Outcome.RETRY, 5: Outcome.REJECTED}[code // 100]
    return Verdict(outcome, _reply(code, text), alive=code != _CLOSING, may_reconnect=code == _CLOSING)


def _reply(code: int, text: bytes) -> str:
    return f"{code} {without_addresses(text.decode('utf-8', 'replace'))}"


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return _reply(error.smtp_code, text if isinstance(text, bytes) else str(text).encode())
    return without_addresses(str(error)) or type(error).__name__
