"""Fail-over with the real mailers against local servers: what moves on to the second, and what never does."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from leadmagnet.domain.message import MailError, Outcome
from leadmagnet.mail import Failover, SendGridMailer, SmtpMailer

SENT, UNKNOWN, RETRY, REJECTED = Outcome.SENT, Outcome.UNKNOWN, Outcome.RETRY, Outcome.REJECTED
#: Larger than what the sockets of both ends hold, so that a request is not written to its end.
LARGE = "x" * 12_000_000


@pytest.fixture
def second(smtp_server):
    return smtp_server()


@pytest.fixture
def pair(sendgrid, second, sendgrid_key) -> Iterator[Callable[..., Failover]]:
    """SendGrid, then SMTP; the first at its stand-in, or elsewhere."""
    made = []

    def make(url: str = "", timeout: float = 2.0, **more) -> Failover:
        first = SendGridMailer(sendgrid_key, url or sendgrid.url, timeout)
        made.append(Failover([first, SmtpMailer(second.url, timeout=2)], **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def went(results) -> list[tuple[Outcome, str]]:
    return [(result.outcome, result.provider) for result in results]


def seconds_got(second) -> list[str]:
    return [one.to.partition("@")[0] for one in second.received]


@contextlib.contextmanager
def mute(*, accepts: bool) -> Iterator[int]:
    """A port that takes connections and never reads; or takes none any more, because its queue is full."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(8 if accepts else 0)
        port = listener.getsockname()[1]
        for _ in range(0 if accepts else 2):
            full = opened.enter_context(socket.socket())
            full.setblocking(False)
            full.connect_ex(("127.0.0.1", port))
        yield port


def test_nobody_listens(pair, second, closed_port, batch, letter):
    mailer = pair(f"http://127.0.0.1:{closed_port}")
    assert went(mailer.send(batch(letter("d1")))) == [(SENT, "smtp")]
    assert seconds_got(second) == ["d1"]


def test_tls_fails_before_a_word_was_said(pair, sendgrid, second, batch, letter):
    mailer = pair(sendgrid.url.replace("http:", "https:"))
    assert went(mailer.send(batch(letter("d1")))) == [(SENT, "smtp")]
    assert sendgrid.requests == []


@pytest.mark.parametrize("accepts", [False, True], ids=["not connected", "request not written to its end"])
def test_a_time_out_before_the_request_has_left(pair, second, batch, letter, accepts):
    one = letter("d1", values={"name": "Ann", "link": "https://clinic.example/"})
    large = batch(one)
    large = replace(large, content=replace(large.content, html=f"<p>{{{{name}}}}{{{{link}}}}{LARGE}</p>"))
    with mute(accepts=accepts) as port:
        results = pair(f"http://127.0.0.1:{port}", timeout=0.4).send(large if accepts else batch(one))
    assert went(results) == [(SENT, "smtp")]
    assert seconds_got(second) == ["d1"]


@pytest.mark.parametrize("status", [301, 401, 403, 408, 429, 500, 503])
def test_a_definite_refusal_of_the_whole_moves_on(pair, sendgrid, second, plan, batch, letter, status):
    sendgrid.plans.append(plan(status=status))
    assert went(pair().send(batch(letter("d1"), letter("d2")))) == [(SENT, "smtp")] * 2
    assert (sendgrid.delivered, seconds_got(second)) == ([], ["d1", "d2"])


@pytest.mark.parametrize(
    "how",
    [
        {"late": 1.5, "accept_first": True, "status": 202},
        {"late": 1.5, "status": 503},
        {"cut": True, "accept_first": True},
        {"cut": True},
        {"status": 502},
        {"status": 504, "accept_first": True},
    ],
    ids=["late, taken", "late, refused", "cut, taken", "cut, not taken", "502", "504, taken"],
)
def test_what_nobody_knows_stays(pair, sendgrid, second, plan, batch, letter, how):
    sendgrid.plans.append(plan(**how))
    assert went(pair(timeout=0.4).send(batch(letter("d1"), letter("d2")))) == [(UNKNOWN, "sendgrid")] * 2
    assert second.received == []


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        ([{}, {"status": 503}], [SENT, RETRY]),
        ([{}, {"status": 401}], [SENT, RETRY]),
        ([{}, {"cut": True}], [SENT, UNKNOWN]),
        ([{"status": 504}], [UNKNOWN, RETRY]),
        ([{"cut": True}], [UNKNOWN, RETRY]),
    ],
)
def test_partly_answered_stays(pair, sendgrid, second, plan, batch, letter, plans, expected):
    """The same address twice makes two requests of a batch."""
    sendgrid.plans += [plan(**one) for one in plans]
    twice = [letter(name, to_email="same@reader.example") for name in ("d1", "d2")]
    assert went(pair().send(batch(*twice))) == [(outcome, "sendgrid") for outcome in expected]
    assert second.received == []


