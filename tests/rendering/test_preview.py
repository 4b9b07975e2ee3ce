from datetime import datetime

import pytest

from leadmagnet.domain.tokens import BadToken
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.preview import sample_letter

HOST = "https://videos.clinic.example"


def test_a_preview_is_a_letter_to_somebody_invented(video: str, clinic: Clinic, now: datetime) -> None:
    letter = sample_letter(
        video.replace("number: 4", "number: 4\nseconds: 71.4"), clinic, HOST, now, next_title="Side plank"
    )
    assert letter.text.startswith("Hello, Anna,")
    assert "Watch video 4, 1 minute 11 seconds" in letter.html
    assert "Next, on Saturday: side plank." in letter.html


def test_nothing_follows_the_last_video(video: str, clinic: Clinic, now: datetime) -> None:
    assert "Next, " not in sample_letter(video, clinic, HOST, now, videos=4).html


def test_links_of_a_preview_open_nothing(video: str, clinic: Clinic, links: Links, now: datetime) -> None:
    letter = sample_letter(video, clinic, HOST, now)
    token = letter.text.partition("/v/bird-dog?t=")[2].partition("\n")[0]
    assert token
    with pytest.raises(BadToken):
        links.read_video(token)
