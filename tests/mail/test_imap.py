"""The mailbox over IMAP: read once, marked, by one process at a time; what goes wrong is one line without secrets."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from leadmagnet import mailbox, store
from leadmagnet.mail.imap import Account, MailboxAway
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

ID = "Zk3-4vRt_9QwLmNoPqRs1A"


class Server(socketserver.ThreadingTCPServer):
    """As much of an IMAP server as one client asks of it."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        self.emails: list[bytes] = []
        self.read: set[int] = set()
        self.password = "secret-word"
        super().__init__(("127.0.0.1", 0), _Talk)

    @property
    def url(self) -> str:
        return f"imap://clinic%40x:{self.password}@127.0.0.1:{self.server_address[1]}/Returned"


class _Talk(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.say("* OK ready")
        for line in self.rfile:
            tag, _, command = line.decode().strip().partition(" ")
            name = command.split(" ")[1 if command.startswith("UID") else 0].upper()
            if not getattr(self, f"do_{name.lower()}", lambda _command: True)(command):
                self.say(f"{tag} NO refused")
                continue
            self.say(f"{tag} OK done")
            if name == "LOGOUT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def do_capability(self, _command: str) -> bool:
        self.say("* CAPABILITY IMAP4rev1")
        return True

    def do_login(self, command: str) -> bool:
        return self.server.password in command

    def do_select(self, command: str) -> bool:
        self.say(f"* {len(self.server.emails)} EXISTS")
        return "Returned" in command

    def do_search(self, _command: str) -> bool:
        unread = [str(n) for n in range(1, len(self.server.emails) + 1) if n not in self.server.read]
        self.say("* SEARCH " + " ".join(unread))
        return True

    def do_fetch(self, command: str) -> bool:
        uid, most = (int(found) for found in re.findall(r"FETCH (\d+) .*<0\.(\d+)>", command)[0])
        raw = self.server.emails[uid - 1][:most]
        self.wfile.write(b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%b)\r\n" % (uid, uid, len(raw), raw))
        return True

    def do_store(self, command: str) -> bool:
        self.server.read.add(int(command.split(" ")[2]))
        return True


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def clinic(server: Server, new_config: Callable[..., Any], build_services: Callable[..., Any], hand_clock: Any) -> Any:
    services = build_services(new_config(imap_url=server.url, mail_unsubscribe="leave@clinic.example"), hand_clock)
    at = hand_clock.now().course
    with store.writing(services.engine) as session:
        for name in ("one", "two", "three"):
            columns = {"email": f"{name}@x.example", "email_canonical": f"{name}@x.example", "status": "active"}
            person = Subscriber(**columns, timezone="UTC", created_at=at, leave_id=f"leave-id-of-number-{name}")
            session.add(person)
            session.flush()
            row = {"subscriber_id": person.id, "kind": "reminder", "created_at": at, "due_at": at, "provider": "smtp"}
            session.add(Delivery(**row, public_id=f"delivery-number-{name}", status="sent"))
    return services


def states(services: Any) -> list[tuple[str, str]]:
    with store.reading(services.engine) as session:
        query = session.query(Subscriber.status, Delivery.status).join(Delivery).order_by(Subscriber.id)
        return [(one, two) for one, two in query]


def bounce(name: str) -> bytes:
    return (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nX-Leadmagnet-Delivery: delivery-number-{name}\r\n--b--\r\n"
    ).encode()


def complaint(name: str) -> bytes:
    return (
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: <delivery-number-{name}@clinic.example>\r\n\r\nx\r\n--b--\r\n"
    ).encode()


def test_the_mailbox_is_read_once_and_takes_effect_at_once(clinic: Any, server: Server) -> None:
    leaves = b"To: leave@clinic.example\r\nSubject: unsubscribe leave-id-of-number-three\r\n\r\n"
    forged = bounce("nobody-knows").replace(b"Status", b"Final-Recipient: rfc822; three@x.example\r\nStatus")
    server.emails = [bounce("one"), complaint("two"), leaves, b"Subject: hello\r\n\r\nA person", forged, bounce("one")]
    assert mailbox.look(clinic, "me") == {"bounce": 3, "complaint": 1, "unsubscribe": 1, "nothing": 1}
    assert states(clinic) == [("bounced", "bounced"), ("complained", "sent"), ("unsubscribed", "sent")]
    assert server.read == {1, 2, 3, 4, 5, 6}
    assert mailbox.look(clinic, "me") == {}
    with store.reading(clinic.engine) as session:
        assert session.query(store.events.ProviderEvent).count() == 3
        assert store.suppressions.counts(session) == {"bounced": 1, "complained": 1}


def test_one_process_reads_at_a_time(clinic: Any, server: Server) -> None:
    server.emails = [bounce("one")]
    with store.writing(clinic.engine) as session:
        store.leases.take(session, mailbox.LEASE, "other", clinic.clock.now().real, 100)
    assert mailbox.look(clinic, "me") == {}
    assert server.read == set()
    with store.writing(clinic.engine) as session:
        store.leases.release(session, mailbox.LEASE, "other", clinic.clock.now().real)
    assert mailbox.look(clinic, "me") == {"bounce": 1}


def test_what_goes_wrong_is_a_line_without_secrets(clinic: Any, server: Server) -> None:
    server.password = "another-word"
    with pytest.raises(MailboxAway) as caught:
        mailbox.look(clinic, "me")
    assert "secret-word" not in str(caught.value)
    server.shutdown()
    server.server_close()
    with pytest.raises(MailboxAway, match="imap"):
        mailbox.look(clinic, "me")


@pytest.mark.parametrize(
    "url",
    [
        "imaps://user:word@mail.example/Bounces",
        "imaps://user:word@mail.example",
        "imap://user:word@mail.example:1143/?starttls=require",
        "imap://user:word@127.0.0.1",
    ],
)
def test_accounts(url: str) -> None:
    account = Account.from_url(url)
    assert (account.user, account.password) == ("user", "word")
    assert account.port in (993, 1143, 143)
    assert "word" not in repr(account)


@pytest.mark.parametrize(
    "url",
    [
        "imap://user:word@mail.example",
        "imaps://mail.example",
        "imaps://user@mail.example",
        "https://user:word@mail.example",
        "imaps://user:word@mail.example:port",
        "imaps://user:word@mail.example/a%22b",
        "imaps://user:word@mail.example?starttls=require",
        "imaps://user:word@/x",
    ],
)
def test_unusable_accounts_are_refused_without_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="IMAP_URL") as caught:
        Account.from_url(url)
    assert ":word@" not in str(caught.value)
