"""Dots: the way of a limb, the breath, the line to keep."""

from __future__ import annotations

import numpy as np

from .curves import Line
from .skeleton import polar


def arc(centre: complex, radius: float, start: float, end: float) -> Line:
    """Part of a circle between two directions in degrees."""
    return np.array([centre + polar(radius, angle) for angle in np.linspace(start, end, 25)])


def straight(start: complex, end: complex) -> Line:
    """A straight line between two points."""
    return np.linspace(start, end, 14)
