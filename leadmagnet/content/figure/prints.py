"""Pictures in pixels: the poster as PNG, and what emails show.

Email programs show no SVG, so each email picture has a light and a dark file.
"""

from __future__ import annotations

from pathlib import Path

from .body import bounds
from .exercises import EXERCISES
from .ink import palette
from .raster import Canvas
from .script import Exercise
from .stills import (
    PEN,
    POSTER_HEIGHT,
    POSTER_MAT,
    POSTER_MAT_THICKNESS,
    POSTER_NUMERAL,
    POSTER_WIDTH,
    Poster,
    layers_at,
    placed,
    poster,
)

EMAIL_WIDTH, EMAIL_HEIGHT = 1200, 675  # twice the 600 pixels of an email
PLAY_BUTTON = (1084, 116, 62)  # across, down, radius
STRIP_HEIGHT, STRIP_MAT, STRIP_FLOOR = 456, 428, 431
STRIP_SCALE, STRIP_REACH, STRIP_ROOM = 9.0, 1050, 395  # pixels: per unit, widest, highest
COLOURS = 32  # of a PNG: flat inks and their blended edges


def poster_canvas(drawing: Poster, width: int, height: int, dark: bool = False) -> Canvas:
    """The poster, at any width."""
    exercise, zoom = drawing.exercise, width / POSTER_WIDTH

    def place(point: complex) -> complex:
        return drawing.place(point) * zoom

    canvas = Canvas(width, height, palette(exercise.number, dark), PEN * zoom)
    canvas.ground()
    canvas.mat(POSTER_MAT * zoom, POSTER_MAT_THICKNESS * zoom)
    x, y, scale = POSTER_NUMERAL
    canvas.numeral(exercise.number, x * zoom, y * zoom, scale)
    for name in exercise.poster_dots:
        canvas.dots(exercise.dots[name], place)
    canvas.layers(drawing.layers, place)
    return canvas


def email_poster(drawing: Poster, dark: bool) -> Canvas:
    """The poster with a play button."""
    canvas = poster_canvas(drawing, EMAIL_WIDTH, EMAIL_HEIGHT, dark)
    canvas.play_button(*PLAY_BUTTON)
    return canvas


def email_strip(exercise: Exercise, dark: bool) -> Canvas:
    """The figure alone on the mat, for the end of a reminder."""
    layers = layers_at(exercise, exercise.poster)
    left, _, right, top = bounds(layers)
    scale = min(STRIP_SCALE, STRIP_REACH / (right - left), STRIP_ROOM / top)
    canvas = Canvas(EMAIL_WIDTH, STRIP_HEIGHT, palette(exercise.number, dark), PEN)
    canvas.ground("paper")
    canvas.mat(STRIP_MAT, STRIP_HEIGHT - STRIP_MAT)
    canvas.layers(layers, placed(layers, scale, EMAIL_WIDTH / 2, STRIP_FLOOR))
    return canvas


def write_prints(folder: Path) -> list[Path]:
    """All PNG pictures; returns their files."""
    canvases: dict[str, Canvas] = {}
    for exercise in EXERCISES:
        drawing, number = poster(exercise), exercise.number
        canvases[f"posters/{number}.png"] = poster_canvas(drawing, POSTER_WIDTH, POSTER_HEIGHT)
        for dark, ending in ((False, ""), (True, "-dark")):
            canvases[f"email/{number}{ending}.png"] = email_poster(drawing, dark)
            canvases[f"email/strip-{number}{ending}.png"] = email_strip(exercise, dark)
    written = [folder / name for name in canvases]
    for path, canvas in zip(written, canvases.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        canvas.save(path, COLOURS)
    return written
