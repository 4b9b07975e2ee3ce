"""Curves: smooth lines through points, and their shortest description in SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.complexfloating[Any, Any]]
Bezier = tuple[complex, complex, complex, complex]
Place = Callable[[complex], complex]  # from figure units to the picture


def spline(points: Sequence[complex] | Line, closed: bool = False, steps: int = 10) -> Line:
    """A Catmull-Rom curve through the points, as a fine polyline."""
    middle = np.asarray(points, dtype=complex)
    if closed:
        knots = np.concatenate([middle[-1:], middle, middle[:2]])
    else:
        first, last = 2 * middle[0] - middle[1], 2 * middle[-1] - middle[-2]
        knots = np.concatenate([[first], middle, [last]])
    before, start, end, after = knots[:-3], knots[1:-2], knots[2:-1], knots[3:]
    t = (np.arange(steps) / steps)[:, None]
    rows = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    curve = rows.T.ravel()
    return curve if closed else np.append(curve, middle[-1])


def _resample(line: Line, closed: bool) -> Line:
    """Points at even distances (about 0.35 units), at most 700 of them."""
    ring = np.append(line, line[0]) if closed and line[0] != line[-1] else line
    reach = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(ring)))])
    count = min(700, max(24, int(reach[-1] / 0.35)))
    even = np.linspace(0.0, reach[-1], count + 1)
    return np.interp(even, reach, ring.real) + 1j * np.interp(even, reach, ring.imag)


def _corners(ring: Line) -> list[int]:
    """Where the outline turns sharply: one index per corner."""
    body = ring[:-1]
    coming, going = body - np.roll(body, 2), np.roll(body, -2) - body
    cosine = (coming * going.conj()).real / (np.abs(coming * going) + 1e-9)
    groups: list[list[int]] = []
    for index in np.flatnonzero(cosine < 0.35).tolist():
        if groups and index - groups[-1][-1] <= 3:
            groups[-1].append(index)
        else:
            groups.append([index])
    return [group[len(group) // 2] for group in groups]


def _unit(step: complex) -> complex:
    return step / (abs(step) + 1e-9)


def _along(curve: Bezier, t: NDArray[np.float64]) -> Line:
    a, b, c, d = curve
    rest = 1 - t
    return np.asarray(rest**3 * a + 3 * rest**2 * t * b + 3 * rest * t * t * c + t**3 * d)


def _handles(points: Line, t: NDArray[np.float64], leave: complex, arrive: complex, length: float) -> Bezier:
    """The cubic with these end directions that comes nearest (Schneider's method)."""
    rest = 1 - t
    pull_1, pull_2 = leave * 3 * rest**2 * t, arrive * 3 * rest * t * t
    anchored = points[0] * (rest**3 + 3 * rest**2 * t) + points[-1] * (3 * rest * t * t + t**3)
    missing = points - anchored

    def dot(one: Line, other: Line) -> float:
        return float(np.sum((one * other.conj()).real))

    matrix = np.array([[dot(pull_1, pull_1), dot(pull_1, pull_2)], [dot(pull_1, pull_2), dot(pull_2, pull_2)]])
    sums = np.array([dot(pull_1, missing), dot(pull_2, missing)])
    reach = np.full(2, length / 3)
    if abs(np.linalg.det(matrix)) > 1e-12:
        solved = np.linalg.solve(matrix, sums)
        if solved.min() >= length * 0.02 and solved.max() <= length * 1.5:
            reach = solved
    start, end = complex(points[0]), complex(points[-1])
    return start, start + leave * float(reach[0]), end + arrive * float(reach[1]), end


def _closer(curve: Bezier, points: Line, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move every t a Newton step towards the nearest place on the curve."""
    a, b, c, d = curve
    rest = 1 - t
    slope = 3 * rest**2 * (b - a) + 6 * rest * t * (c - b) + 3 * t * t * (d - c)
    away = ((_along(curve, t) - points) * slope.conj()).real
    moved = np.clip(t - away / ((slope * slope.conj()).real + 1e-9), 0.0, 1.0)
    return np.asarray(np.maximum.accumulate(moved))


def _fit_piece(points: Line, leave: complex, arrive: complex, tolerance: float) -> list[Bezier]:
    """Cubics along one smooth piece; it is halved until each is near enough."""
    reach = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(points)))])
    length = float(reach[-1])
    start, end = complex(points[0]), complex(points[-1])
    if len(points) < 3:
        return [(start, start + leave * length / 3, end + arrive * length / 3, end)]
    t = reach / length
    for _ in range(5):
        curve = _handles(points, t, leave, arrive, length)
        gap = np.abs(_along(curve, t) - points)
        if gap.max() < tolerance:
            return [curve]
        t = _closer(curve, points, t)
    cut = int(np.clip(gap[1:-1].argmax() + 1, 1, len(points) - 2))
    ahead = _unit(complex(points[min(cut + 2, len(points) - 1)] - points[max(cut - 2, 0)]))
    return _fit_piece(points[: cut + 1], leave, -ahead, tolerance) + _fit_piece(points[cut:], ahead, arrive, tolerance)


def fit(line: Line, closed: bool, tolerance: float) -> list[Bezier]:
    """Few cubic curves within `tolerance` units of the line."""
    points = _resample(line, closed)
    corners: list[int] = []
    if closed:
        corners = _corners(points)
        if corners:
            body = points[:-1]
            points = np.concatenate([body[corners[0] :], body[: corners[0] + 1]])
            corners = [corner - corners[0] for corner in corners]
    last = len(points) - 1
    sharp = set(corners) | ({last} if corners else set())
    cuts = sorted({0, last} | sharp) if corners or not closed else [0, last // 3, 2 * last // 3, last]

    def heading(index: int, way: int) -> complex:
        if closed and index not in sharp:
            around = points[(index + 2) % last] - points[(index - 2) % last]
            return _unit(complex(around)) * way
        beyond = min(max(index + 2 * way, 0), last)
        return _unit(complex(points[beyond] - points[index]))

    pieces: list[Bezier] = []
    for begin, end in pairwise(cuts):
        pieces += _fit_piece(points[begin : end + 1], heading(begin, 1), heading(end, -1), tolerance)
    return pieces


def _short(value: float) -> str:
    """A number with at most one decimal and no needless characters."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text.replace("0.", ".", 1) if abs(value) < 1 else text


def path_data(line: Line, place: Place, closed: bool = True, tolerance: float = 0.09) -> str:
    """SVG path data, relative, rounded to tenths without adding up the rounding."""

    def rounded(point: complex) -> complex:
        spot = place(point)
        return complex(round(spot.real, 1), round(spot.imag, 1))

    curves = fit(line, closed, tolerance)
    pen = rounded(curves[0][0])
    text = f"M{_short(pen.real)} {_short(pen.imag)}"
    for curve in curves:
        spots = [rounded(point) - pen for point in curve[1:]]
        numbers = [_short(value) for spot in spots for value in (spot.real, spot.imag)]
        text += "c" + "".join(
            number if index == 0 or number.startswith("-") else " " + number for index, number in enumerate(numbers)
        )
        pen = rounded(curve[3])
    return text + ("z" if closed else "")
