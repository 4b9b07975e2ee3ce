"""What every mailer promises, run against each of them."""

import html
import re

import pytest

from leadmagnet.domain.message import Content, Outcome, UnknownSlot

HOSTILE = [
    "Ann\r\nBcc: victim@elsewhere.example\r\n\r\n<b>body</b>",
    "Ann\nX-Evil: 1",
    "Ann\x00\x0b\x0c\x85\u2028Reader",
    'Ann "the" O\'Reader, MD; <x@elsewhere.example>',
    "back\\slash\\",
    "{{link}} {{ name }}",
    "-h.link- -t.link- -s.link- -t.x-",
    "<script>alert(1)</script><img src=x onerror='y'>&amp;",
    '" onmouseover="x',
    "=?utf-8?q?=0D=0ABcc:_victim@elsewhere.example?=",
    "--=_leadmagnet\r\nContent-Type: text/html\r\n\r\nevil\r\n--=_leadmagnet--",
    "\u202egnp.exe",
    ".\r\n.\r\nMAIL FROM:<x@elsewhere.example>",
    "Zoë Élodie Nguyễn 🧘🏽 " * 12,
    "x" * 1500,
    "\ud83d half",
]


def test_each_letter_gets_one_result_in_order(rig, letter, batch):
    letters = [letter(f"d{number}") for number in (3, 1, 2)]
    results = rig.mailer.send(batch(*letters))
    assert [result.delivery_id for result in results] == ["d3", "d1", "d2"]
    assert {result.outcome for result in results} == {Outcome.SENT}
    assert all(result.provider for result in results)
    assert sorted(one.to_email for one in rig.received()) == [f"d{number}@reader.example" for number in (1, 2, 3)]


def test_an_empty_batch_has_no_results(rig, batch):
    assert rig.mailer.send(batch()) == []
    assert rig.received() == []


def test_both_parts_and_the_subject_are_filled(rig, letter, batch):
    rig.mailer.send(batch(letter("d1")))
    (one,) = rig.received()
    assert one.subject == "Ann, your first video"
    assert one.text == "Hello Ann\n\nWatch: https://clinic.example/v/d1?a=1&b=2\n"
    link = "https://clinic.example/v/d1?a=1&amp;b=2"
    assert one.html == f'<p>Hello Ann</p><p><a href="{link}">Watch</a> – now</p>'
    assert one.from_email == "videos@clinic.example"


def test_the_headers_of_the_contract_arrive_as_they_are(rig, letter, batch, unsubscribe):
    rig.mailer.send(batch(letter("d1")))
    (one,) = rig.received()
    headers = dict(one.headers)
    assert headers["List-Unsubscribe"] == unsubscribe
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Id"] == "<videos.clinic.example>"
    assert headers["Feedback-ID"] == "video:six:clinic:leadmagnet"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Leadmagnet-Delivery"] == "d1"
    if one.raw is not None:
        assert re.search(rb"^List-Unsubscribe: (.*?)\r?$", one.raw, re.M)[1].decode() == unsubscribe
        assert headers["Message-ID"] == "<d1@clinic.example>"
        assert headers["Date"] == "Mon, 09 Mar 2026 16:00:00 +0000"


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_text(rig, letter, batch, value):
    clean = letter("d0")
    one = letter("d1", to_name=value, values={"name": value, "link": "https://clinic.example/"})
    results = rig.mailer.send(batch(clean, one))
    assert [result.outcome for result in results] == [Outcome.SENT, Outcome.SENT]
    reference, received = sorted(rig.received(), key=lambda message: message.to_email)
    assert received.to_email == "d1@reader.example"
    assert [name for name, _ in received.headers] == [name for name, _ in reference.headers]
    assert not re.search(r"[\r\n\x00]", received.subject + received.to_name)
    # What cannot be written in UTF-8 arrives as a question mark.
    sound = value.encode("utf-8", "replace").decode()
    shown = received.html.removeprefix("<p>Hello ").removesuffix(
        '</p><p><a href="https://clinic.example/">Watch</a> – now</p>'
    )
    assert not set(shown) & set("<>\"'")
    assert _lines(html.unescape(shown)) == _lines(sound)
    assert _lines(received.text) == _lines(f"Hello {sound}\n\nWatch: https://clinic.example/\n")


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def test_names_and_subjects_beyond_ascii_arrive_right(rig, letter, batch):
    name = "Zoë Nguyễn-Łukasiewicz 東京 " + "é" * 60
    content = Content("Vidéo n° 1 pour {{name}} – " + "ü" * 80, "<p>é{{name}}</p>", "é{{name}}\n")
    rig.mailer.send(batch(letter("d1", to_name=name, values={"name": name}), content=content, from_name="Clinique Été"))
    (one,) = rig.received()
    assert one.to_name == name
    assert one.subject == f"Vidéo n° 1 pour {name} – " + "ü" * 80
    assert one.html == f"<p>é{name}</p>"
    assert one.text == f"é{name}\n"


@pytest.mark.parametrize(
    "headers",
    [
        {"List-Unsubscribe": "<https://x.example/>\r\nBcc: victim@elsewhere.example"},
        {"List-Unsubscribe": "<https://x.example/é>"},
        {"List-Unsubscribe": f"<https://x.example/{'x' * 1000}>"},
        {"Feedback-ID": "a\x00b"},
        {"X-Evil: 1\r\nX-Other": "1"},
        {"Bcc": "victim@elsewhere.example"},
        {"Content-Type": "text/html"},
        {"List-Id": "<a>", "list-id": "<b>"},
    ],
)
def test_a_header_that_is_not_safe_fails_its_letter_alone(rig, letter, batch, headers):
    bad, good = rig.mailer.send(batch(letter("d1", headers=headers), letter("d2")))
    assert (bad.outcome, good.outcome) == (Outcome.REJECTED, Outcome.SENT)
    assert bad.detail
    assert [one.to_email for one in rig.received()] == ["d2@reader.example"]


def test_a_missing_value_stops_before_anything_is_sent(rig, letter, batch):
    with pytest.raises(UnknownSlot):
        rig.mailer.send(batch(letter("d1"), letter("d2", values={"name": "Ann"})))
    assert rig.received() == []


def test_the_same_address_twice_gets_both(rig, letter, batch):
    twice = [letter(name, to_email="Same@reader.example") for name in ("d1", "d2")]
    results = rig.mailer.send(batch(*twice, letter("d3", to_email="same@reader.example")))
    assert [result.outcome for result in results] == [Outcome.SENT] * 3
    assert len(rig.received()) == 3


def test_it_may_be_used_again_after_close(rig, letter, batch):
    rig.mailer.send(batch(letter("d1")))
    rig.mailer.close()
    assert rig.mailer.send(batch(letter("d2")))[0].outcome is Outcome.SENT
    assert len(rig.received()) == 2


def test_taken_never_guesses(rig, letter, batch):
    rig.mailer.send(batch(letter("d1")))
    assert rig.mailer.taken("d1") in {True, None}
    assert rig.mailer.taken("d2") in {False, None}
    assert rig.mailer.batch_size >= 1
    assert isinstance(rig.mailer.has_evidence, bool)
