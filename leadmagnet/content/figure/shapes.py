"""Soft shapes: tapered limbs, outlines in a bone's own frame, rounded unions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from .curves import Line, spline
from .skeleton import polar

# A profile lists, along a bone from 0 to 1: how thick she is in front, and behind.
Profile = Sequence[tuple[float, float, float]]
Outline = Sequence[tuple[float, float]]

LEFT = 1j  # the front is to the left of the bone's direction (arms, legs)
RIGHT = -1j  # to the right (trunk, neck)


def polygon(line: Line) -> BaseGeometry:
    """The area inside a line, mended where the line crosses itself."""
    shape = Polygon(np.column_stack([line.real, line.imag]))
    return shape if shape.is_valid else shape.buffer(0)


def disc(centre: complex, radius: float) -> BaseGeometry:
    """A circle, filled."""
    return Point(centre.real, centre.imag).buffer(radius, 24)


def joined(parts: Iterable[BaseGeometry]) -> BaseGeometry:
    """All parts as one area."""
    return unary_union(list(parts))


def largest(shape: BaseGeometry) -> Polygon:
    """The biggest piece, where cutting has left crumbs."""
    pieces = [piece for piece in getattr(shape, "geoms", [shape]) if isinstance(piece, Polygon)]
    return max(pieces, key=lambda piece: piece.area, default=Polygon())


def rounded(shape: BaseGeometry, radius: float = 1.6) -> Polygon:
    """Fill the hollows that are narrower than the radius; take off hairlines."""
    filled = shape.buffer(radius, 16).buffer(-radius, 16)
    return largest(filled.buffer(-0.35, 16).buffer(0.35, 16))


def tapered(
    start: complex,
    degrees: float,
    length: float,
    profile: Profile,
    front: complex = LEFT,
    bow: float = 0.0,
) -> BaseGeometry:
    """A limb around a bone, with round ends. `bow` bends its middle to the front."""
    along = polar(1, degrees)
    ahead = along * front
    share, thick_front, thick_back = np.array(profile).T
    inside = np.clip(share, 0, 1)
    centre = start + along * length * share + ahead * bow * 4 * inside * (1 - inside)
    sides = spline(centre + ahead * thick_front), spline(centre - ahead * thick_back)
    caps = [
        disc(
            complex(centre[end] + ahead * (thick_front[end] - thick_back[end]) / 2),
            float(thick_front[end] + thick_back[end]) / 2,
        )
        for end in (0, -1)
    ]
    return joined([polygon(np.concatenate([sides[0], sides[1][::-1]])), *caps])


def slice_along(shape: BaseGeometry, start: complex, degrees: float, begin: float, end: float) -> Polygon:
    """The part of a shape between two distances from start along a direction."""
    along = polar(1, degrees)
    wide = along * 1j * 40
    near, far = start + along * begin, start + along * end
    window = np.array([near + wide, far + wide, far - wide, near - wide])
    return largest(shape.intersection(polygon(window)))


def framed(points: Outline, origin: complex, degrees: float, turned: int = 1, size: float = 1.0) -> Line:
    """An outline given in a bone's frame (along, left), put into the picture."""
    along = polar(size, degrees)
    return np.array([origin + along * x + along * 1j * turned * y for x, y in points])


def soft_outline(points: Outline, origin: complex, degrees: float, turned: int = 1, size: float = 1.0) -> BaseGeometry:
    """The smooth closed shape through a framed outline."""
    return polygon(spline(framed(points, origin, degrees, turned, size), closed=True))
