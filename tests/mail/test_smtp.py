"""SMTP against real servers: what each kind of refusal, silence and loss means for each letter."""

import datetime
import ipaddress
import logging
import ssl
import time

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadmagnet.domain.message import MailError, Outcome
from leadmagnet.mail import SmtpMailer


@pytest.fixture
def mailer_for():
    made = []

    def make(url, timeout=2.0):
        made.append(SmtpMailer(url, timeout))
        return made[-1]

    yield make
    for mailer in made:
        mailer.close()


def _outcomes(results):
    return [result.outcome for result in results]


def _three(letter):
    return [letter(f"d{number}") for number in (1, 2, 3)]


def test_one_connection_serves_many_batches(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    mailer = mailer_for(server.url)
    mailer.send(batch(*_three(letter)))
    mailer.send(batch(letter("d4")))
    assert len(server.received) == 4
    assert len(server.connections) == 1


def test_the_queue_id_is_kept(smtp_server, mailer_for, batch, letter):
    (result,) = mailer_for(smtp_server().url).send(batch(letter("d1")))
    assert (result.outcome, result.provider, result.provider_id) == (Outcome.SENT, "smtp", "AB12")


@pytest.mark.parametrize("stage", ["rcpt", "data"])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("451 4.7.1 Greylisted, try later", Outcome.RETRY), ("550 5.1.1 No such mailbox", Outcome.REJECTED)],
)
def test_one_refusal_concerns_one_letter(smtp_server, mailer_for, batch, letter, stage, answer, outcome):
    server = smtp_server()
    getattr(server, stage)["d2@reader.example"] = answer
    results = mailer_for(server.url).send(batch(*_three(letter)))
    assert _outcomes(results) == [Outcome.SENT, outcome, Outcome.SENT]
    assert results[1].detail == answer
    assert len(server.connections) == 1


