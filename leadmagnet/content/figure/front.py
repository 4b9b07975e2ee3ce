"""Her body seen from the front: the side plank.

The trunk has two bones here (pelvis to waist, waist to chest), so that the side
of the waist can hang and straighten. Legs that bend away from us are shortened.
"""

from __future__ import annotations

from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from .curves import spline
from .flesh import FIST, Layer, arm
from .shapes import (
    RIGHT,
    Outline,
    Profile,
    disc,
    framed,
    joined,
    largest,
    polygon,
    rounded,
    slice_along,
    soft_outline,
    tapered,
)
from .skeleton import FOREARM, SHANK, THIGH, UPPER_ARM, Joints, Limb, mix, polar

PELVIS = 12.0
CHEST = 17.2
HALF_SHOULDERS = 8.2
FRONT_NECK = 9.4
HIP_SOCKET = complex(-1.0, 3.9)  # along the pelvis, and to the side

# Half the width of the trunk: distance from the middle of the pelvis, half width.
BELOW_WAIST: Outline = [(-4.5, 6.0), (-1, 8.0), (3, 7.7), (8, 6.7)]
WAIST_WIDTH = (1.0, 6.5)  # beyond the waist, half width
ABOVE_WAIST: Outline = [(7, 7.6), (12, 8.9), (16, 10.0), (19, 9.4), (20.6, 6.0), (21.8, 3.0)]
SEAT_END, NECKLINE = -5.5, 22.2

THIGH_FRONT: Profile = [
    (0, 5.3, 5.2), (0.15, 5.3, 5.0), (0.5, 4.3, 4.2), (0.85, 3.3, 3.3), (1, 3.15, 3.1),
]  # fmt: skip
SHANK_FRONT: Profile = [
    (0, 3.1, 3.1), (0.12, 2.8, 3.0), (0.32, 3.1, 3.3), (0.55, 2.7, 2.8), (0.8, 1.85, 1.9),
    (1, 1.75, 1.8),
]  # fmt: skip
NECK_FRONT: Profile = [(0, 3.7, 3.7), (0.5, 3.0, 3.0), (1, 3.0, 3.0)]
FOOT_FRONT: Outline = [
    (-2, -1.7), (1.2, -2.2), (3.6, -2.7), (5.3, -2.0), (5.9, -0.3), (5.4, 1.6), (3.4, 2.2),
    (0.6, 1.9), (-2, 1.7),
]  # fmt: skip
OPEN_HAND: Outline = [
    (-0.8, 1.25), (1.0, 1.6), (2.2, 2.3), (3.4, 3.9), (4.5, 4.5), (5.1, 3.8), (4.6, 2.3),
    (5.6, 1.95), (8.0, 1.7), (9.3, 0.8), (9.5, -0.4), (8.4, -1.4), (5.4, -1.9), (2.2, -1.75),
    (-0.8, -1.25),
]  # fmt: skip
FACE: Outline = [
    (11.7, 0), (11.0, -3.2), (8.5, -5.2), (5.3, -5.4), (2.1, -4.7), (-0.5, -3.0), (-1.6, -1.2),
    (-1.6, 1.2), (-0.5, 3.0), (2.1, 4.7), (5.3, 5.4), (8.5, 5.2), (11.0, 3.2),
]  # fmt: skip
FRONT_HAIR: Outline = [
    (12.4, 0), (11.7, -3.6), (8.9, -5.8), (5.5, -6.0), (4.1, -5.5), (6.1, -4.9), (8.0, -3.6),
    (9.1, -1.2), (8.5, 2.0), (6.7, 4.4), (4.5, 5.3), (5.5, 5.9), (8.9, 5.8), (11.7, 3.6),
]  # fmt: skip
FRONT_KNOT: Outline = [(13.1, 0)]
FACE_LINES: list[Outline] = [
    [(4.6, 3.1), (4.15, 2.5), (4.15, 1.8), (4.5, 1.3)],
    [(4.5, -1.3), (4.15, -1.8), (4.15, -2.5), (4.6, -3.1)],
    [(0.55, 1.2), (0.15, 0), (0.55, -1.2)],
]


