"""Flesh: her body around the bones, seen from the side.

Every bone carries a profile with a front and a back (thigh, calf, chest, seat).
Neighbours are merged and the hollow behind a joint is rounded, so that no pose
can break her proportions.
"""

from __future__ import annotations

from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from .curves import Line, spline
from .shapes import (
    RIGHT,
    Outline,
    Profile,
    disc,
    framed,
    joined,
    rounded,
    slice_along,
    soft_outline,
    tapered,
)
from .skeleton import (
    FOREARM,
    NECK,
    SHANK,
    THIGH,
    TRUNK,
    UPPER_ARM,
    Build,
    Limb,
    SidePose,
    mix,
    polar,
)

THIGH_PROFILE: Profile = [
    (0, 5.0, 5.6), (0.12, 5.0, 5.7), (0.35, 4.7, 4.6), (0.6, 4.1, 3.7), (0.85, 3.3, 3.1),
    (1, 3.15, 2.9),
]  # fmt: skip
SHANK_PROFILE: Profile = [
    (0, 3.1, 2.9), (0.12, 2.75, 3.1), (0.3, 2.45, 3.75), (0.5, 2.15, 3.3), (0.75, 1.8, 2.1),
    (0.92, 1.65, 1.75), (1, 1.75, 1.85),
]  # fmt: skip
UPPER_ARM_PROFILE: Profile = [
    (0, 3.0, 3.0), (0.2, 2.75, 2.9), (0.5, 2.45, 2.45), (0.8, 2.1, 2.15), (1, 2.05, 2.1),
]  # fmt: skip
FOREARM_PROFILE: Profile = [
    (0, 2.05, 2.1), (0.25, 2.2, 2.15), (0.6, 1.75, 1.7), (0.9, 1.3, 1.35), (1, 1.25, 1.3),
]  # fmt: skip
TRUNK_PROFILE: Profile = [
    (0, 5.3, 6.2), (0.14, 5.5, 6.0), (0.36, 5.2, 4.9), (0.58, 5.5, 5.2), (0.8, 6.1, 6.0),
    (0.95, 5.3, 5.9), (1.06, 3.9, 4.9), (1.15, 2.7, 3.6),
]  # fmt: skip
NECK_PROFILE: Profile = [(0, 3.5, 3.6), (0.5, 2.9, 3.0), (1, 2.8, 3.0)]
# How much of the breath shows at each row of the trunk profile: most at the belly.
BREATH = (0.0, 0.45, 1.0, 0.75, 0.25, 0.0, 0.0, 0.0)
SLEEVE_EASE = 0.45  # the sleeve is this much wider than the arm
SLEEVE_LENGTH = 0.52  # of the upper arm
LEGGING_LENGTH = 0.86  # of the shank

# Feet, from the ankle: along the toes, and towards the instep. Heel first. The
# three outlines have the same number of points, so that one can become the other.
POINTED: Outline = [
    (-3.3, 0.6), (-4.0, -1.9), (-2.6, -3.3), (1.4, -2.6), (6.4, -3.0), (10.2, -2.8),
    (11.3, -2.4), (11.6, -1.8), (10.9, -1.2), (9.8, -0.7), (7.6, -0.1), (5.4, 0.6),
    (2.3, 2.2), (0, 3.4), (-2.1, 2.6),
]  # fmt: skip
FLAT: Outline = [
    (-3.7, -0.9), (-4.2, -2.6), (-3.0, -3.9), (1.2, -3.5), (6.2, -3.9), (9.6, -3.95),
    (10.7, -3.6), (11.1, -3.0), (10.6, -2.3), (9.6, -1.7), (7.4, -0.7), (5.2, 0.3),
    (2.3, 2.2), (0, 3.4), (-2.1, 2.2),
]  # fmt: skip
TUCKED: Outline = [
    (-3.9, -1.2), (-4.1, -2.9), (-2.9, -4.0), (1, -3.3), (5.4, -3.7), (8.2, -3.9),
    (9.6, -2.6), (9.9, 0.2), (9.3, 2.4), (7.9, 2.2), (6.9, 0.2), (4.2, 0.3),
    (2.1, 2.2), (0, 3.4), (-2.1, 2.4),
]  # fmt: skip
FIST: Outline = [
    (-0.6, 1.2), (1.6, 2.0), (4.0, 2.2), (5.3, 0.9), (5.2, -1.3), (3.6, -2.2), (1.2, -1.7),
    (-0.6, -1.2),
]  # fmt: skip
PALM: Outline = [
    (-0.8, 1.25), (1.2, 1.6), (3.2, 1.8), (6.0, 1.55), (8.4, 0.95), (9.3, 0.1), (8.4, -0.75),
    (5.6, -1.2), (2.4, -1.5), (-0.8, -1.25),
]  # fmt: skip
THUMB: Outline = [
    (0.2, 0.4), (1.5, 1.9), (3.4, 3.0), (4.9, 3.3), (5.4, 2.6), (4.6, 1.7), (2.8, 0.2),
]  # fmt: skip

