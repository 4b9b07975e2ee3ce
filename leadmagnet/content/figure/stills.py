"""Every picture in SVG: posters, small figures, hero and favicon.

A still is a moment of a film: the channels of an exercise, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import svg
from .body import bounds, figure_layers, scene_layers
from .curves import Place
from .exercises import BIRD_DOG, EXERCISES, GLUTE_BRIDGE
from .flesh import Layer
from .ink import GROUNDS, LIGHT
from .script import Channels, Exercise
from .skeleton import SidePose

PEN = 5.0  # at 1280 wide; small figures have a heavier pen for their size
POSTER_WIDTH, POSTER_HEIGHT = 1280, 720
POSTER_MAT, POSTER_FLOOR, POSTER_MAT_THICKNESS = 592, 596, 30
POSTER_NUMERAL = (72.0, 66.0, 1.35)

EASIER: dict[int, Channels] = {5: {"knees": 1.0, "lift": 1.0}, 6: {"hips": 1.0}}


def layers_at(exercise: Exercise, moment: Channels) -> list[Layer]:
    """What is drawn at this moment; channels not named stay at the start."""
    return scene_layers(exercise, exercise.pose({**exercise.start, **moment}))


def placed(layers: list[Layer], scale: float, middle: float, floor: float) -> Place:
    """Centre the layers at `middle` pixels, their feet on the floor line."""
    left, _, right, _ = bounds(layers)
    across = middle - scale * (left + right) / 2
    return lambda point: complex(across + point.real * scale, floor - point.imag * scale)


@dataclass(frozen=True)
class Poster:
    """The drawing of a station, for SVG and PNG alike."""

    exercise: Exercise
    layers: list[Layer]
    place: Place


def poster(exercise: Exercise) -> Poster:
    """The station's drawing, standing in its place."""
    layers = layers_at(exercise, exercise.poster)
    middle = POSTER_WIDTH / 2 + exercise.poster_shift
    return Poster(exercise, layers, placed(layers, exercise.poster_scale, middle, POSTER_FLOOR))


def poster_svg(drawing: Poster) -> str:
    """The poster of a station, light and dark in one file."""
    exercise = drawing.exercise
    light, dark = GROUNDS[exercise.number]
    marks = [svg.dotted(exercise.dots[name], drawing.place, PEN) for name in exercise.poster_dots]
    inside = [
        svg.dark_sheet(PEN, dark),
        svg.band("g", light, 0, POSTER_WIDTH, POSTER_HEIGHT),
        svg.band("m", LIGHT["mat"], POSTER_MAT, POSTER_WIDTH, POSTER_MAT_THICKNESS),
        svg.numeral(exercise.number, *POSTER_NUMERAL, PEN),
        *marks,
        svg.figure_group(drawing.layers, drawing.place, PEN),
    ]
    title = f"{exercise.number}. {exercise.title}"
    return svg.picture(POSTER_WIDTH, POSTER_HEIGHT, "".join(inside), title, exercise.about)


def small_figure(
    layers: list[Layer], width: int = 300, height: int = 180, pen: float = 3.4, scale: float = 2.35
) -> str:
    """A figure without ground or mat; it stands on the lower edge."""
    left, _, right, top = bounds(layers)
    scale = min(scale, (width - 14) / (right - left), (height - 10) / top)
    place = placed(layers, scale, width / 2, height - 2)
    group = svg.figure_group(layers, place, pen, svg.COARSE)
    return svg.picture(width, height, svg.dark_sheet(pen) + group)