@dataclass(frozen=True)
class FrontPose:
    """Chest towards us; `low` is the side on the mat, `top` the upper side."""

    pelvis_at: complex
    pelvis: float  # direction from pelvis to waist
    chest: float  # direction from waist to neck
    head: float
    low_arm: Limb
    top_arm: Limb
    low_leg: Limb
    top_leg: Limb
    breath: float = 0.0  # how far the flank widens, in units

    @property
    def waist(self) -> complex:
        """The joint between pelvis and chest."""
        return self.pelvis_at + polar(PELVIS, self.pelvis)

    @property
    def chest_at(self) -> complex:
        """The middle between the shoulders."""
        return self.waist + polar(CHEST, self.chest)

    def shoulder(self, side: int) -> complex:
        """The upper (+1) or lower (-1) shoulder."""
        return self.chest_at + polar(HALF_SHOULDERS, self.chest + 90 * side)

    def socket(self, side: int) -> complex:
        """The upper (+1) or lower (-1) hip joint."""
        return self.pelvis_at + polar(1, self.pelvis) * complex(HIP_SOCKET.real, HIP_SOCKET.imag * side)

    def joints(self) -> Joints:
        """Every joint by name."""
        found = {"pelvis": self.pelvis_at, "waist": self.waist, "chest": self.chest_at}
        found["atlas"] = self.chest_at + polar(FRONT_NECK, self.chest + 1)
        for name, side, arm_limb, leg_limb in self._sides():
            shoulder, socket = self.shoulder(side), self.socket(side)
            elbow, wrist = arm_limb.joints(shoulder, UPPER_ARM, FOREARM)
            knee, ankle = leg_limb.joints(socket, THIGH, SHANK)
            found |= {f"{name}_shoulder": shoulder, f"{name}_elbow": elbow, f"{name}_wrist": wrist}
            found |= {f"{name}_hip": socket, f"{name}_knee": knee, f"{name}_ankle": ankle}
        return found

    def bones(self) -> dict[tuple[str, str], float]:
        """The length every bone has in this pose, shortening included."""
        lengths = {("pelvis", "waist"): PELVIS, ("waist", "chest"): CHEST, ("chest", "atlas"): FRONT_NECK}
        for name, _, arm_limb, leg_limb in self._sides():
            lengths["chest", f"{name}_shoulder"] = HALF_SHOULDERS
            lengths["pelvis", f"{name}_hip"] = abs(HIP_SOCKET)
            lengths[f"{name}_shoulder", f"{name}_elbow"] = UPPER_ARM * arm_limb.upper_scale
            lengths[f"{name}_elbow", f"{name}_wrist"] = FOREARM * arm_limb.lower_scale
            lengths[f"{name}_hip", f"{name}_knee"] = THIGH * leg_limb.upper_scale
            lengths[f"{name}_knee", f"{name}_ankle"] = SHANK * leg_limb.lower_scale
        return lengths

    def _sides(self) -> list[tuple[str, int, Limb, Limb]]:
        return [("low", -1, self.low_arm, self.low_leg), ("top", 1, self.top_arm, self.top_leg)]


def trunk(pose: FrontPose) -> BaseGeometry:
    """Pelvis and chest as one soft outline around the bent axis."""
    lower, upper = polar(1, pose.pelvis), polar(1, pose.chest)
    middle = polar(1, mix(pose.pelvis, pose.chest, 0.5))
    beyond, half = WAIST_WIDTH

    def flank(side: int) -> list[complex]:
        turn = 1j * side
        wide = half + pose.breath
        below = [pose.pelvis_at + lower * (x + turn * y) for x, y in BELOW_WAIST]
        above = [pose.waist + upper * (x + turn * y) for x, y in ABOVE_WAIST]
        return [*below, pose.waist + middle * (beyond + turn * wide), *above]

    ends = pose.pelvis_at + lower * SEAT_END, pose.waist + upper * NECKLINE
    ring = [ends[0], *flank(1), ends[1], *reversed(flank(-1))]
    return polygon(spline(ring, closed=True))


