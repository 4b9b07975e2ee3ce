"""Pictures as SVG: every shape has its colour, dark colours come by media query.

Colours are presentation attributes, so that a picture is right even where its
style sheet is not allowed; only the dark twin needs the sheet. There are no
style attributes, because the pages' content policy forbids them.
"""

from __future__ import annotations

import numpy as np
from shapely.geometry import Polygon

from .curves import Line, Place, path_data
from .flesh import Layer
from .ink import CLASS_NAMES, DARK, LIGHT, NUMERALS, Palette

FINE, COARSE = 0.09, 0.16  # how far a curve may stray, in units
NUMERAL_WEIGHT, DOT_WEIGHT, CHAIR_WEIGHT = 1.7, 1.1, 0.8  # in widths of the pen


def number(value: float) -> str:
    """At most two decimals, and no needless zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def dark_sheet(pen: float, ground: str = "") -> str:
    """The colours of the dark twin."""
    inks: Palette = DARK
    rules = [
        f".{CLASS_NAMES[ink].split()[0]}{{fill:{inks[ink]}}}"
        for ink in ("skin", "skin-far", "top", "top-far", "leg", "leg-far", "hair", "chair")
    ]
    rules += [
        f".f{{stroke:{inks['pen']}}}",
        f".n,.a{{stroke:{inks['mark']}}}",
        f".b{{stroke:#93a89d;stroke-width:{number(pen * CHAIR_WEIGHT)}}}",
        f".m{{fill:{inks['mat']}}}",
    ]
    if ground:
        rules.append(f".g{{fill:{ground}}}")
    return f"<style>@media(prefers-color-scheme:dark){{{''.join(rules)}}}</style>"


def shape_path(layer: Layer, place: Place, tolerance: float, coloured: bool = True) -> str:
    """One layer. Without colours, the page's own classes give them."""
    if isinstance(layer.shape, np.ndarray):
        data = path_data(layer.shape, place, closed=False, tolerance=0.05)
        return f'<path class="e"{_fill("none", coloured)} d="{data}"/>'
    if not isinstance(layer.shape, Polygon):
        raise TypeError(f"the {layer.ink} layer fell into pieces")
    corners = np.array(layer.shape.exterior.coords[:-1])
    data = path_data(corners[:, 0] + 1j * corners[:, 1], place, tolerance=tolerance)
    fill = _fill(LIGHT[layer.ink], coloured)
    return f'<path class="{CLASS_NAMES[layer.ink]}"{fill} d="{data}"/>'


def _fill(colour: str, wanted: bool) -> str:
    return f' fill="{colour}"' if wanted else ""


def figure_group(layers: list[Layer], place: Place, pen: float, tolerance: float = FINE) -> str:
    """The figure and its chair, outlined with the pen."""
    shapes = "".join(shape_path(layer, place, tolerance) for layer in layers)
    return f'<g class="f" {_stroke(pen)}>{shapes}</g>'


def numeral(which: int, x: float, y: float, scale: float, pen: float) -> str:
    """A pen numeral, in the pen of the figure but heavier."""
    return (
        f'<path class="n" fill="none" {_stroke(pen * NUMERAL_WEIGHT)} '
        f'transform="translate({number(x)} {number(y)}) scale({number(scale)})" '
        f'd="{NUMERALS[which]}"/>'
    )


def dotted(line: Line, place: Place, pen: float) -> str:
    """A dotted line: the way of a limb, the breath, the line to keep."""
    data = path_data(line, place, closed=False)
    return f'<path class="a" fill="none" {_stroke(pen * DOT_WEIGHT)} stroke-dasharray=".1 14" d="{data}"/>'


def _stroke(width: float) -> str:
    return f'stroke="{LIGHT["pen"]}" stroke-width="{number(width)}" stroke-linejoin="round" stroke-linecap="round"'


def band(name: str, colour: str, top: float, width: float, height: float) -> str:
    """A flat area from edge to edge: the ground (g) or the mat (m)."""
    data = f"M0 {number(top)}h{number(width)}v{number(height)}H0z"
    return f'<path class="{name}" fill="{colour}" d="{data}"/>'


def picture(width: int, height: int, inside: str, title: str = "", about: str = "") -> str:
    """A whole file; with a title it speaks for itself, without one it is decoration."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
    if not title:
        return f"{head}>{inside}</svg>\n"
    words = f'<title id="t">{title}</title><desc id="d">{about}</desc>'
    return f'{head} role="img" aria-labelledby="t d">{words}{inside}</svg>\n'