def hero() -> str:
    """The bird dog as part of a page: classes for colours, two limbs to move.

    `.reach-arm` and `.reach-leg` are drawn around their joint at 0 0, so a page
    turns them with `transform: rotate()` and needs no transform origin.
    """
    width, height, scale = 600, 214, 4.6
    pose = BIRD_DOG.pose({**BIRD_DOG.start, **BIRD_DOG.poster})
    if not isinstance(pose, SidePose):
        raise TypeError("the hero is drawn from the side")
    layers = figure_layers(pose)
    place = placed(layers, scale, width / 2, height)
    roots = {"far_arm": pose.shoulder, "near_leg": pose.hip}
    names = {"far_arm": "reach-arm", "near_leg": "reach-leg"}
    shapes: list[str] = []
    moving: dict[str, list[Layer]] = {limb: [] for limb in roots}
    for layer in layers:
        if layer.limb not in roots:
            shapes.append(svg.shape_path(layer, place, svg.FINE, coloured=False))
            continue
        group = moving[layer.limb]
        group.append(layer)
        if len(group) == 2:  # bare skin and cloth: the limb is complete
            shapes.append(_moving_limb(names[layer.limb], group, place, roots[layer.limb]))
    label = "A line-drawn woman kneels on a mat and stretches one arm forward and the opposite leg back."
    return f'<svg class="fig" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{"".join(shapes)}</svg>\n'


def _moving_limb(name: str, layers: list[Layer], place: Place, root: complex) -> str:
    """A group that turns around the limb's root."""
    joint = place(root)
    joint = complex(round(joint.real), round(joint.imag))
    shapes = "".join(
        svg.shape_path(layer, lambda point: place(point) - joint, svg.FINE, coloured=False) for layer in layers
    )
    where = f"translate({joint.real:.0f} {joint.imag:.0f})"
    return f'<g transform="{where}"><g class="{name}">{shapes}</g></g>'


def favicon() -> str:
    """The bridge in four bones and a head, on the mat."""
    joints = GLUTE_BRIDGE.pose({**GLUTE_BRIDGE.start, "lift": 1.0}).joints()
    bones = [joints[name] for name in ("shoulder", "hip", "near_knee", "near_ankle")]
    spots = [complex(19 + 0.62 * bone.real, 48.5 - 1.05 * bone.imag) for bone in bones]
    line = "L".join(f"{spot.real:.1f} {spot.imag:.1f}" for spot in spots)
    ground, dark = GROUNDS[4]
    sheet = (
        f"<style>@media(prefers-color-scheme:dark){{.g{{fill:{dark}}}.p{{stroke:#e6ede1}}.d{{fill:#e6ede1}}}}</style>"
    )
    pen = 'stroke-width="6" stroke-linejoin="round" stroke-linecap="round"'
    drawing = (
        f'<path class="g" fill="{ground}" d="M0 0h64v64H0z"/>'
        f'<path fill="{LIGHT["mat"]}" d="M0 48h64v9H0z"/>'
        f'<path class="p" fill="none" stroke="{LIGHT["pen"]}" {pen} d="M{line}"/>'
        f'<circle class="d" fill="{LIGHT["pen"]}" cx="10" cy="41.5" r="5.5"/>'
    )
    return svg.picture(64, 64, sheet + drawing)


def small_figures() -> dict[str, Callable[[], str]]:
    """File name and drawing of every small figure."""

    def small(exercise: Exercise, moment: Channels) -> Callable[[], str]:
        return lambda: small_figure(layers_at(exercise, moment))

    drawings: dict[str, Callable[[], str]] = {}
    for exercise in EXERCISES:
        drawings[f"{exercise.number}"] = small(exercise, exercise.poster)
        drawings[f"{exercise.number}-start"] = small(exercise, {})
        if exercise.number in EASIER:
            drawings[f"{exercise.number}-easier"] = small(exercise, EASIER[exercise.number])
    waiting = layers_at(GLUTE_BRIDGE, {})
    reaching = layers_at(BIRD_DOG, BIRD_DOG.poster)
    drawings["waiting"] = lambda: small_figure(waiting, 640, 210, 2.6, 5.3)
    drawings["reaching"] = lambda: small_figure(reaching, 640, 224, 2.4, 4.4)
    return drawings


def write_drawings(folder: Path) -> list[Path]:
    """All SVG pictures; returns their files."""
    drawings = {f"posters/{exercise.number}.svg": poster_svg(poster(exercise)) for exercise in EXERCISES}
    drawings |= {f"figures/{name}.svg": draw() for name, draw in small_figures().items()}
    drawings |= {"hero.inline.svg": hero(), "favicon.svg": favicon()}
    written = [folder / name for name in drawings]
    for path, content in zip(written, drawings.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return written