# The head, from the base of the skull: up, and towards the back of the head.
SKULL: Outline = [
    (8.2, -4.4), (6.3, -5.5), (4.4, -5.5), (3.6, -5.75), (2.15, -6.75), (1.55, -6.5),
    (1.25, -5.7), (0.2, -5.75), (-0.5, -5.45), (-1.5, -5.5), (-2.6, -4.5), (-2.1, -2.6),
    (-0.9, -0.4), (-0.9, 1.4), (-0.6, 3.6), (1.8, 5.5), (4.6, 6.0), (7.8, 5.0), (9.7, 2.4),
    (10.1, -0.8), (9.5, -3.0),
]  # fmt: skip
HAIR: Outline = [
    (8.2, -4.75), (7.3, -3.3), (6.0, -2.3), (4.6, -1.7), (3.2, -1.35), (2.0, -0.6),
    (1.2, 0.9), (-0.2, 2.3), (-0.7, 4.3), (1.8, 6.0), (4.6, 6.6), (8.2, 5.5), (10.4, 2.6),
    (10.75, -0.9), (10.0, -3.3),
]  # fmt: skip
KNOT: Outline = [(10.6, 4.6)]
EYE: Outline = [(3.7, -2.9), (3.25, -3.35), (3.2, -4.0), (3.5, -4.5)]
MOUTH: Outline = [(-0.35, -5.5), (-0.5, -4.7), (-0.2, -4.0)]


@dataclass(frozen=True)
class Layer:
    """One shape with its ink. A line (eye, mouth) has no inside."""

    ink: str
    shape: BaseGeometry | Line
    limb: str = ""  # the limb it belongs to, for pictures that move one


@dataclass(frozen=True)
class Leg:
    """What a leg is drawn from."""

    cloth: BaseGeometry
    skin: BaseGeometry


@dataclass(frozen=True)
class Arm:
    """What an arm is drawn from."""

    sleeve: BaseGeometry
    skin: BaseGeometry


def foot(ankle: complex, degrees: float, bend: float) -> BaseGeometry:
    """A foot between pointed (0), flat (1) and toes tucked under (2)."""
    first, second = (POINTED, FLAT) if bend <= 1 else (FLAT, TUCKED)
    share = bend if bend <= 1 else bend - 1
    outline = [(mix(a, c, share), mix(b, d, share)) for (a, b), (c, d) in zip(first, second, strict=True)]
    return soft_outline(outline, ankle, degrees)


def leg(root: complex, limb: Limb) -> Leg:
    """Thigh, shank and foot; the legging ends above the ankle."""
    long_thigh, long_shank = THIGH * limb.upper_scale, SHANK * limb.lower_scale
    knee, ankle = limb.joints(root, THIGH, SHANK)
    kneecap = disc(knee + (polar(1, limb.upper) - polar(1, limb.lower)) * 0.25, 3.0)
    shank = tapered(knee, limb.lower, long_shank, SHANK_PROFILE)
    whole = [tapered(root, limb.upper, long_thigh, THIGH_PROFILE), shank, kneecap]
    cloth = slice_along(rounded(joined(whole), 2.2), knee, limb.lower, -60, long_shank * LEGGING_LENGTH)
    shin = slice_along(shank, knee, limb.lower, long_shank * 0.6, long_shank + 1)
    return Leg(cloth, rounded(joined([foot(ankle, limb.end, limb.foot), shin]), 0.9))


def hand(wrist: complex, degrees: float, build: Build) -> BaseGeometry:
    """A loose fist, or a flat hand with its thumb."""
    if build.fists:
        return soft_outline(FIST, wrist, degrees, build.thumb)
    parts = [soft_outline(outline, wrist, degrees, build.thumb, build.hand_size) for outline in (PALM, THUMB)]
    return joined(parts)


