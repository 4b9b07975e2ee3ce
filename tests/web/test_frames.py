"""The frame of an email grows with its text, by classes that the style sheet knows."""

import re

import pytest

from leadmagnet.web.assets import STATIC
from leadmagnet.web.frames import MOST, frame_size


@pytest.mark.parametrize(("letters", "size"), [(0, 1), (1, 1), (200, 1), (201, 2), (1160, 6), (4800, 24), (10**6, 24)])
def test_a_longer_text_gets_a_taller_frame(letters, size):
    assert frame_size("x" * letters) == size


def test_the_style_sheet_knows_every_size():
    css = (STATIC / "site.css").read_text(encoding="utf-8")
    known = re.findall(r"\.frame-(\d+) \{ --pieces: (\d+); \}", css)
    assert known == [(str(size), str(size)) for size in range(1, MOST + 1)]