def leg(root: complex, limb: Limb) -> tuple[BaseGeometry, BaseGeometry, BaseGeometry]:
    """The whole leg, its legging, and the bare foot with the shin above it."""
    knee, ankle = limb.joints(root, THIGH, SHANK)
    length = SHANK * limb.lower_scale
    thigh = tapered(root, limb.upper, THIGH * limb.upper_scale, THIGH_FRONT)
    shank = tapered(knee, limb.lower, length, SHANK_FRONT)
    whole = rounded(joined([thigh, shank]), 2.2)
    cloth = slice_along(whole, knee, limb.lower, -60, length * 0.86)
    shin = slice_along(shank, knee, limb.lower, length * 0.6, length + 1)
    bare = rounded(joined([soft_outline(FOOT_FRONT, ankle, limb.end), shin]), 0.8)
    return whole, cloth, bare


def head(pose: FrontPose) -> list[Layer]:
    """Knot, neck with face, hair, and the lines of the face."""
    base = pose.joints()["atlas"]
    neck_root = pose.chest_at + polar(FRONT_NECK * 0.35, pose.chest + 1)
    neck = tapered(neck_root, pose.chest + 1, FRONT_NECK * 0.65, NECK_FRONT, RIGHT)
    knot = disc(complex(framed(FRONT_KNOT, base, pose.head)[0]), 2.5)
    face = joined([neck, soft_outline(FACE, base, pose.head)])
    lines = [Layer("line", spline(framed(line, base, pose.head), steps=6)) for line in FACE_LINES]
    return [
        Layer("hair", knot),
        Layer("skin", rounded(face, 1.2)),
        Layer("hair", soft_outline(FRONT_HAIR, base, pose.head)),
        *lines,
    ]


def front_layers(pose: FrontPose) -> list[Layer]:
    """All her layers in drawing order: lower leg, head, upper leg, arms, shirt."""
    whole = trunk(pose)
    shirt = slice_along(whole, pose.waist, pose.pelvis, 2.2 - PELVIS, 90)
    seat = slice_along(whole, pose.pelvis_at, pose.pelvis, -30, 5.5)
    low_whole, low_cloth, low_bare = leg(pose.socket(-1), pose.low_leg)
    _, top_cloth, top_bare = leg(pose.socket(1), pose.top_leg)
    low_root = slice_along(low_whole, pose.socket(-1), pose.low_leg.upper, -20, 9)
    hands = [
        soft_outline(outline, limb.joints(root, UPPER_ARM, FOREARM)[1], limb.end)
        for outline, limb, root in (
            (OPEN_HAND, pose.top_arm, pose.shoulder(1)),
            (FIST, pose.low_arm, pose.shoulder(-1)),
        )
    ]
    top_arm = arm(pose.shoulder(1), pose.top_arm, hands[0])
    low_arm = arm(pose.shoulder(-1), pose.low_arm, hands[1])
    return [
        Layer("skin-far", low_bare),
        Layer("leg-far", rounded(low_cloth, 1)),
        *head(pose),
        Layer("skin", top_bare),
        Layer("leg", rounded(joined([top_cloth, seat, low_root]), 3.0)),
        Layer("skin", low_arm.skin),
        Layer("top", rounded(joined([shirt, low_arm.sleeve, top_arm.sleeve]), 2.0)),
        # The rest of the upper arm may cross the shirt, so it comes after it.
        Layer("skin", largest(top_arm.skin.difference(top_arm.sleeve))),
    ]
