"""Every text that we ship, as the letter a reader would get."""

import html
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

import leadmagnet
from leadmagnet.domain.message import Expanded
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.document import STEP_KINDS, Document, check_step, check_text, compose, kind_of, parse
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.preview import sample_letter
from leadmagnet.rendering.slots import TO_STRANGERS

CONTENT = Path(leadmagnet.__file__).parent / "content"
HOST = "https://videos.clinic.example"
FILES = [
    *(path for path in sorted(CONTENT.glob("sequences/*/*.md")) if path.name != "sequence.md"),
    *sorted(CONTENT.glob("messages/*.md")),
]
each_text = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def document(path: Path) -> Document:
    return parse(path.read_text(encoding="utf-8"), path.name)


@pytest.fixture
def letter(path: Path, clinic: Clinic, now: datetime) -> Expanded:
    booked = replace(clinic, booking_url="https://book.example/visit")
    return sample_letter(path.read_text(encoding="utf-8"), booked, HOST, now)


@each_text
def test_it_passes_the_checks(path: Path) -> None:
    text = document(path)
    (check_step if kind_of(text) in STEP_KINDS else check_text)(text)
    assert parse(compose(text)) == text


@each_text
def test_it_is_whole_and_small(path: Path, letter: Expanded) -> None:
    assert len(letter.html.encode()) < 16_000
    for part in (letter.subject, letter.html, letter.text):
        assert "{{" not in part
        assert "[[" not in part
    assert letter.html.count("<style>") == 1


@each_text
def test_both_parts_say_who_writes_and_why(path: Path, letter: Expanded) -> None:
    for part in (html.unescape(letter.html), " ".join(letter.text.split())):
        assert "Riverside Physiotherapy" in part
        assert "2210 Marine Crescent, Vancouver, BC V6P 0A0" in part
        assert "604-555-0142" in part
        assert "You get this because" in part
        assert "For information; it doesn’t replace an assessment or treatment." in part
    assert 'href="tel:+16045550142"' in letter.html


@each_text
def test_everyone_but_the_unconfirmed_can_leave_and_choose(path: Path, letter: Expanded) -> None:
    page = Links(HOST, (b"preview",)).page(0)
    confirmed = kind_of(document(path)) not in TO_STRANGERS
    for part in (letter.html, letter.text):
        assert (f"{HOST}/u/preview" in part) is confirmed
        assert (page in part) is confirmed
        assert ("https://book.example/visit" in part) is confirmed


@each_text
def test_pictures_are_ours_and_have_words(path: Path, letter: Expanded) -> None:
    for picture in re.findall(r"<img[^>]*>", letter.html):
        assert f'src="{HOST}/media/email/' in picture
        assert re.search(r'alt="[^"]{12,}"', picture)
    assert not re.search(r"url\(|@import|<link|<script|background=", letter.html)
    drawn = {path.removeprefix(f"{HOST}/") for path in re.findall(r'src="([^"]*)"', letter.html)}
    if (CONTENT / "media" / "email").is_dir():
        assert all((CONTENT / path).is_file() for path in drawn)


@each_text
def test_plain_text_is_wrapped_and_its_addresses_are_whole(path: Path, letter: Expanded) -> None:
    for line in letter.text.split("\n"):
        assert len(line) <= 76 or "://" in line
    for address in re.findall(r"https://videos\S+", letter.text):
        assert re.fullmatch(r"https://videos\.clinic\.example/(?:u/preview|(?:p|done|confirm|v|data)/\S+)", address)
    assert letter.text.endswith("\n")


@each_text
def test_the_button_has_its_address_in_the_plain_text_too(path: Path, letter: Expanded) -> None:
    button = re.search(r'class="btn".*?href="([^"]*)"', letter.html, re.DOTALL)
    assert button
    assert html.unescape(button[1]) in letter.text
