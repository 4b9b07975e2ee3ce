from dataclasses import replace

import pytest

from leadmagnet.rendering.clinic import Clinic


@pytest.mark.parametrize(
    ("phone", "href"),
    [
        ("604-555-0142", "tel:+16045550142"),
        ("(604) 555 0142 ext. 5", "tel:+16045550142"),
        ("1 604 555 0142", "tel:+16045550142"),
        ("+41 44 555 01 42", "tel:+41445550142"),
        ("044 55", "tel:04455"),
    ],
)
def test_phone_href(clinic: Clinic, phone: str, href: str) -> None:
    assert replace(clinic, phone=phone).phone_href == href


def test_booking_falls_back_to_the_telephone(clinic: Clinic) -> None:
    assert clinic.constants()["booking_url"] == "tel:+16045550142"
    assert clinic.constants(plain=True)["booking_url"] == "604-555-0142"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "book.example", " "])
def test_a_booking_link_is_a_web_address(clinic: Clinic, url: str) -> None:
    assert replace(clinic, booking_url=url).booking_link == ""


def test_constants_form_no_slot_and_no_line(clinic: Clinic) -> None:
    odd = replace(clinic, name="A{{leave_url}}\r\nB", booking_url="https://x.example/{{leave_url}}")
    assert odd.constants()["clinic_name"] == "A((leave_url)) B"
    assert odd.constants()["booking_url"] == "https://x.example/%7B%7Bleave_url%7D%7D"