def sleeve(root: complex, limb: Limb) -> BaseGeometry:
    """The short sleeve over the upper arm."""
    length = UPPER_ARM * limb.upper_scale
    wide = [(t, a + SLEEVE_EASE, b + SLEEVE_EASE) for t, a, b in UPPER_ARM_PROFILE]
    whole = tapered(root, limb.upper, length, wide)
    return slice_along(whole, root, limb.upper, -8, length * SLEEVE_LENGTH)


def arm(root: complex, limb: Limb, hand_shape: BaseGeometry) -> Arm:
    """Upper arm, forearm and the given hand."""
    elbow, _ = limb.joints(root, UPPER_ARM, FOREARM)
    upper = tapered(root, limb.upper, UPPER_ARM * limb.upper_scale, UPPER_ARM_PROFILE)
    lower = tapered(elbow, limb.lower, FOREARM * limb.lower_scale, FOREARM_PROFILE)
    return Arm(sleeve(root, limb), rounded(joined([upper, lower, hand_shape]), 1.1))


def side_arm(root: complex, limb: Limb, build: Build) -> Arm:
    """An arm of the figure seen from the side."""
    _, wrist = limb.joints(root, UPPER_ARM, FOREARM)
    return arm(root, limb, hand(wrist, limb.end, build))


def head(pose: SidePose) -> list[Layer]:
    """Neck, face and hair; her eyes are lowered or closed."""
    atlas = pose.joints()["atlas"]
    base = atlas + polar(pose.build.face_forward, pose.neck - 90)
    root = pose.shoulder + polar(NECK * 0.25, pose.neck)
    neck = tapered(root, pose.neck, NECK * 0.75, NECK_PROFILE, RIGHT)
    skull = soft_outline(SKULL, base, pose.head)
    knot = disc(complex(framed(KNOT, base, pose.head)[0]), 2.6)
    hair = joined([soft_outline(HAIR, base, pose.head), knot])
    return [
        Layer("skin", rounded(joined([neck, skull]), 1.4)),
        Layer("hair", hair.buffer(0.5).buffer(-0.5)),
        Layer("line", spline(framed(EYE, base, pose.head), steps=6)),
        Layer("line", spline(framed(MOUTH, base, pose.head), steps=6)),
    ]


def trunk(pose: SidePose) -> BaseGeometry:
    """Seat, belly, chest and back, with the breath in the belly."""
    profile = [
        (share, ahead + pose.breath * rise, behind)
        for (share, ahead, behind), rise in zip(TRUNK_PROFILE, BREATH, strict=True)
    ]
    return tapered(pose.hip, pose.trunk, TRUNK, profile, RIGHT, pose.bow)


def side_layers(pose: SidePose) -> list[Layer]:
    """All her layers in drawing order: far limbs, head, leggings, shirt, near arm."""
    layers: list[Layer] = []
    if pose.far_arm:
        far_arm = side_arm(pose.shoulder + pose.build.far_shoulder, pose.far_arm, pose.build)
        layers += [
            Layer("skin-far", far_arm.skin, "far_arm"),
            Layer("top-far", far_arm.sleeve, "far_arm"),
        ]
    if pose.far_leg:
        far_leg = leg(pose.hip + pose.build.far_hip, pose.far_leg)
        layers += [Layer("skin-far", far_leg.skin), Layer("leg-far", far_leg.cloth)]
    whole = trunk(pose)
    shirt = slice_along(whole, pose.hip, pose.trunk, 1.2, 60)
    near_leg = leg(pose.hip, pose.near_leg)
    seat = slice_along(whole, pose.hip, pose.trunk, -30, 5)
    leggings = Layer("leg", rounded(joined([near_leg.cloth, seat]), 3.0), "near_leg")
    near_arm = side_arm(pose.shoulder, pose.near_arm, pose.build)
    bare_arm = Layer("skin", near_arm.skin)
    layers += [*head(pose), Layer("skin", near_leg.skin, "near_leg")]
    if pose.build.arm_over:
        shirt_layer = Layer("top", rounded(shirt, 1.2))
        return [*layers, leggings, shirt_layer, bare_arm, Layer("top", near_arm.sleeve)]
    merged = rounded(joined([shirt, near_arm.sleeve]), 1.8)
    return [*layers, bare_arm, leggings, Layer("top", merged)]
