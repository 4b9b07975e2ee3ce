"""The bytes of a message: line lengths, encodings, and headers that stay as they are."""

import base64
import quopri
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.message import Content
from leadmagnet.mail import Composer, headers
from leadmagnet.mail.encoding import encoded_body


def _compose(batch, letter, **changes):
    return Composer(batch(letter, **changes)).message(letter)


def test_lines_and_order(batch, letter):
    raw = _compose(batch, letter(to_name="Zoë " * 40), from_name="Clinique de l'Été " * 5)
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    head, _, body = raw.partition(b"\r\n\r\n")
    names = [line.split(b":")[0].decode() for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert names == [
        "From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post",
        "List-Id", "Feedback-ID", "Auto-Submitted", "X-Leadmagnet-Delivery", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    long = [line for line in head.split(b"\r\n") if len(line) > 78]
    assert len(long) == 1
    assert long[0].startswith(b"List-Unsubscribe: <https://")
    for word in re.findall(rb"=\?.*?\?=", head):
        assert len(word) <= 75


def test_encoded_words_are_no_longer_than_a_line(batch, letter, parse_bytes):
    subject = "東京の運動 " * 60
    raw = _compose(batch, letter(), content=Content(subject, "<p>x</p>", "x"))
    assert parse_bytes(raw).subject == subject.strip()
    assert all(len(line) <= 76 for line in raw.split(b"\r\n") if line.startswith((b"Subject", b" =?")))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ann Reader", b"To: Ann Reader <d1@reader.example>"),
        ("Reader, Ann", b'To: "Reader, Ann" <d1@reader.example>'),
        ('Ann "A\\" R', b'To: "Ann \\"A\\\\\\" R" <d1@reader.example>'),
        ("", b"To: d1@reader.example"),
        ("\r\n\t ", b"To: d1@reader.example"),
        ("=?utf-8?q?x?=", b"To: =?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <d1@reader.example>"),
    ],
)
def test_display_names(batch, letter, parse_bytes, name, shown):
    raw = _compose(batch, letter(to_name=name))
    assert shown in raw.split(b"\r\n")
    assert parse_bytes(raw).to_name == " ".join(name.split())


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(codec="utf-8"), max_size=400))
def test_any_text_survives_its_encoding(text):
    encoding, body = encoded_body(text)
    decoded = base64.b64decode(body) if encoding == "base64" else quopri.decodestring(body)
    assert decoded.decode() == re.sub(r"\r\n|\r|\n", "\r\n", text)
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert not re.search(rb"[ \t](\r\n|$)", body)
    assert b"--=_" not in body


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=200))
def test_any_name_makes_one_header(text):
    for line in (headers.mailbox("To", text, "a@b.example"), headers.written("Subject", text)):
        assert line.isascii()
        assert "\x00" not in line
        assert not re.search(r"\r(?!\n)|(?<!\r)\n|\r\n(?! \S)", line)


def test_the_shorter_encoding_is_taken():
    assert encoded_body("<p>Hello é</p>")[0] == "quoted-printable"
    assert encoded_body("東京で運動")[0] == "base64"


def test_quoted_printable_protects_line_ends_and_lone_dots():
    assert encoded_body("word " * 5 + "\n.\nb\t")[1] == b"word word word word word=20\r\n=2E\r\nb=09"
    assert encoded_body("x" * 74 + " \ny")[1] == b"x" * 74 + b"=\r\n=20\r\ny"
    assert encoded_body("x" * 100) == ("quoted-printable", b"x" * 75 + b"=\r\n" + b"x" * 25)


@pytest.mark.parametrize(
    "value",
    ["a\r\nb", "a\nb", "a\rb", "a\x00b", "a\tb", "é", "", " a", "a ", "a\r\n b", "x" * 990, "\u2028"],
)
def test_machine_headers_are_whole_or_refused(letter, value):
    with pytest.raises(ValueError, match="List-Unsubscribe"):
        headers.own_lines(letter(headers={"Feedback-ID": "a:b:c:d", "List-Unsubscribe": value, "List-Id": "<a.b>"}))


def test_a_bar_is_a_character_like_any_other(letter):
    odd = {"List-Unsubscribe": "|", "List-Id": "| |", "Feedback-ID": "a|"}
    assert headers.own_lines(letter("d9", headers=odd)) == [
        "List-Unsubscribe: |",
        "List-Id: | |",
        "Feedback-ID: a|",
        "X-Leadmagnet-Delivery: d9",
    ]


def test_the_longest_line_is_998_octets(letter):
    longest, *_ = headers.own_lines(letter(headers={"Feedback-ID": "x" * 985}))
    assert len(longest) == 998
    with pytest.raises(ValueError, match="998"):
        headers.own_lines(letter(headers={"Feedback-ID": "x" * 986}))


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\r\nY", "É", "X\x00"])
def test_header_names_are_checked(letter, name):
    with pytest.raises(ValueError, match="header name"):
        headers.own_lines(letter(headers={name: "1"}))


def test_message_ids():
    assert headers.message_id("a@b.example") == headers.message_id("<a@b.example>") == "<a@b.example>"
    for bad in ("", "a", "<a@b", "<a@b>\r\nX: 1", "<a b@c>", "<é@b.example>", f"<{'x' * 990}@b.example>"):
        with pytest.raises(ValueError, match="Message-ID"):
            headers.message_id(bad)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("ann+six@reader.example", "ann+six@reader.example"),
        ("o'neil@reader.example", "o'neil@reader.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        # IDNA 2008: not another company's strasse.
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("zoë@reader.example", "zoë@reader.example"),
    ],
)
def test_addresses(given, written):
    assert headers.address(given) == written


@pytest.mark.parametrize(
    "bad",
    [
        "", "ann", "@reader.example", "ann@", "a b@reader.example", "ann@reader.example\r\nBcc: x@y.example",
        "<ann@reader.example>", "ann@reader.example, bob@reader.example", "a@b@c.example", '"a b"@reader.example',
        "ann@reader.example\n", "ann\u2028@reader.example", "a\u202eb@reader.example", "a..b@reader.example",
        "x" * 320 + "@reader.example", "ann@[127.0.0.1]", "\ud800@reader.example", "ann@\u00ad.example",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(bad):
    with pytest.raises(ValueError, match="email address") as caught:
        headers.address(bad)
    assert "reader" not in str(caught.value)


def test_own_headers_carry_the_delivery_once(letter):
    own = headers.own_headers(letter("d1", headers={"x-leadmagnet-delivery": "d2"}))
    assert own == {"X-Leadmagnet-Delivery": "d1"}
    with pytest.raises(ValueError, match="X-Leadmagnet-Delivery"):
        headers.own_headers(letter("d1\r\nBcc: x@y.example"))


def test_an_unusable_sender_is_refused_at_once(batch, letter):
    with pytest.raises(ValueError, match="email address"):
        Composer(batch(letter(), from_email="clinic"))
    with pytest.raises(ValueError, match="email address"):
        Composer(batch(letter(), reply_to="a@b.example\r\nBcc: x@y.example"))


def test_words_of_a_server_lose_their_addresses():
    said = "5.1.1 <ann@reader.example>: Recipient\r\n unknown; ask postmaster@mx.example"
    assert headers.without_addresses(said) == "5.1.1 <(address)>: Recipient unknown; ask (address)"
