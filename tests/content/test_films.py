"""The finished films and captions: what a phone needs in order to play them."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadmagnet.content.figure.captions import cues, webvtt
from leadmagnet.content.figure.exercises import EXERCISES
from leadmagnet.content.figure.script import Exercise

MEDIA = Path(__file__).parents[2] / "leadmagnet" / "content" / "media"
ALL_FILMS = 12_000_000  # bytes, together
ONE_FILM = 2_500_000
CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
CUE = re.compile(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})\n(.+?)(?:\n\n|\n?\Z)", re.DOTALL)

every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda item: item.slug)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of every box of an MP4 file, outer boxes first."""
    place = 0
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, place + 8)[0], 16
        content = data[place + header : place + size]
        yield name, content
        if name in CONTAINERS:
            yield from boxes(content)
        assert size >= header, "a box is at least as long as its header"
        place += size


def film(exercise: Exercise) -> dict[bytes, bytes]:
    """The boxes of a film by name, in the order of the file."""
    return dict(boxes((MEDIA / f"{exercise.slug}.mp4").read_bytes()))


def listed() -> list[dict[str, object]]:
    films: list[dict[str, object]] = json.loads((MEDIA / "films.json").read_text("utf-8"))["films"]
    return films


def vtt_cues(exercise: Exercise) -> list[tuple[float, float, str]]:
    text = (MEDIA / f"{exercise.slug}.en.vtt").read_text("utf-8")
    assert text.startswith("WEBVTT\n\n")
    found = []
    for hour, minute, second, end_hour, end_minute, end_second, words in CUE.findall(text):
        begin = int(hour) * 3600 + int(minute) * 60 + float(second)
        end = int(end_hour) * 3600 + int(end_minute) * 60 + float(end_second)
        found.append((begin, end, words))
    return found


def test_the_list_names_all_six_in_order() -> None:
    assert [entry["slug"] for entry in listed()] == [
        "breathing-and-bracing",
        "dead-bug",
        "glute-bridge",
        "bird-dog",
        "side-plank",
        "front-plank",
    ]


@every_exercise
def test_the_list_tells_the_truth(exercise: Exercise) -> None:
    entry = listed()[exercise.number - 1]
    path = MEDIA / str(entry["file"])
    assert entry["bytes"] == path.stat().st_size
    assert entry["number"] == exercise.number
    assert entry["title"] == exercise.title
    assert (entry["width"], entry["height"]) == (1280, 720)
    assert entry["seconds"] == round(exercise.frames / 25, 1)
    assert (MEDIA / str(entry["captions"])).is_file()


def test_the_films_are_light_enough_for_a_phone() -> None:
    sizes = [(MEDIA / str(entry["file"])).stat().st_size for entry in listed()]
    assert sum(sizes) < ALL_FILMS
    assert max(sizes) < ONE_FILM


@every_exercise
def test_the_index_comes_before_the_pictures(exercise: Exercise) -> None:
    names = list(film(exercise))
    assert names[0] == b"ftyp"
    assert names.index(b"moov") < names.index(b"mdat")


@every_exercise
def test_a_film_is_h264_in_a_profile_that_phones_play(exercise: Exercise) -> None:
    description = film(exercise)[b"stsd"]
    assert description[12:16] == b"avc1"
    assert struct.unpack_from(">HH", description, 16 + 24) == (1280, 720)
    profile, _, level = description[description.index(b"avcC") + 5 :][:3]
    assert profile in (66, 77, 100), "baseline, main or high"
    assert level <= 31


@every_exercise
def test_a_film_lasts_as_long_as_its_script_in_smooth_pictures(exercise: Exercise) -> None:
    parts = film(exercise)
    scale, length = struct.unpack_from(">II", parts[b"mvhd"], 12)
    pictures = struct.unpack_from(">I", parts[b"stsz"], 8)[0]
    assert length / scale == pytest.approx(exercise.seconds, abs=0.1)
    assert 24 <= length / scale <= 55
    assert pictures / (length / scale) >= 24.9


@every_exercise
def test_captions_are_in_order_and_within_the_film(exercise: Exercise) -> None:
    found = vtt_cues(exercise)
    assert len(found) == len(exercise.steps) + 1
    clock = 0.0
    for begin, end, words in found:
        assert clock <= begin < end
        assert words.strip()
        assert all(len(line) <= 42 for line in words.split("\n")), words
        clock = end
    assert clock <= exercise.frames / 25


@every_exercise
def test_captions_come_from_the_script_that_moves_her(exercise: Exercise) -> None:
    assert (MEDIA / f"{exercise.slug}.en.vtt").read_text("utf-8") == webvtt(exercise)


@every_exercise
def test_captions_can_be_read_at_ease(exercise: Exercise) -> None:
    for begin, end, words in cues(exercise):
        assert len(words) / (end - begin) <= 20, f"letters a second: {words}"


@every_exercise
def test_words_keep_to_our_voice(exercise: Exercise) -> None:
    words = " ".join([exercise.title, *(f"{step.caption} {step.cue}" for step in exercise.steps)])
    assert "!" not in words
    assert not re.search(r"\b(must|fail|only|great|perfect|amazing|well done)\b", words, re.IGNORECASE)


@every_exercise
def test_burnt_in_words_fit_beside_the_numeral(exercise: Exercise) -> None:
    assert all(len(step.caption) <= 30 for step in exercise.steps)
