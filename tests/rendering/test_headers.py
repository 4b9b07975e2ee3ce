from collections.abc import Callable
from dataclasses import replace

import pytest

from leadmagnet.domain.status import DeliveryKind
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.headers import Headers, message_id
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.values import Reader

MakeReader = Callable[..., Reader]
LISTED = [DeliveryKind.VIDEO, DeliveryKind.FINISHED, DeliveryKind.REMINDER]


@pytest.mark.parametrize("kind", list(DeliveryKind))
def test_all_automatic_mail_says_so(reader: MakeReader, clinic: Clinic, links: Links, kind: DeliveryKind) -> None:
    headers = Headers(clinic, links).of(reader(kind=kind), "d-1_x")
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Leadmagnet-Delivery"] == "d-1_x"
    assert ("List-Unsubscribe" in headers) is (kind in LISTED)


def test_course_mail_can_be_left_with_one_click(reader: MakeReader, clinic: Clinic, links: Links) -> None:
    headers = Headers(replace(clinic, unsubscribe_mailto="leave@clinic.example"), links).of(reader(), "d1")
    assert headers["List-Unsubscribe"] == (
        "<https://videos.clinic.example/u/leave-me_7>, <mailto:leave@clinic.example?subject=unsubscribe%20leave-me_7>"
    )
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Id"] == "Six core videos <six-core-videos.videos.clinic.example>"


def test_without_a_mailto_only_the_web_address_is_named(reader: MakeReader, clinic: Clinic, links: Links) -> None:
    headers = Headers(clinic, links).of(reader(), "d1")
    assert headers["List-Unsubscribe"] == "<https://videos.clinic.example/u/leave-me_7>"


@pytest.mark.parametrize(
    ("sender", "last"),
    [
        ("hello@riversidephysio.example", "riversidephysio"),
        ("hello@ubc.ca", "ubcca"),
        ("hello@x.ch", "xchmailer"),
        ("Clinic <hello@ubc.ca>", "ubcca"),
    ],
)
def test_feedback_id_ends_with_a_sender_of_5_to_15_characters(
    reader: MakeReader, clinic: Clinic, links: Links, sender: str, last: str
) -> None:
    value = Headers(replace(clinic, mail_from=sender), links).of(reader(), "d1")["Feedback-ID"]
    assert value == f"video:six-core-videos:bird-dog:{last}"
    assert 5 <= len(last) <= 15


def test_values_are_ascii_on_one_line(reader: MakeReader, clinic: Clinic, links: Links) -> None:
    odd = reader(sequence_title="Zwölf\r\nX: y", sequence_slug="é\nb", step_slug="a:b\r\n", first_name="é\n")
    sender = replace(clinic, mail_from="hello@physio-zürich.example", unsubscribe_mailto="x@y.example>\r\nBcc: a@b")
    for name, value in Headers(sender, links).of(odd, "d1").items():
        assert value.isascii(), name
        assert "\n" not in value and "\r" not in value, name
    assert Headers(sender, links).of(odd, "d1")["Feedback-ID"].count(":") == 3


def test_a_letter_sent_once_more_has_the_same_message_id(clinic: Clinic) -> None:
    assert message_id("d-1_x", clinic) == message_id("d-1_x", clinic) == "<d-1_x@riversidephysio.example>"


@pytest.mark.parametrize("public_id", ["", "a b", "a\nb", "a>b", "ä"])
def test_an_id_that_is_not_ours_is_refused(clinic: Clinic, public_id: str) -> None:
    with pytest.raises(ValueError, match="public id"):
        message_id(public_id, clinic)
