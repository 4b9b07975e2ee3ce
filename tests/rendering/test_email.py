import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from leadmagnet.domain.message import expand
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.document import BadDocument
from leadmagnet.rendering.email import TEMPLATES, compile_email
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.slots import READER_SLOTS
from leadmagnet.rendering.values import Reader, Values

MakeReader = Callable[..., Reader]
HOST = "https://videos.clinic.example"


def test_content_keeps_slots_for_the_reader_and_fills_the_clinic(video: str, clinic: Clinic) -> None:
    content = compile_email(video, clinic, HOST)
    assert content.subject == "Bird dog: reach and stay level"
    assert {"comma_name", "video_url", "video_length", "next_line", "page_url", "leave_url"} <= content.slots()
    assert content.slots() <= READER_SLOTS
    for part in (content.html, content.text):
        assert "2210 Marine Crescent" in part
        assert "604-555-0142" in part


def test_a_video_shows_its_poster_twice_and_links_it(video: str, clinic: Clinic) -> None:
    html = compile_email(video, clinic, HOST).html
    assert re.findall(r'src="([^"]+)"', html) == [f"{HOST}/media/email/4.png", f"{HOST}/media/email/4-dark.png"]
    assert html.count('href="{{video_url}}"') == 2
    assert html.count('alt="Video 4: bird dog. A woman kneels on a mat."') == 2


def test_a_video_without_a_poster_has_no_picture(video: str, clinic: Clinic) -> None:
    assert "<img" not in compile_email(video.replace("email_poster: media/email/4.png\n", ""), clinic, HOST).html


@pytest.mark.parametrize(
    ("number", "videos", "words", "done"),
    [(4, 6, "Video 4 of 6", 4), (7, 6, "Video 7 of 7", 7), (1, 8, "Video 1 of 8", 1)],
)
def test_the_place_in_the_course(video: str, clinic: Clinic, number: int, videos: int, words: str, done: int) -> None:
    html = compile_email(video.replace("number: 4", f"number: {number}"), clinic, HOST, videos=videos).html
    assert words in html
    assert html.count('class="yes"') == done
    assert html.count('class="yes"') + html.count('class="no"') == max(videos, number)


def test_styles_are_inline_and_one_block_is_kept(video: str, clinic: Clinic) -> None:
    html = compile_email(video, clinic, HOST).html
    assert html.count("<style>") == 1
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 620px" in html
    assert not re.search(r'<(?:td|p|h1)(?! [^>]*(?:style|width="4"))', html.partition("<body")[2])


def test_every_table_is_for_layout(video: str, clinic: Clinic) -> None:
    html = compile_email(video, clinic, HOST).html
    assert html.count("<table") == html.count('role="presentation"')


def test_the_reviewer_is_named_once_there_is_one(video: str, clinic: Clinic) -> None:
    sample = "Sample content, not yet reviewed by a clinician."
    reviewed = compile_email(video, replace(clinic, reviewer="Dr. Ma, PT"), HOST)
    for before, after in zip(
        (compile_email(video, clinic, HOST).html, " ".join(compile_email(video, clinic, HOST).text.split())),
        (reviewed.html, reviewed.text),
        strict=True,
    ):
        assert sample in before
        assert sample not in after
        assert "Reviewed by Dr. Ma, PT." in after


def test_the_booking_link_is_shown_when_set(video: str, clinic: Clinic) -> None:
    content = compile_email(video, replace(clinic, booking_url="https://book.example/?a=1&b=2"), HOST)
    assert 'href="https://book.example/?a=1&amp;b=2"' in content.html
    assert "Book a visit:\nhttps://book.example/?a=1&b=2\n" in content.text
    assert "book a visit" not in compile_email(video, clinic, HOST).html.lower()


def test_the_clinics_words_are_neither_html_nor_slots(video: str, clinic: Clinic) -> None:
    text = video.replace("One arm", "{{clinic_name}} One arm").replace("Slow and wide", "{{clinic_name}}")
    content = compile_email(text, replace(clinic, name='<b>A & B</b>{{leave_url}}"', address="*x* {{y}}"), HOST)
    assert "<b>" not in content.html
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;((leave_url))" in content.html
    assert content.slots() == compile_email(video, clinic, HOST).slots()


def test_the_course_is_named_in_the_footer(video: str, clinic: Clinic) -> None:
    html = compile_email(video, clinic, HOST, home_title="Seven knee videos").html
    assert "because you asked for the seven knee videos on {{signed_up_on}}{{and_confirmed}}." in html


def test_an_unknown_slot_stops_the_compilation(video: str, clinic: Clinic) -> None:
    with pytest.raises(
        BadDocument, match=r"\{\{vidoe_url\}\} in the section 'Email as text' .* Did you mean \{\{video_url\}\}"
    ):
        compile_email(video.replace("{{video_url}}", "{{vidoe_url}}"), clinic, HOST)


@pytest.mark.parametrize(
    "name",
    [
        "{{leave_url}}",
        "<script>alert(1)</script>",
        "A\r\nBcc: b@c.example",
        "http://evil",
        "x" * 300,
        "\u202eevil",
        '" onclick="x',
    ],
)
def test_a_hostile_name_changes_nothing(
    video: str, clinic: Clinic, links: Links, reader: MakeReader, now: datetime, name: str
) -> None:
    content = compile_email(video.replace('subject: "', 'subject: "Hello{{comma_name}}, '), clinic, HOST)
    letter = expand(content, Values(links, now).of(reader(first_name=name)))
    for part in (letter.subject, letter.html, letter.text):
        assert "evil.example" not in part
        assert "http://evil" not in part
        assert "<script" not in part
        assert "{{" not in part
        assert "\u202e" not in part
        assert 'onclick="x' not in part
        assert "x" * 41 not in part
    assert "\n" not in letter.subject
    assert "\r" not in letter.text
    assert "b@c.example" not in letter.text
    assert letter.text.count(links.leave("leave-me_7")) == 1


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("#16302b", "#ffffff"),
        ("#16302b", "#eaf0e5"),
        ("#16302b", "#f2b134"),
        ("#4a5c53", "#ffffff"),
        ("#4a5c53", "#eaf0e5"),
        ("#1b5e4f", "#ffffff"),
        ("#eef3ea", "#1a2824"),
        ("#eef3ea", "#111c19"),
        ("#b6c5bc", "#1a2824"),
        ("#b6c5bc", "#111c19"),
        ("#a9d8c0", "#1a2824"),
        ("#10201c", "#e3a22c"),
    ],
)
def test_words_can_be_read(text: str, ground: str) -> None:
    look = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("email.css", "email.html.j2"))
    assert text in look
    assert ground in look
    dark, light = sorted((luminance(text), luminance(ground)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
