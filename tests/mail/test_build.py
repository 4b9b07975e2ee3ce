"""The transport setting becomes a mailer, or one line that says what is wrong."""

import pytest

from leadmagnet.mail import Failover, Outbox, SendGridMailer, SmtpMailer, mailer_from

SETTINGS = {
    "outbox_dir": "somewhere",
    "smtp_url": "smtp://mail.example",
    "sendgrid_api_key": "SG.x",
    "sendgrid_api_url": "https://api.eu.sendgrid.com",
}


@pytest.mark.parametrize(("name", "kind"), [("outbox", Outbox), ("smtp", SmtpMailer), ("sendgrid", SendGridMailer)])
def test_one_transport(name, kind):
    assert isinstance(mailer_from(name, **SETTINGS), kind)


def test_a_list_is_a_fail_over_order():
    mailer = mailer_from("sendgrid, smtp", **SETTINGS)
    assert isinstance(mailer, Failover)
    assert mailer.name == "sendgrid,smtp"


@pytest.mark.parametrize("bad", ["", "pigeon", "smtp,", "smtp,smtp", "SMTP"])
def test_other_words_are_refused(bad):
    with pytest.raises(ValueError, match="MAIL_TRANSPORT"):
        mailer_from(bad, **SETTINGS)


@pytest.mark.parametrize(
    ("transport", "setting"), [("outbox", "OUTBOX_DIR"), ("smtp", "SMTP_URL"), ("sendgrid", "SENDGRID_API_KEY")]
)
def test_what_a_transport_needs_is_named(transport, setting):
    with pytest.raises(ValueError, match=setting):
        mailer_from(transport)


@pytest.mark.parametrize(
    "url",
    [
        "http://u:secret@mail.example", "smtp://", "smtp://u:secret@mail.example:port", "smtp://u:sec/ret@mail.example:25",
        "smtp://u:secret@mail.example?starttls=maybe", "smtp://u:secret@mail.example?tls=1", "mail.example:25",
        "smtps://u:secret@mail.example?starttls=require", "smtp://u:secré@mail.example", "smtp://u:secret@mail.example/x",
    ],
)  # fmt: skip
def test_a_bad_smtp_url_is_refused_without_its_password(url):
    with pytest.raises(ValueError, match="SMTP_URL") as caught:
        SmtpMailer(url)
    assert "sec" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "SG x", "SG\r\nX: 1", "SGé"])
def test_a_bad_sendgrid_key_is_refused(key):
    with pytest.raises(ValueError, match="SENDGRID_API_KEY"):
        SendGridMailer(key)


@pytest.mark.parametrize("url", ["", "api.sendgrid.com", "ftp://x", "https://", "https://x?y=1", "file:///x"])
def test_a_bad_sendgrid_address_is_refused(url):
    with pytest.raises(ValueError, match="SENDGRID_API_URL"):
        SendGridMailer("SG.x", url)
