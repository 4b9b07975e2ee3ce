"""SMTP with several commands in flight: refusals, cuts and lies at every point must never cost or double a letter."""

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from leadmagnet.domain.message import MailError, Outcome
from leadmagnet.mail import SmtpMailer


def _load():
    path = Path(__file__).with_name("pipelining_server.py")
    spec = importlib.util.spec_from_file_location("leadmagnet_tests_pipelining_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


server_module = _load()
D1, D2, D3 = (f"d{number}@reader.example" for number in (1, 2, 3))
SENT, RETRY, REJECTED, UNKNOWN = Outcome.SENT, Outcome.RETRY, Outcome.REJECTED, Outcome.UNKNOWN
WAYS = [("PIPELINING", "ENHANCEDSTATUSCODES"), ("ENHANCEDSTATUSCODES",)]


@pytest.fixture
def serve():
    started = []

    def start(*offers):
        started.append(server_module.PipeliningServer(*offers))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def mailer_for():
    made = []

    def make(url, timeout=2.0, **options):
        made.append(SmtpMailer(url, timeout, **options))
        return made[-1]

    yield make
    for mailer in made:
        mailer.close()


def _outcomes(results):
    return [result.outcome for result in results]


def _letters(letter, count):
    return [letter(f"d{number}") for number in range(1, count + 1)]


def _check_each_got_its_own(server):
    for recipient, raw in server.received:
        assert f"X-Leadmagnet-Delivery: {recipient.partition('@')[0]}\r\n".encode() in raw
        assert raw.endswith(b"--=_leadmagnet--\r\n")


def test_the_next_envelope_travels_with_the_message(serve, mailer_for, batch, letter):
    server = serve()
    server.late = 0.05
    assert _outcomes(mailer_for(server.url).send(batch(*_letters(letter, 3)))) == [SENT] * 3
    assert server.ahead == [True, True, False]
    _check_each_got_its_own(server)


def test_a_server_without_pipelining_gets_one_command_at_a_time(serve, mailer_for, batch, letter):
    server = serve("SIZE 10000000")
    server.late = 0.02
    assert _outcomes(mailer_for(server.url).send(batch(*_letters(letter, 3)))) == [SENT] * 3
    assert server.ahead == [False] * 3
    _check_each_got_its_own(server)


@pytest.mark.parametrize("offers", WAYS)
@pytest.mark.parametrize("takes_nobody", [True, False])
@pytest.mark.parametrize(("answer", "outcome"), [("550 5.1.1 No such user", REJECTED), ("450 4.2.1 Busy", RETRY)])
def test_one_recipient_refused_in_the_middle(serve, mailer_for, batch, letter, offers, takes_nobody, answer, outcome):
    server = serve(*offers)
    server.takes_nobody = takes_nobody
    server.answers["rcpt"][D2] = answer
    results = mailer_for(server.url).send(batch(*_letters(letter, 3)))
    assert _outcomes(results) == [SENT, outcome, SENT]
    assert results[1].detail == answer
    assert [recipient for recipient, _ in server.received] == [D1, D3]
    assert len(server.connections) == 1
    _check_each_got_its_own(server)


@pytest.mark.parametrize("offers", WAYS)
@pytest.mark.parametrize("point", ["data", "final"])
def test_one_message_refused_in_the_middle(serve, mailer_for, batch, letter, offers, point):
    server = serve(*offers)
    server.answers[point][D2] = "552 5.3.4 Too big for me"
    results = mailer_for(server.url).send(batch(*_letters(letter, 3)))
    assert _outcomes(results) == [SENT, REJECTED, SENT]
    assert results[1].detail == "552 5.3.4 Too big for me"


@pytest.mark.parametrize("offers", WAYS)
@pytest.mark.parametrize("point", server_module.POINTS)
def test_cut_at_every_point(serve, mailer_for, batch, letter, offers, point):
    server = serve(*offers)
    # Without pipelining the server cannot know whom a MAIL is for.
    victim = "" if point == "mail" and "PIPELINING" not in offers else D2
    server.cut[victim] = point
    if not victim:
        with pytest.raises(MailError, match="connection lost before"):
            mailer_for(server.url, 0.5).send(batch(*_letters(letter, 3)))
        assert server.received == []
        return
    results = mailer_for(server.url, 0.5).send(batch(*_letters(letter, 3)))
    wanted = UNKNOWN if point in {"dot", "final"} else RETRY
    assert _outcomes(results) == [SENT, wanted, RETRY]
    taken = {recipient for recipient, _ in server.received}
    for result in results:
        assert result.outcome is not RETRY or f"{result.delivery_id}@reader.example" not in taken


def test_cut_in_the_message_before_its_end_left_is_tried_again(serve, mailer_for, batch, letter):
    server = serve()
    server.reset_in_message = True
    big = letter("d1", values={"name": "x", "link": "x" * 30_000_000})
    with pytest.raises(MailError, match="connection lost before"):
        mailer_for(server.url).send(batch(big, letter("d2")))
    assert server.received == []


@pytest.mark.parametrize("point", ["mail", "rcpt", "data", "final"])
def test_421_in_the_middle_costs_one_letter_a_try(serve, mailer_for, batch, letter, point):
    server = serve()
    server.answers[point][D2] = "421 4.7.0 Enough for one connection"
    assert _outcomes(mailer_for(server.url).send(batch(*_letters(letter, 4)))) == [SENT, RETRY, SENT, SENT]
    assert len(server.connections) == 2
    _check_each_got_its_own(server)


@pytest.mark.parametrize(
    ("point", "lie"),
    [
        ("data", "354 go on\r\n250 2.0.0 Ok: queued as LIE"),
        ("rcpt", "250 2.1.5 Ok\r\n250 2.1.5 Ok"),
        ("rcpt", "354 go on"),
        ("data", "250 2.0.0 Ok"),
        ("mail", "250-half"),
        ("data", "999 what"),
    ],
)
def test_a_server_that_lies_is_left_before_anything_is_handed_over(serve, mailer_for, batch, letter, point, lie):
    server = serve()
    server.answers[point][D2] = lie
    results = mailer_for(server.url, 0.3).send(batch(*_letters(letter, 3)))
    assert _outcomes(results) == [SENT, RETRY, RETRY]
    assert [recipient for recipient, _ in server.received] == [D1]


def test_a_server_that_says_too_much_at_the_end_is_left(serve, mailer_for, batch, letter):
    server = serve()
    server.answers["final"][D1] = "250 2.0.0 Ok\r\n250 2.0.0 Ok again"
    mailer = mailer_for(server.url, 0.3)
    assert _outcomes(mailer.send(batch(letter("d1")))) == [SENT]
    assert _outcomes(mailer.send(batch(letter("d2")))) == [SENT]
    assert len(server.connections) == 2


def test_a_server_that_offers_pipelining_and_cannot_do_it(serve, mailer_for, batch, letter):
    server = serve()
    server.loses_groups = True
    begun = time.monotonic()
    with pytest.raises(MailError, match="timed out"):
        mailer_for(server.url, 0.3).send(batch(*_letters(letter, 2)))
    assert server.received == []
    assert time.monotonic() - begun < 2


def test_a_batch_is_spread_over_a_few_connections(serve, mailer_for, batch, letter):
    server = serve()
    server.late = 0.002
    mailer = mailer_for(server.url)
    assert _outcomes(mailer.send(batch(*_letters(letter, 110)))) == [SENT] * 110
    assert len(server.connections) == 4
    assert len({recipient for recipient, _ in server.received}) == len(server.received) == 110
    mailer.send(batch(*_letters(letter, 110)))
    assert len(server.connections) == 4
    _check_each_got_its_own(server)


def test_a_server_that_allows_fewer_connections(serve, mailer_for, batch, letter, caplog):
    server = serve()
    server.most_connections = 2
    mailer = mailer_for(server.url)
    for _ in range(2):
        assert _outcomes(mailer.send(batch(*_letters(letter, 100)))) == [SENT] * 100
    assert len(server.connections) == 3
    assert "2 connections" in caplog.text


def test_when_one_connection_is_cut_the_others_go_on(serve, mailer_for, batch, letter):
    server = serve()
    server.late = 0.002
    server.cut["d30@reader.example"] = "dot"
    results = mailer_for(server.url).send(batch(*_letters(letter, 100)))
    assert [result.delivery_id for result in results if result.outcome is not SENT] == ["d30"]
    assert results[29].outcome is UNKNOWN
    assert len(server.received) == 99


def test_a_refused_sender_stops_all_connections(serve, mailer_for, batch, letter):
    server = serve()
    server.answers["mail"][D3] = "550 5.7.1 Not yours"
    results = mailer_for(server.url).send(batch(*_letters(letter, 100)))
    assert results[2].outcome is RETRY
    assert {result.outcome for result in results} <= {SENT, RETRY}
    taken = {recipient.partition("@")[0] for recipient, _ in server.received}
    assert taken == {result.delivery_id for result in results if result.outcome is SENT}


@pytest.mark.parametrize("offers", WAYS)
def test_connections_that_died_between_batches_cost_no_letter_a_try(serve, mailer_for, batch, letter, offers):
    server = serve(*offers)
    mailer = mailer_for(server.url)
    mailer.send(batch(*_letters(letter, 2)))
    server.drop_connections()
    assert _outcomes(mailer.send(batch(*_letters(letter, 2)))) == [SENT, SENT]
    assert len(server.connections) == 2


def test_a_letter_larger_than_the_server_takes_is_refused_here(serve, mailer_for, batch, letter):
    server = serve("PIPELINING", "SIZE 4000")
    big = letter("d2", values={"name": "x" * 5_000, "link": "x"})
    results = mailer_for(server.url).send(batch(letter("d1"), big, letter("d3")))
    assert _outcomes(results) == [SENT, REJECTED, SENT]
    assert "the server takes 4000" in results[1].detail


def test_words_before_the_encryption_are_not_believed(scripted, mailer_for, batch, letter):
    server = scripted("220 hello", "250-mx.example\r\n250 STARTTLS", "220 go\r\n250-mx.example\r\n250 AUTH PLAIN")
    with pytest.raises(MailError, match="before the encryption") as caught:
        mailer_for(server.url, 0.5).send(batch(letter("d1")))
    assert not caught.value.permanent


@pytest.mark.parametrize(("last", "permanent"), [("235 2.7.0 ok", None), ("535 5.7.8 Bad", True)])
def test_sign_in_by_login(scripted, mailer_for, batch, letter, last, permanent):
    lines = ("250-mx.example\r\n250 AUTH=LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", last, "550 5.7.1 enough")
    url = scripted("220 hello", *lines).url.replace("//", "//clinic:s3cret@")
    with pytest.raises(MailError, match="sign-in" if permanent else "sender") as caught:
        mailer_for(url, 0.5).send(batch(letter("d1")))
    assert caught.value.permanent


REQUIRE_ALL = os.environ.get("CI", "").lower() in ("1", "true") or os.environ.get("REQUIRE_ALL") == "1"
SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@pytest.mark.skipif(SINK is None and not REQUIRE_ALL, reason="Postfix's smtp-sink was not found")
@pytest.mark.parametrize("options", [(), ("-p",), ("-e",)], ids=["pipelining", "without pipelining", "HELO only"])
def test_postfix_takes_all(mailer_for, batch, letter, closed_port, options):
    assert SINK, "smtp-sink is required here and was not found"
    user = ("-u", "nobody") if os.geteuid() == 0 else ()
    with subprocess.Popen([SINK, *user, *options, f"127.0.0.1:{closed_port}", "64"]) as sink:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", closed_port), 1).close()
                break
            except OSError:
                time.sleep(0.02)
        results = mailer_for(f"smtp://127.0.0.1:{closed_port}").send(batch(*_letters(letter, 200)))
        sink.terminate()
    assert set(_outcomes(results)) == {SENT}
