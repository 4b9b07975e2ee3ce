"""The still pictures: all there, light, and fit for our content policy."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from leadmagnet.content.figure.curves import fit, path_data
from leadmagnet.content.figure.exercises import EXERCISES
from leadmagnet.content.figure.marks import arc, straight
from leadmagnet.content.figure.stills import hero, layers_at, poster, poster_svg, small_figure

MEDIA = Path(__file__).parents[2] / "leadmagnet" / "content" / "media"
NUMBERS = range(1, 7)
SMALL = [*(f"{n}" for n in NUMBERS), *(f"{n}-start" for n in NUMBERS), "5-easier", "6-easier", "waiting", "reaching"]
DRAWINGS = [
    *(f"posters/{number}.svg" for number in NUMBERS),
    *(f"figures/{name}.svg" for name in SMALL),
    "hero.inline.svg",
    "favicon.svg",
]
PRINTS = {
    **{f"posters/{number}.png": (1280, 720, 20_000) for number in NUMBERS},
    **{f"email/{number}{dark}.png": (1200, 675, 20_000) for number in NUMBERS for dark in ("", "-dark")},
    **{f"email/strip-{number}{dark}.png": (1200, 456, 14_000) for number in NUMBERS for dark in ("", "-dark")},
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_small_and_needs_nothing_from_outside(name: str) -> None:
    text = (MEDIA / name).read_text("utf-8")
    tree = ElementTree.fromstring(text)
    assert tree.tag.endswith("svg")
    assert tree.get("viewBox")
    assert len(text) < 8_000
    for element in tree.iter():
        tag = element.tag.rpartition("}")[2]
        assert tag in {"svg", "title", "desc", "style", "g", "path", "circle"}, tag
        assert not {key for key in element.attrib if key == "style" or key.startswith("on") or "href" in key}


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name != "hero.inline.svg"])
def test_a_drawing_is_right_without_its_style_sheet(name: str) -> None:
    tree = ElementTree.parse(MEDIA / name).getroot()
    paths = [element for element in tree.iter() if element.tag.endswith("path")]
    assert paths
    assert all(element.get("fill") for element in paths)
    assert "prefers-color-scheme:dark" in (MEDIA / name).read_text("utf-8")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda item: item.slug)
def test_a_poster_speaks_for_itself(exercise) -> None:
    text = (MEDIA / "posters" / f"{exercise.number}.svg").read_text("utf-8")
    assert f'<title id="t">{exercise.number}. {exercise.title}</title>' in text
    assert exercise.about in text
    assert poster_svg(poster(exercise)).count("<path") == text.count("<path")


def test_the_hero_moves_two_limbs_and_leaves_colours_to_the_page() -> None:
    for text in (hero(), (MEDIA / "hero.inline.svg").read_text("utf-8")):
        assert text.count('class="reach-arm"') == 1
        assert text.count('class="reach-leg"') == 1
        assert "style" not in text
        assert "fill=" not in text
        assert 'aria-label="' in text


def test_start_and_easier_pictures_differ_from_the_exercise() -> None:
    for name in SMALL:
        number, _, kind = name.partition("-")
        if kind:
            assert (MEDIA / f"figures/{name}.svg").read_text() != (MEDIA / f"figures/{number}.svg").read_text()


@pytest.mark.parametrize("name", PRINTS)
def test_a_print_has_its_size_and_little_weight(name: str) -> None:
    data = (MEDIA / name).read_bytes()
    width, height, limit = PRINTS[name]
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack_from(">II", data, 16) == (width, height)
    assert len(data) < limit
    assert zlib.crc32(data[12:29]) == struct.unpack_from(">I", data, 29)[0]


def test_a_small_figure_stays_inside_its_picture() -> None:
    text = small_figure(layers_at(EXERCISES[4], EXERCISES[4].poster))
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 180">')
    for start in text.split(' d="M')[1:]:
        across, down = (float(part) for part in start.split("c")[0].split())
        assert 0 <= across <= 300
        assert 0 <= down <= 180


def test_curves_stay_within_their_tolerance() -> None:
    quarter = arc(0j, 20, 0, 90)
    curves = fit(quarter, closed=False, tolerance=0.05)
    assert len(curves) <= 3
    for a, b, c, d in curves:
        middle = (a + 3 * b + 3 * c + d) / 8
        assert abs(abs(middle) - 20) < 0.12


def test_path_data_is_short_and_exact() -> None:
    line = straight(0j, 10 + 0j)
    assert path_data(line, lambda point: point * 0.5 + 1j, closed=False) == "M0 1c1.7 0 3.3 0 5 0"
