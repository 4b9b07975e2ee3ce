"""Emails that come back: what they say, of which delivery, and what anybody could have written who knows no id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmagnet.domain.signals import Signal
from leadmagnet.mail.reports import MOST_BYTES, Report, leave_ids, parse, read_report

ID = "Zk3-4vRt_9QwLmNoPqRs1A"
HEADERS = f"Subject: Video 2\nX-Leadmagnet-Delivery: {ID}\nMessage-ID: <{ID}@clinic.example>\nTo: anna@reader.example\n"


def dsn(
    fields: str, *, returned: str = HEADERS, kind: str = "text/rfc822-headers", report_type: str = "delivery-status"
) -> bytes:
    """A delivery status notification, as a mail server writes it."""
    return (
        "From: MAILER-DAEMON@mx.example\nTo: bounces@clinic.example\nSubject: Undelivered Mail\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={report_type}; boundary="b1"\n\n'
        "--b1\nContent-Type: text/plain\n\nI'm sorry.\n\n"
        "--b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\nArrival-Date: now\n\n"
        f"Final-Recipient: rfc822; anna@reader.example\n{fields}\n\n"
        f"--b1\nContent-Type: {kind}\n\n{returned}\n--b1--\n"
    ).encode()


def arf(kind: str, returned: str = HEADERS + "\nHello") -> bytes:
    """A complaint in the Abuse Reporting Format."""
    return (
        "From: fbl@mailbox.example\nTo: bounces@clinic.example\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b2\n\n"
        "--b2\nContent-Type: text/plain\n\nA complaint.\n\n"
        f"--b2\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: x/1\nVersion: 1\n\n"
        f"--b2\nContent-Type: message/rfc822\n\n{returned}\n--b2--\n"
    ).encode()


def read(raw: bytes) -> Report | None:
    message = parse(raw)
    assert message is not None
    return read_report(message)


@pytest.mark.parametrize(
    ("fields", "signal", "detail"),
    [
        ("Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no", Signal.BOUNCED_HARD, "550 5.1.1 no"),
        ("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.2.2 full", Signal.BOUNCED_SOFT, "550 5.2.2 full"),
        ("Action: Failed\nStatus: 4.4.7", Signal.BOUNCED_SOFT, "4.4.7"),
        ("Action: failed\nStatus: 5.7.26 (policy)", Signal.BLOCKED, "5.7.26 (policy)"),
        ("Action: failed\nStatus: 5.6.1", Signal.BLOCKED, "5.6.1"),
        ("Action: failed", Signal.BOUNCED_SOFT, ""),
        ("Action: delayed\nStatus: 4.4.1", Signal.DEFERRED, "4.4.1"),
        ("Action: delivered\nStatus: 2.0.0", Signal.DELIVERED, "2.0.0"),
        ("Action: relayed\nStatus: 2.0.0", Signal.OTHER, "2.0.0"),
        ("Action: failed\nDiagnostic-Code: smtp; =?utf-8?q?5=2E1=2E1?= gone", Signal.BOUNCED_HARD, "5.1.1 gone"),
    ],
)  # fmt: skip
def test_status_notifications(fields: str, signal: Signal, detail: str) -> None:
    assert read(dsn(fields)) == Report(ID, signal, detail)
    assert read(dsn(fields).replace(b"\n", b"\r\n")) == Report(ID, signal, detail)


@pytest.mark.parametrize(
    ("kind", "signal"),
    [
        ("abuse", Signal.COMPLAINED),
        ("Fraud", Signal.COMPLAINED),
        ("opt-out", Signal.UNSUBSCRIBED),
        ("not-spam", Signal.OTHER),
        ("virus", Signal.OTHER),
    ],
)
def test_complaints(kind: str, signal: Signal) -> None:
    assert read(arf(kind)) == Report(ID, signal, kind.lower())


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (HEADERS + "\nthe whole body", "message/rfc822"),
        (HEADERS, "text/rfc822-headers"),
        (f"Subject: x\nMessage-ID: <{ID}@clinic.example>\n", "text/rfc822-headers"),
        (f"Subject: x\nMessage-ID: <{ID}@clinic.example>\n\nbody", "message/rfc822"),
        (f"Your message:\n\nx-leadmagnet-delivery:   {ID}\nTo: anna", "text/plain"),
    ],
)
def test_the_id_is_found_wherever_a_server_puts_the_headers(returned: str, kind: str) -> None:
    report = read(dsn("Action: failed\nStatus: 5.1.1", returned=returned, kind=kind))
    assert report is not None
    assert report.delivery_id == ID


@pytest.mark.parametrize(
    "raw",
    [
        dsn("Action: failed\nStatus: 5.1.1", returned="To: victim@example.org\nMessage-ID: <short@x>\n"),
        arf("abuse", "From: us@clinic.example\nTo: victim@example.org\n\nno id"),
        dsn(""),
        dsn("Action: failed", returned="X-Leadmagnet-Delivery: not an id at all\n"),
        b"From: victim@example.org\n\nAction: failed\nStatus: 5.1.1\nX-Leadmagnet-Delivery: " + ID.encode(),
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n",
        b"Content-Type: message/delivery-status\n\n\n\n",
        b"Content-Type: message/feedback-report\n\n",
    ],
)  # fmt: skip
def test_what_names_no_delivery_says_nothing(raw: bytes) -> None:
    assert read(raw) is None


def test_a_bomb_of_parts_is_read_in_part() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
    message = parse(deep)
    assert message is None or read_report(message) is None
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: text/plain\n\nx\n" * 20_000
    message = parse(wide)
    assert message is not None
    assert read_report(message) is None
    assert parse(b"Subject: x\n\n" + b"x" * (MOST_BYTES * 2)) is not None


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (f"To: leave@clinic.example\nSubject: unsubscribe {ID}", [ID]),
        (f"To: x@y.example\nSubject: Re: unsubscribe\n {ID}", [ID]),
        (f"To: Leave <Leave+{ID}@Clinic.example>\nSubject: ", [ID]),
        (f"Delivered-To: leave+{ID}@clinic.example\nSubject: {ID}", [ID]),
        (f"To: other+{ID}@clinic.example\nSubject: please stop", []),
        (f"To: leave+{ID}@elsewhere.example", []),
        ("Subject: =?utf-8?q?unsubscribe_{}?=".format(ID.replace("_", "=5F")), [ID]),
        ("Subject: =?nonsense?q?unsubscribe?=", []),
        ("Subject: unsubscribe me, I am victim@example.org", []),
        (f"Subject: {ID}x{ID}", []),
    ],
)
def test_wishes_to_leave(headers: str, found: list[str]) -> None:
    message = parse(f"{headers}\n\nStop\n".encode())
    assert message is not None
    assert leave_ids(message, "leave@clinic.example") == found


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_anything_can_be_read(before: bytes, after: bytes) -> None:
    inside = dsn("Action: failed\nStatus: 5.1.1").replace(b"Status", before + b"\nStatus")
    for raw in (before, inside, before + arf("abuse") + after):
        message = parse(raw)
        assert message is not None
        found = read_report(message)
        assert found is None or found.delivery_id == ID
        assert isinstance(leave_ids(message, "leave@clinic.example"), list)