def test_a_letter_refused_alone_stays_refused(pair, sendgrid, second, batch, letter):
    sendgrid.refused.add("d2@reader.example")
    assert went(pair().send(batch(letter("d1"), letter("d2")))) == [(SENT, "sendgrid"), (REJECTED, "sendgrid")]
    assert second.received == []


def test_when_the_first_is_back_it_is_used_again(pair, sendgrid, second, plan, batch, letter, caplog):
    now = [0.0]
    mailer = pair(elapsed=lambda: now[0])
    sendgrid.plans.append(plan(status=429, headers={"Retry-After": "40"}))

    def provider(name: str) -> str:
        ((outcome, provider),) = went(mailer.send(batch(letter(name))))
        assert outcome is SENT
        return provider

    assert provider("d1") == "smtp"
    now[0] = 39.0
    assert provider("d2") == "smtp"
    assert len(sendgrid.requests) == 1, "it said when to come again"
    now[0] = 40.0
    assert provider("d3") == "sendgrid"
    assert "sendgrid takes batches again" in caplog.text
    sendgrid.plans.append(plan(status=500))
    assert [provider("d4"), provider("d5")] == ["smtp", "smtp"]
    now[0] += 15.0
    assert provider("d6") == "sendgrid"


def test_while_the_second_refuses_the_one_at_rest_is_asked_all_the_same(pair, sendgrid, second, plan, batch, letter):
    mailer = pair(elapsed=lambda: 0.0)
    sendgrid.plans.append(plan(status=503))
    second.sender = "451 4.3.0 not now"
    with pytest.raises(MailError, match=r"503.*; smtp.*451") as caught:
        mailer.send(batch(letter("d1")))
    assert not caught.value.permanent
    assert went(mailer.send(batch(letter("d1")))) == [(SENT, "sendgrid")]


@pytest.fixture
def backwards(sendgrid, sendgrid_key) -> Iterator[Callable[[str], Failover]]:
    """SMTP, then SendGrid."""
    made = []

    def make(url: str) -> Failover:
        made.append(Failover([SmtpMailer(url, timeout=0.4), SendGridMailer(sendgrid_key, sendgrid.url, 2)]))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    "lines",
    [
        ["554 5.3.2 no service here"],
        ["421 4.3.2 come later"],
        ["220 hello", "250 hello", "421 4.3.2 shutting down"],
        ["220 hello", "250 hello", "553 5.7.1 not your sender"],
        ["220 hello", "250 hello"],
    ],
    ids=["no service", "later", "421 before the first letter", "sender refused", "gone before the first letter"],
)
def test_smtp_refuses_as_a_whole(backwards, scripted, sendgrid, batch, letter, lines):
    results = backwards(scripted(*lines).url).send(batch(letter("d1"), letter("d2")))
    assert went(results) == [(SENT, "sendgrid")] * 2
    assert len(sendgrid.delivered) == 2


def test_a_server_that_falls_silent_before_the_first_letter(backwards, smtp_server, sendgrid, batch, letter):
    first = smtp_server()
    first.rcpt["d1@reader.example"] = "hang"
    assert went(backwards(first.url).send(batch(letter("d1"), letter("d2")))) == [(SENT, "sendgrid")] * 2
    assert first.received == []


@pytest.mark.parametrize(
    ("stage", "answer", "expected"),
    [
        ("rcpt", "450 4.2.0 greylisted", [SENT, RETRY, SENT]),
        ("rcpt", "550 5.1.1 nobody", [SENT, REJECTED, SENT]),
        ("rcpt", "421 4.7.0 enough", [SENT, RETRY, SENT]),
        ("rcpt", "hang", [SENT, RETRY, RETRY]),
        ("data", "hang", [SENT, UNKNOWN, RETRY]),
        ("data", "drop", [SENT, UNKNOWN, RETRY]),
    ],
)
def test_smtp_answers_for_each(backwards, smtp_server, sendgrid, batch, letter, stage, answer, expected):
    first = smtp_server()
    getattr(first, stage)["d2@reader.example"] = answer
    results = backwards(first.url).send(batch(letter("d1"), letter("d2"), letter("d3")))
    assert went(results) == [(outcome, "smtp") for outcome in expected]
    assert sendgrid.requests == []


def test_every_letter_greylisted_is_no_refusal_of_the_whole(backwards, smtp_server, sendgrid, batch, letter):
    first = smtp_server()
    first.rcpt |= {f"d{number}@reader.example": "450 4.2.0 greylisted" for number in (1, 2)}
    assert went(backwards(first.url).send(batch(letter("d1"), letter("d2")))) == [(RETRY, "smtp")] * 2
    assert sendgrid.requests == []
