"""Build all pictures, films and captions: `python -m leadmagnet.content.figure`.

With the argument `stills` (captions included) or `films` it builds one half;
films take minutes.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from .captions import webvtt
from .exercises import EXERCISES
from .film import HEIGHT, WIDTH, write_film
from .prints import write_prints
from .script import FRAMES_PER_SECOND, Exercise
from .stills import write_drawings

MEDIA = Path(__file__).resolve().parent.parent / "media"
PROCESSES = 2


def captions_of(exercise: Exercise) -> Path:
    """Where the captions of a film are."""
    return MEDIA / f"{exercise.slug}.en.vtt"


def build_film(number: int) -> dict[str, str | int | float]:
    """One film; returns its entry in films.json."""
    exercise = EXERCISES[number - 1]
    film, words = MEDIA / f"{exercise.slug}.mp4", captions_of(exercise)
    write_film(exercise, film)
    return {
        "number": number,
        "slug": exercise.slug,
        "title": exercise.title,
        "file": film.name,
        "seconds": round(exercise.frames / FRAMES_PER_SECOND, 1),
        "width": WIDTH,
        "height": HEIGHT,
        "bytes": film.stat().st_size,
        "captions": words.name,
    }


def say(line: str) -> None:
    """Tell whoever runs the build."""
    sys.stdout.write(line + "\n")


def main(wanted: list[str]) -> None:
    """Build what is asked for; without a word, everything."""
    MEDIA.mkdir(parents=True, exist_ok=True)
    if "films" not in wanted:
        say(f"{len(write_drawings(MEDIA) + write_prints(MEDIA))} stills")
        for exercise in EXERCISES:
            captions_of(exercise).write_text(webvtt(exercise), encoding="utf-8")
    if "stills" not in wanted:
        with ProcessPoolExecutor(PROCESSES) as pool:
            films = list(pool.map(build_film, range(1, len(EXERCISES) + 1)))
        listing = json.dumps({"films": films}, indent=2) + "\n"
        (MEDIA / "films.json").write_text(listing, encoding="utf-8")
        for film in films:
            say(f"{film['file']}: {film['seconds']} s, {film['bytes']} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
