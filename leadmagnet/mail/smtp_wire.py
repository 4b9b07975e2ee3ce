"""Octets to an SMTP server and its replies back, each within its time.

Must not know: what is said, or what it means.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from contextlib import suppress
from typing import NamedTuple

from leadmagnet.mail.headers import without_addresses

#: RFC 5321, 4.5.3.1.5: a reply line has at most 512 octets; servers say more.
_LONGEST_LINE = 4_096
_MOST_LINES = 100
#: A TLS record holds so many octets (RFC 8446, 5.1). A write that fails says nothing of the records before the last, so
#: each is written by itself: else a message could have arrived that we believe unsent.
_RECORD = 16_384
_LINE = re.compile(rb"([2-5]\d\d)([ -]?)(.*?)\r?\n", re.DOTALL)


class Lost(Exception):
    """The connection ended, fell silent, or says what cannot be understood: it is of no more use."""


class Reply(NamedTuple):
    """A code and the words of all lines."""

    code: int
    text: str

    @property
    def kind(self) -> int:
        """Return the first digit: 2 done, 3 go on, 4 not now, 5 never."""
        return self.code // 100

    def words(self) -> str:
        """Return code, enhanced code and text, fit for a log: without addresses."""
        return f"{self.code} {without_addresses(self.text)}"


class Wire:
    """A connected socket. `timeout` is in seconds, for each reply and each write."""

    def __init__(self, connected: socket.socket, timeout: float) -> None:
        """Take the socket over."""
        # Without this, the last commands of a batch wait for the acknowledgement of what went before (RFC 2920, 3.1).
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.settimeout(timeout)
        self._socket = connected
        self._timeout = timeout
        self._unread = bytearray()
        self._lines: list[bytes] = []

    def fileno(self) -> int:
        """Return the descriptor, to wait on."""
        return self._socket.fileno()

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Go on encrypted. Raises Lost, also where somebody has slipped in a reply before (CVE-2011-0411)."""
        if self._unread:
            raise Lost("the server speaks before the encryption begins")
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except (OSError, ValueError) as error:
            raise Lost(words_of(error)) from None

    def send(self, octets: bytes) -> int:
        """Return how many octets have left: fewer than all where the connection broke or the server stopped reading."""
        sent = 0
        step = _RECORD if isinstance(self._socket, ssl.SSLSocket) else len(octets)
        give_up = time.monotonic() + self._timeout
        rest = memoryview(octets)
        with suppress(OSError):
            while sent < len(octets) and time.monotonic() < give_up:
                sent += self._socket.send(rest[sent : sent + step])
        return sent

    def ask(self, *commands: str) -> Reply:
        """Send one command, or none, and wait for the reply. Raises Lost."""
        line = "".join(f"{command}\r\n" for command in commands).encode("ascii")
        if self.send(line) < len(line):
            raise Lost("connection lost")
        give_up = time.monotonic() + self._timeout
        while (reply := self.next_reply()) is None:
            if time.monotonic() > give_up:
                raise Lost("timed out")
            self.receive()
        return reply

    def receive(self) -> None:
        """Wait for octets and keep them. Raises Lost."""
        try:
            arrived = self._socket.recv(16_384)
            # What TLS has decrypted already does not make the descriptor readable.
            while isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                arrived += self._socket.recv(16_384)
        except OSError as error:
            raise Lost(words_of(error)) from None
        if not arrived:
            raise Lost("the server has closed the connection")
        self._unread += arrived

    def has_unread(self) -> bool:
        """Say whether the server has said more than was taken so far."""
        return bool(self._unread)

    def next_reply(self) -> Reply | None:
        """Return the next whole reply, None where it has not arrived yet. Raises Lost for what is no reply."""
        while b"\n" in self._unread:
            found = _LINE.match(self._unread)
            if not found or found.end() > _LONGEST_LINE or len(self._lines) > _MOST_LINES:
                raise Lost("answer not understood")
            code, mark, words = found.groups()
            del self._unread[: found.end()]
            self._lines.append(words)
            if mark != b"-":
                text = b"\n".join(self._lines).decode("utf-8", "replace")
                self._lines.clear()
                return Reply(int(code), text)
        if len(self._unread) > _LONGEST_LINE:
            raise Lost("answer not understood")
        return None

    def close(self) -> None:
        """Give the socket back."""
        with suppress(OSError):
            self._socket.close()


def words_of(error: Exception) -> str:
    """Return an error's words without addresses."""
    return without_addresses(str(error)) or type(error).__name__
