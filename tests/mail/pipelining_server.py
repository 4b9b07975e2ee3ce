"""An SMTP server that offers PIPELINING, keeps what it took, and breaks off or lies where it is told to."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections import defaultdict

#: After these points of a letter, or before its first reply, the server can break off.
POINTS = ("mail", "rcpt", "data", "dot", "final")


class PipeliningServer:
    """Serves any number of connections. `answers[point][recipient]` replaces a reply; `cut[recipient]` is a point."""

    def __init__(self, *offers: str) -> None:
        self.offers = offers or ("PIPELINING", "ENHANCEDSTATUSCODES")
        self.answers: dict[str, dict[str, str]] = defaultdict(dict)
        self.cut: dict[str, str] = {}
        self.reset_in_message = False
        self.takes_nobody = False
        self.loses_groups = False
        self.late = 0.0
        self.most_connections = 99
        self.received: list[tuple[str, bytes]] = []
        self.ahead: list[bool] = []
        self.connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections.append(connection)
                refused = len(self.connections) > self.most_connections
                self._threads.append(threading.Thread(target=self._serve, args=(connection, refused)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket, refused: bool) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rwb") as stream:
            if refused:
                _say(stream, "421 4.7.0 Too many connections")
                return
            _Visit(self, connection, stream).run()
            if not self.reset_in_message:
                hang_up(connection)

    def drop_connections(self) -> None:
        """Close what is open, as a server does with idle ones."""
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_connections()
        for thread in [self._thread, *self._threads]:
            thread.join(5)
        for connection in self.connections:
            connection.close()


class _Visit:
    """One connection."""

    def __init__(self, server: PipeliningServer, connection: socket.socket, stream) -> None:
        self.server, self.connection, self.stream = server, connection, stream
        self.recipient = ""
        self.is_valid = False

    def run(self) -> None:
        _say(self.stream, "220 mx.example ESMTP")
        while line := self.stream.readline().decode().strip():
            if self.server.loses_groups and self._has_more():
                self.stream.read(len(self.stream.peek(1)))
            verb = line[:4].upper()
            if verb == "QUIT":
                _say(self.stream, "221 bye")
                return
            if not self._do(verb, line):
                return

    def _do(self, verb: str, line: str) -> bool:
        if verb in {"EHLO", "HELO"}:
            _say(self.stream, *[f"250-{offer}" for offer in ("mx.example", *self.server.offers)], "250 8BITMIME")
        elif verb == "RSET":
            self.recipient, self.is_valid = "", False
            _say(self.stream, "250 2.0.0 Ok")
        elif verb == "MAIL":
            # The envelope's first command does not say whom it is for; what follows it in the group does.
            following = (
                re.search(rb"RCPT TO:<([^>]*)>", self.stream.peek(1)) if "PIPELINING" in self.server.offers else None
            )
            return self._answer("mail", following[1].decode() if following else "", "250 2.1.0 Ok")
        elif verb == "RCPT":
            self.recipient = line.partition("<")[2].partition(">")[0]
            self.is_valid = self.server.answers["rcpt"].get(self.recipient, "250").startswith("250")
            return self._answer("rcpt", self.recipient, "250 2.1.5 Ok")
        elif verb == "DATA":
            return self._data()
        return True

    def _data(self) -> bool:
        wanted = self.is_valid or self.server.takes_nobody
        reply = "354 go on" if wanted else "554 5.5.1 No valid recipients"
        reply = self.server.answers["data"].get(self.recipient, reply)
        if not self._answer("data", self.recipient, reply) or not reply.startswith("354"):
            return self.server.cut.get(self.recipient) != "data"
        if self.server.reset_in_message:
            self.stream.read(100)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        raw = self._message()
        if raw is None or self.server.cut.get(self.recipient) == "dot":
            return False
        if self.is_valid:
            self.server.received.append((self.recipient, raw))
        time.sleep(self.server.late)
        self.server.ahead.append(self._has_more())
        return self._answer("final", self.recipient, "250 2.0.0 Ok: queued as AB12" if self.is_valid else "554 no one")

    def _has_more(self) -> bool:
        self.connection.setblocking(False)
        try:
            return bool(self.stream.peek(1))
        finally:
            self.connection.setblocking(True)

    def _message(self) -> bytes | None:
        lines = []
        while (line := self.stream.readline()) != b".\r\n":
            if not line:
                return None
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _answer(self, point: str, recipient: str, usual: str) -> bool:
        if self.server.cut.get(recipient) == point:
            return False
        _say(self.stream, self.server.answers[point].get(recipient, usual))
        return not self.server.answers[point].get(recipient, "").startswith("421")


def _say(stream, *lines: str) -> None:
    stream.write("".join(f"{line}\r\n" for line in lines).encode())
    stream.flush()


def hang_up(connection: socket.socket) -> None:
    """Close in good order: what was said arrives, what was not read does not destroy it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(0.2)
        while connection.recv(65_536):
            pass
