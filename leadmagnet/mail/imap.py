"""A mailbox over IMAP (RFC 9051, by the standard library): what nobody has read yet, and marking it as read.

No address and no password is logged. Must not know: what the emails say.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

from leadmagnet.mail.headers import without_addresses

_FORM = "IMAP_URL must look like imaps://user:password@host/FOLDER, or imap://…?starttls=require"
#: Seconds for connecting and for each answer.
TIMEOUT = 30.0
_UID = re.compile(rb"\d+")


class MailboxAway(OSError):
    """The mailbox cannot be read now. The words hold no address and no password."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where to connect, as whom, and which folder to read."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"

    @classmethod
    def from_url(cls, url: str) -> Account:
        """Read the setting. Raises ValueError, with no part of the URL in it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(_FORM) from None
        host, tls = parts.hostname or "", parts.scheme == "imaps"
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        encrypted = query.pop("starttls", "") == "require"
        if parts.scheme not in ("imap", "imaps") or not host or query or parts.fragment or (tls and encrypted):
            raise ValueError(_FORM)
        if not (tls or encrypted or _is_loopback(host)):
            raise ValueError("IMAP_URL would send a password in the clear: use imaps://, or ?starttls=require")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        folder = unquote(parts.path.strip("/")) or "INBOX"
        if not (user and password) or not (user + password + folder).isascii() or '"' in folder or "\\" in folder:
            raise ValueError(_FORM)
        return cls(host, port or (993 if tls else 143), tls, user, password, folder)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


class Mailbox:
    """One folder, open for reading and marking."""

    def __init__(self, connection: imaplib.IMAP4) -> None:
        """Take a connection that has selected the folder."""
        self._connection = connection

    def unread(self, most: int, most_bytes: int) -> Iterator[tuple[str, bytes]]:
        """Give the id and the first octets of emails that nobody has read, the oldest first. Leaves them unread."""
        found = self._ask("SEARCH", None, "UNSEEN", "UNDELETED")
        uids = found[0] if found and isinstance(found[0], bytes) else b""
        for uid in _UID.findall(uids)[:most]:
            answer = self._ask("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{most_bytes}>)")
            raw = next((part[1] for part in answer if isinstance(part, tuple)), None)
            # Somebody else may have deleted it since.
            if raw is not None:
                yield uid.decode(), raw

    def mark_read(self, uid: str) -> None:
        """Mark an email as read."""
        self._ask("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")

    def _ask(self, *command: str | None) -> list[bytes | tuple[bytes, bytes] | None]:
        status, answer = self._connection.uid(*command)  # type: ignore[arg-type]  # None is SEARCH's "no charset"
        if status != "OK":
            raise MailboxAway(f"imap: {command[0]} was refused")
        return answer


@contextmanager
def opened(account: Account) -> Iterator[Mailbox]:
    """Connect, sign in and open the folder; leave at the end. Raises MailboxAway, also for what goes wrong within."""
    connection: imaplib.IMAP4 | None = None
    try:
        connection = _connected(account)
        connection.login(account.user, account.password)
        status, _ = connection.select(f'"{account.folder}"')
        if status != "OK":
            raise MailboxAway(f"imap: there is no folder {account.folder}")
        yield Mailbox(connection)
    except (imaplib.IMAP4.error, OSError) as error:
        if isinstance(error, MailboxAway):
            raise
        raise MailboxAway(f"imap: {without_addresses(str(error)) or type(error).__name__}") from None
    finally:
        if connection is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                connection.logout()


def _connected(account: Account) -> imaplib.IMAP4:
    if account.tls:
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(account.host, account.port, ssl_context=context, timeout=TIMEOUT)
    connection = imaplib.IMAP4(account.host, account.port, timeout=TIMEOUT)
    if not _is_loopback(account.host):
        connection.starttls(ssl.create_default_context())
    return connection
