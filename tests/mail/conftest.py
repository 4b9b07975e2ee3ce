"""What the mail tests share: letters, servers on loopback ports, and one rig per kind of mailer."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.utils import parseaddr
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller

from leadmagnet.domain.message import Batch, Content, Letter, Outcome, Result, UnknownSlot, expand
from leadmagnet.mail import Failover, Outbox, SendGridMailer, SmtpMailer
from leadmagnet.mail.headers import clean, own_headers

HERE = Path(__file__).parent


def _load(name: str):
    spec = importlib.util.spec_from_file_location(f"leadmagnet_tests_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


stand_in = _load("sendgrid_stand_in")

UNSUBSCRIBE = f"<https://clinic.example/u/{'t' * 120}>, <mailto:leave@clinic.example?subject={'t' * 60}>"
DATE = datetime(2026, 3, 9, 16, 0, tzinfo=UTC)


def _letter(delivery_id: str = "d1", **changes) -> Letter:
    letter = Letter(
        delivery_id=delivery_id,
        to_email=f"{delivery_id}@reader.example",
        to_name="Ann Reader",
        message_id=f"<{delivery_id}@clinic.example>",
        date=DATE,
        values={"name": "Ann", "link": f"https://clinic.example/v/{delivery_id}?a=1&b=2"},
        headers={
            "List-Unsubscribe": UNSUBSCRIBE,
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Id": "<videos.clinic.example>",
            "Feedback-ID": "video:six:clinic:leadmagnet",
            "Auto-Submitted": "auto-generated",
        },
    )
    return letter._replace(**changes)


def _batch(*letters: Letter, **changes) -> Batch:
    batch = Batch(
        content=Content(
            subject="{{name}}, your first video",
            html='<p>Hello {{name}}</p><p><a href="{{link}}">Watch</a> – now</p>',
            text="Hello {{name}}\n\nWatch: {{link}}\n",
        ),
        from_email="videos@clinic.example",
        from_name="Core Clinic",
        reply_to="desk@clinic.example",
        letters=letters,
    )
    return replace(batch, **changes)


@pytest.fixture
def letter() -> Callable[..., Letter]:
    return _letter


@pytest.fixture
def batch() -> Callable[..., Batch]:
    return _batch


@pytest.fixture
def unsubscribe() -> str:
    return UNSUBSCRIBE


@pytest.fixture
def no_proxy():
    """Requests to loopback go straight there, whatever the machine's environment says."""
    with _environment(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"):
        yield


@pytest.fixture
def environment():
    """Return a context manager that sets environment variables and puts them back."""
    return _environment


@contextlib.contextmanager
def _environment(**values: str):
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@pytest.fixture
def sendgrid(no_proxy):
    server = stand_in.StandIn()
    yield server
    server.close()


@pytest.fixture
def plan():
    return stand_in.Plan


@pytest.fixture
def sendgrid_key() -> str:
    return stand_in.KEY


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    return free_port()


class Handler:
    """An SMTP server's mind: it takes everything but what `rcpt`, `data`, `sender` say. Keys are addresses."""

    def __init__(self) -> None:
        self.received: list[SimpleNamespace] = []
        self.rcpt: dict[str, str] = {}
        self.data: dict[str, str] = {}
        self.sender = ""
        self.connections: set[object] = set()

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802  aiosmtpd's name
        self.connections.add(session.peer)
        if self.sender:
            return self.sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  aiosmtpd's name
        if address not in self.rcpt:
            envelope.rcpt_tos.append(address)
        return await self._say(server, self.rcpt.get(address, "250 OK"))

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  aiosmtpd's name
        self.received.append(
            SimpleNamespace(to=envelope.rcpt_tos[0], options=list(envelope.mail_options), raw=envelope.original_content)
        )
        return await self._say(server, self.data.get(envelope.rcpt_tos[0], "250 2.0.0 OK: queued as AB12"))

    async def _say(self, server, answer: str) -> str:
        if answer == "drop":
            server.transport.close()
        if answer == "slow":
            await asyncio.sleep(0.3)
            return "250 OK"
        if answer == "hang":
            await asyncio.sleep(60)
        return answer


@pytest.fixture
def smtp_server():
    """Return a function that starts a server and gives its handler, with `url`."""
    started = []

    def start(port: int = 0, **options) -> Handler:
        handler = Handler()
        controller = Controller(handler, hostname="127.0.0.1", port=port or free_port(), **options)
        controller.start()
        started.append(controller)
        handler.port = controller.port
        handler.url = f"smtp://127.0.0.1:{controller.port}"
        handler.stop = lambda: (started.remove(controller), controller.stop())
        return handler

    yield start
    for controller in list(started):
        controller.stop()


class Scripted:
    """A server for one connection that says fixed lines, whatever it is told: for what no decent server does."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rwb") as stream:
                for line in self._lines:
                    stream.write(line.encode() + b"\r\n")
                    stream.flush()
                    if line.startswith("354"):
                        while stream.readline() not in {b".\r\n", b""}:
                            pass
                    else:
                        stream.readline()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def scripted():
    servers = []

    def start(*lines: str) -> Scripted:
        servers.append(Scripted(list(lines)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class MemoryMailer:
    """A fake for tests of the rooms above: keeps what it is given, and does what `answers` says about an id."""

    name = "memory"
    batch_size = 1000
    has_evidence = True

    def __init__(self) -> None:
        self.sent: list[tuple[Letter, object, Batch]] = []
        self.answers: dict[str, Outcome] = {}
        self.refusal = None

    def send(self, batch: Batch) -> list[Result]:
        if self.refusal:
            raise self.refusal
        if any(batch.content.slots() - letter.values.keys() for letter in batch.letters):
            raise UnknownSlot("no value")
        return [self._take(letter, batch) for letter in batch.letters]

    def _take(self, letter: Letter, batch: Batch) -> Result:
        outcome = self.answers.get(letter.delivery_id, Outcome.SENT) if batch.may_begin() else Outcome.UNTRIED
        try:
            own_headers(letter)
        except ValueError as error:
            return Result(letter.delivery_id, Outcome.REJECTED, self.name, str(error))
        if outcome is Outcome.SENT:
            self.sent.append((letter, expand(batch.content, letter.values), batch))
        return Result(letter.delivery_id, outcome, self.name)

    def taken(self, delivery_id: str) -> bool:
        return any(letter.delivery_id == delivery_id for letter, _, _ in self.sent)

    def close(self) -> None:
        pass


@pytest.fixture
def memory() -> MemoryMailer:
    return MemoryMailer()


@dataclass
class Received:
    """One message as its reader sees it. `raw` is None where no MIME message is in our hands."""

    to_email: str
    to_name: str
    from_email: str
    subject: str
    text: str
    html: str
    headers: list[tuple[str, str]]
    raw: bytes | None = None


def from_bytes(raw: bytes) -> Received:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    (to,), (sender,) = message["To"].addresses, message["From"].addresses
    plain, rich = message.iter_parts()
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert not message.defects
    return Received(
        to_email=to.addr_spec,
        to_name=display_name(raw),
        from_email=sender.addr_spec,
        subject=str(message["Subject"]),
        text=plain.get_content().replace("\r\n", "\n"),
        html=rich.get_content().replace("\r\n", "\n"),
        headers=[(name, str(value)) for name, value in message.items()],
        raw=raw,
    )


def display_name(raw: bytes) -> str:
    """Return the reader's name by the older parser: the new one puts spaces between adjacent encoded words."""
    name, _ = parseaddr(message_from_bytes(raw)["To"])
    return str(make_header(decode_header(name)))


@pytest.fixture
def parse_bytes() -> Callable[[bytes], Received]:
    return from_bytes


@dataclass
class Rig:
    """A mailer and what its readers got."""

    mailer: object
    received: Callable[[], list[Received]]


def _from_stand_in(one) -> Received:
    return Received(
        one.to_email, one.to_name, one.sender["email"], one.subject, one.text, one.html, list(one.headers.items())
    )


def _from_memory(letter, expanded, batch) -> Received:
    parts = (expanded.subject, expanded.text, expanded.html)
    subject, text, html = (part.encode("utf-8", "replace").decode() for part in parts)
    headers = list(own_headers(letter).items())
    return Received(letter.to_email, clean(letter.to_name), batch.from_email, clean(subject), text, html, headers)


def _outbox_rig(directory: Path) -> Rig:
    return Rig(Outbox(directory), lambda: [from_bytes(path.read_bytes()) for path in sorted(directory.glob("new/*"))])


@pytest.fixture(params=["outbox", "smtp", "sendgrid", "failover", "memory"])
def rig(request, tmp_path, closed_port):
    if request.param == "smtp":
        server = request.getfixturevalue("smtp_server")()
        made = Rig(SmtpMailer(server.url, timeout=2), lambda: [from_bytes(one.raw) for one in server.received])
    elif request.param == "sendgrid":
        server = request.getfixturevalue("sendgrid")
        made = Rig(
            SendGridMailer(stand_in.KEY, server.url, 2), lambda: [_from_stand_in(one) for one in server.delivered]
        )
    elif request.param == "memory":
        fake = request.getfixturevalue("memory")
        made = Rig(fake, lambda: [_from_memory(*one) for one in fake.sent])
    else:
        made = _outbox_rig(tmp_path / "outbox")
        if request.param == "failover":
            made.mailer = Failover([SmtpMailer(f"smtp://127.0.0.1:{closed_port}", 1), made.mailer])
    yield made
    made.mailer.close()
