"""Pictures in pixels, for films, PNG posters and emails."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import skia
from numpy.typing import NDArray
from shapely.geometry import Polygon

from .curves import Line, Place
from .flesh import Layer
from .ink import NUMERALS, Palette
from .png import encode

SERIFS = ("P052", "Palatino", "Noto Serif", "Georgia", "DejaVu Serif")
DOT_GAP = 14.0
NUMERAL_WEIGHT = 1.7  # the pen of the numerals, in widths of the figure's pen


def serif(size: float) -> skia.Font:
    """The first of our serif faces that this machine has, in bold."""
    manager = skia.FontMgr()
    for family in SERIFS:
        face = manager.matchFamilyStyle(family, skia.FontStyle.Bold())
        if face is not None and face.getFamilyName() == family:
            return skia.Font(face, size)
    raise RuntimeError(f"no serif face here; install one of {', '.join(SERIFS)}")


class Canvas:
    """A drawing of one station: ground, mat, figure, numeral, dots, words."""

    def __init__(self, width: int, height: int, inks: Palette, pen: float = 5.0) -> None:
        """An empty canvas in pixels; `pen` is the width of the outline."""
        self.width, self.height, self.inks, self.pen = width, height, inks, pen
        self._surface = skia.Surface(width, height)
        self._canvas = self._surface.getCanvas()

    def ground(self, ink: str = "ground") -> None:
        """Cover everything with one ink."""
        self._canvas.clear(self._colour(ink))

    def mat(self, top: float, thickness: float) -> None:
        """The mat, from edge to edge."""
        band = skia.Rect.MakeXYWH(0, top, self.width, thickness)
        self._canvas.drawRect(band, self._filled("mat"))

    def layers(self, layers: list[Layer], place: Place) -> None:
        """Fill every area, then draw its outline."""
        for layer in layers:
            if isinstance(layer.shape, np.ndarray):
                self._canvas.drawPath(_path(layer.shape, place, False), self._pen("pen"))
            elif isinstance(layer.shape, Polygon) and not layer.shape.is_empty:
                corners = np.array(layer.shape.exterior.coords[:-1])
                path = _path(corners[:, 0] + 1j * corners[:, 1], place, True)
                self._canvas.drawPath(path, self._filled(layer.ink))
                self._canvas.drawPath(path, self._pen("pen"))

    def dots(self, line: Line, place: Place, strength: float = 1.0) -> None:
        """A dotted line; `strength` fades it in and out."""
        paint = self._pen("mark", self.pen * 1.1, strength)
        paint.setPathEffect(skia.DashPathEffect.Make([0.1, DOT_GAP], 0))
        self._canvas.drawPath(_path(line, place, False), paint)

    def numeral(self, number: int, x: float, y: float, scale: float, written: float = 1.0) -> None:
        """A pen numeral; `written` below 1 shows it while it is being written."""
        path = _written(NUMERALS[number])
        paint = self._pen("mark", self.pen * NUMERAL_WEIGHT)
        if written < 1:
            paint.setPathEffect(skia.TrimPathEffect.Make(0.0, max(written, 0.001)))
        self._canvas.save()
        self._canvas.translate(x, y)
        self._canvas.scale(scale, scale)
        self._canvas.drawPath(path, paint)
        self._canvas.restore()

    def words(self, text: str, x: float, baseline: float, size: float, strength: float = 1.0) -> None:
        """One line of serif text."""
        self._canvas.drawString(text, x, baseline, serif(size), self._filled("mark", strength))

    def play_button(self, x: float, y: float, radius: float) -> None:
        """A yellow disc with a pen outline and a triangle."""
        self._canvas.drawCircle(x, y, radius, self._filled("mat"))
        self._canvas.drawCircle(x, y, radius, self._pen("pen"))
        tip = np.array([-0.19 - 0.4j, -0.19 + 0.4j, 0.45 + 0j]) * radius + complex(x, y)
        triangle = _path(tip, lambda point: point, True)
        self._canvas.drawPath(triangle, self._filled("pen"))
        self._canvas.drawPath(triangle, self._pen("pen"))

    def pixels(self) -> NDArray[np.uint8]:
        """Rows of red, green, blue, opacity."""
        image = self._surface.makeImageSnapshot()
        return np.asarray(image.toarray(colorType=skia.kRGBA_8888_ColorType))

    def save(self, path: Path, colours: int) -> None:
        """A PNG with this many colours."""
        path.write_bytes(encode(self.pixels(), colours))

    def _colour(self, ink: str, strength: float = 1.0) -> int:
        red, green, blue = bytes.fromhex(self.inks[ink].removeprefix("#"))
        return int(skia.Color(red, green, blue, round(255 * strength)))

    def _filled(self, ink: str, strength: float = 1.0) -> skia.Paint:
        return skia.Paint(AntiAlias=True, Color=self._colour(ink, strength))

    def _pen(self, ink: str, width: float | None = None, strength: float = 1.0) -> skia.Paint:
        return skia.Paint(
            AntiAlias=True,
            Color=self._colour(ink, strength),
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=self.pen if width is None else width,
            StrokeCap=skia.Paint.kRound_Cap,
            StrokeJoin=skia.Paint.kRound_Join,
        )


def _path(line: Line, place: Place, closed: bool) -> skia.Path:
    spots = [place(complex(point)) for point in line]
    path = skia.Path()
    path.addPoly([skia.Point(spot.real, spot.imag) for spot in spots], closed)
    return path


def _written(data: str) -> skia.Path:
    """A path from SVG data that knows M, L, H, V and C, all absolute."""
    path = skia.Path()
    x = y = 0.0
    for command, tail in re.findall(r"([MLHVC])([^MLHVC]*)", data):
        numbers = [float(number) for number in tail.split()]
        if command == "C":
            for start in range(0, len(numbers), 6):
                path.cubicTo(*numbers[start : start + 6])
            x, y = numbers[-2:]
        elif command == "H":
            x = numbers[-1]
            path.lineTo(x, y)
        elif command == "V":
            y = numbers[-1]
            path.lineTo(x, y)
        else:
            for pair in range(0, len(numbers), 2):
                x, y = numbers[pair : pair + 2]
                if command == "M" and pair == 0:
                    path.moveTo(x, y)
                else:
                    path.lineTo(x, y)
    return path