def test_details_hold_no_address(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    server.rcpt["d1@reader.example"] = "550 5.1.1 <d1@reader.example>: Recipient address rejected"
    (result,) = mailer_for(server.url).send(batch(letter("d1")))
    assert result.detail == "550 5.1.1 <(address)>: Recipient address rejected"


def test_lost_after_the_dot_is_unknown_and_stops(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    server.data["d2@reader.example"] = "drop"
    mailer = mailer_for(server.url)
    assert _outcomes(mailer.send(batch(*_three(letter)))) == [Outcome.SENT, Outcome.UNKNOWN, Outcome.RETRY]
    assert [one.to for one in server.received] == ["d1@reader.example", "d2@reader.example"]
    assert _outcomes(mailer.send(batch(letter("d3")))) == [Outcome.SENT]
    assert len(server.connections) == 2


def test_silence_after_the_dot_is_unknown(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    server.data["d1@reader.example"] = "hang"
    begun = time.monotonic()
    results = mailer_for(server.url, timeout=0.3).send(batch(*_three(letter)))
    assert _outcomes(results) == [Outcome.UNKNOWN, Outcome.RETRY, Outcome.RETRY]
    assert time.monotonic() - begun < 2


def test_a_slow_server_gives_the_rest_of_a_batch_back(smtp_server, batch, letter):
    server = smtp_server()
    server.data["d1@reader.example"] = "slow"
    mailer = SmtpMailer(server.url, timeout=2, batch_seconds=0.2)
    assert _outcomes(mailer.send(batch(*_three(letter)))) == [Outcome.SENT, Outcome.RETRY, Outcome.RETRY]
    mailer.close()


@pytest.mark.parametrize("behaviour", ["drop", "hang"])
def test_lost_before_the_data_is_tried_again(smtp_server, mailer_for, batch, letter, behaviour):
    server = smtp_server()
    server.rcpt["d2@reader.example"] = behaviour
    results = mailer_for(server.url, timeout=0.3).send(batch(*_three(letter)))
    assert _outcomes(results) == [Outcome.SENT, Outcome.RETRY, Outcome.RETRY]
    assert len(server.received) == 1


def test_421_costs_its_letter_a_try_and_the_rest_goes_on(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    server.rcpt["d2@reader.example"] = "421 4.7.0 Too many messages on this connection"
    assert _outcomes(mailer_for(server.url).send(batch(*_three(letter)))) == [
        Outcome.SENT,
        Outcome.RETRY,
        Outcome.SENT,
    ]
    assert len(server.connections) == 2


def test_421_before_anything_was_taken_stops(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    server.sender = "421 4.3.2 Shutting down"
    with pytest.raises(MailError, match="Shutting down") as caught:
        mailer_for(server.url).send(batch(*_three(letter)))
    assert not caught.value.permanent
    assert len(server.connections) == 1


def test_nobody_listening(mailer_for, closed_port, batch, letter):
    with pytest.raises(MailError) as caught:
        mailer_for(f"smtp://127.0.0.1:{closed_port}").send(batch(letter("d1")))
    assert not caught.value.permanent


@pytest.mark.parametrize("greeting", ["421 4.3.2 Not now", "554 5.7.1 Not you", "SSH-2.0-OpenSSH_9.2"])
def test_a_bad_greeting(scripted, mailer_for, batch, letter, greeting):
    with pytest.raises(MailError) as caught:
        mailer_for(scripted(greeting).url, 0.3).send(batch(letter("d1")))
    assert not caught.value.permanent


def test_a_server_that_closes_during_the_greeting(scripted, mailer_for, batch, letter):
    with pytest.raises(MailError) as caught:
        mailer_for(scripted("220 hello").url, 0.3).send(batch(letter("d1")))
    assert not caught.value.permanent


HELLO = ("220 hello", "250 mx.example")


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        (("250 ok", "nonsense"), None),
        (("250 ok", "250 ok", "250 no data wanted"), None),
        (("250 ok", "250 ok", "354 go on", "nonsense"), Outcome.UNKNOWN),
        (("250 ok", "250 ok", "354 go on", "354 go on"), Outcome.UNKNOWN),
        (("250 ok", "250 ok", "354 go on", "250-half an answer"), Outcome.UNKNOWN),
    ],
)
def test_answers_that_make_no_sense(scripted, mailer_for, batch, letter, lines, outcome):
    mailer, two = mailer_for(scripted(*HELLO, *lines).url, 0.3), batch(letter("d1"), letter("d2"))
    if outcome is None:
        with pytest.raises(MailError, match="not understood"):
            mailer.send(two)
        return
    results = mailer.send(two)
    assert _outcomes(results) == [outcome, Outcome.RETRY]


def test_a_password_refused_stops_the_queue(smtp_server, mailer_for, batch, letter, caplog):
    caplog.set_level(logging.DEBUG)
    server = smtp_server(authenticator=lambda *_: AuthResult(success=False, handled=False), auth_require_tls=False)
    url = server.url.replace("//", "//clinic:s3cret@")
    with pytest.raises(MailError) as caught:
        mailer_for(url).send(batch(letter("d1")))
    assert caught.value.permanent
    assert "s3cret" not in str(caught.value)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("leadmagnet")]
    assert not any("s3cret" in line or "reader.example" in line for line in ours)
    assert "s3cret" not in repr(mailer_for(url).__dict__)


def test_a_password_accepted(smtp_server, mailer_for, batch, letter):
    seen = []

    def check(server, session, envelope, mechanism, data):
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    server = smtp_server(authenticator=check, auth_require_tls=False)
    url = server.url.replace("//", "//clinic%40x:p%2Fw@")
    assert _outcomes(mailer_for(url).send(batch(letter("d1")))) == [Outcome.SENT]
    assert seen == [(b"clinic@x", b"p/w")]


@pytest.mark.parametrize(("answer", "permanent"), [("535 5.7.8 Bad", True), ("454 4.7.0 Later", False)])
def test_refused_sign_in_by_code(scripted, mailer_for, batch, letter, answer, permanent):
    url = scripted("220 hello", "250-mx.example\r\n250 AUTH PLAIN", answer).url.replace("//", "//clinic:s3cret@")
    with pytest.raises(MailError) as caught:
        mailer_for(url, 0.3).send(batch(letter("d1")))
    assert caught.value.permanent is permanent


def test_no_way_to_sign_in_is_for_a_person(scripted, mailer_for, batch, letter):
    url = scripted(*HELLO).url.replace("//", "//clinic:s3cret@")
    with pytest.raises(MailError, match="sign in") as caught:
        mailer_for(url, 0.3).send(batch(letter("d1")))
    assert caught.value.permanent


@pytest.mark.parametrize(("answer", "permanent"), [("550 5.7.1 Not yours", True), ("451 4.3.0 Later", False)])
def test_a_refused_sender_stops_the_queue(smtp_server, mailer_for, batch, letter, answer, permanent):
    server = smtp_server()
    server.sender = answer
    with pytest.raises(MailError, match="sender") as caught:
        mailer_for(server.url).send(batch(letter("d1")))
    assert caught.value.permanent is permanent


def test_a_server_that_wants_a_sign_in_stops_the_queue(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    server.rcpt["d1@reader.example"] = "530 5.7.0 Authentication required"
    with pytest.raises(MailError) as caught:
        mailer_for(server.url).send(batch(*_three(letter)))
    assert caught.value.permanent


def test_a_refusal_of_us_half_way_keeps_what_was_sent(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    server.rcpt["d2@reader.example"] = "530 5.7.0 Authentication required"
    results = mailer_for(server.url).send(batch(*_three(letter)))
    assert _outcomes(results) == [Outcome.SENT, Outcome.RETRY, Outcome.RETRY]


def test_a_dropped_idle_connection_is_opened_again(smtp_server, mailer_for, batch, letter):
    first = smtp_server()
    mailer = mailer_for(first.url)
    mailer.send(batch(letter("d1")))
    first.stop()
    with pytest.raises(MailError):
        mailer.send(batch(letter("d2")))
    second = smtp_server(port=first.port)
    assert _outcomes(mailer.send(batch(letter("d2")))) == [Outcome.SENT]
    assert [one.to for one in second.received] == ["d2@reader.example"]


def test_lines_that_begin_with_a_dot_arrive(smtp_server, mailer_for, batch, letter, parse_bytes):
    server = smtp_server()
    text = "one\n.\n..two\n.\n"
    one = letter("d1", values={"name": text + "x" * 200, "link": "y"})
    mailer_for(server.url).send(batch(one))
    assert text in parse_bytes(server.received[0].raw).text


def test_addresses_beyond_ascii_need_the_server_to_agree(smtp_server, mailer_for, batch, letter, parse_bytes):
    zoe = letter("d1", to_email="zoë@bücher.example")
    able = smtp_server()
    assert _outcomes(mailer_for(able.url).send(batch(zoe, letter("d2")))) == [Outcome.SENT] * 2
    assert [one.to for one in able.received] == ["zoë@xn--bcher-kva.example", "d2@reader.example"]
    assert "SMTPUTF8" in able.received[0].options
    assert able.received[1].options == []
    assert "zoë@xn--bcher-kva.example".encode() in able.received[0].raw
    unable = smtp_server(enable_SMTPUTF8=False)
    results = mailer_for(unable.url).send(batch(zoe, letter("d2")))
    assert _outcomes(results) == [Outcome.REJECTED, Outcome.SENT]
    assert "SMTPUTF8" in results[0].detail
    with pytest.raises(MailError, match="SMTPUTF8") as caught:
        mailer_for(unable.url).send(batch(letter("d1"), from_email="clinique-été@clinic.example"))
    assert caught.value.permanent


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return a server's TLS context and the file that makes clients trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, *formats))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, private)
    return context, cert


@pytest.fixture
def trusted(certificate, environment):
    with environment(SSL_CERT_FILE=str(certificate[1])):
        yield


def test_tls_from_the_start(smtp_server, mailer_for, batch, letter, certificate, trusted):
    server = smtp_server(ssl_context=certificate[0])
    mailer = mailer_for(server.url.replace("smtp:", "smtps:"))
    assert _outcomes(mailer.send(batch(letter("d1")))) == [Outcome.SENT]


def test_starttls_required_and_verified(smtp_server, mailer_for, batch, letter, certificate, trusted):
    server = smtp_server(tls_context=certificate[0], require_starttls=True)
    assert _outcomes(mailer_for(server.url + "?starttls=require").send(batch(letter("d1")))) == [Outcome.SENT]


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_stranger_is_not_trusted(smtp_server, mailer_for, batch, letter, certificate, scheme):
    if scheme == "smtps":
        url = smtp_server(ssl_context=certificate[0]).url.replace("smtp:", "smtps:")
    else:
        url = smtp_server(tls_context=certificate[0]).url + "?starttls=require"
    with pytest.raises(MailError) as caught:
        mailer_for(url).send(batch(letter("d1")))
    assert not caught.value.permanent


def test_starttls_is_taken_where_it_is_offered(smtp_server, mailer_for, batch, letter, certificate):
    server = smtp_server(tls_context=certificate[0], require_starttls=True)
    assert _outcomes(mailer_for(server.url).send(batch(letter("d1")))) == [Outcome.SENT]


def test_starttls_required_and_not_offered(smtp_server, mailer_for, batch, letter):
    server = smtp_server()
    with pytest.raises(MailError, match="STARTTLS") as caught:
        mailer_for(server.url + "?starttls=require").send(batch(letter("d1")))
    assert caught.value.permanent
    assert server.received == []
