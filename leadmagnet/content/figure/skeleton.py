"""Bones and joints: where every joint is, given a handful of angles.

Lengths never change. The one exception is a limb that points towards us, which
looks shorter: such a limb says so itself, through its `scale`.
This module needs nothing but the standard library, so the rules of motion can
be tested without a drawing library.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, field

TRUNK = 30.0
NECK = 8.6  # from the shoulder joint to the base of the skull
UPPER_ARM = 17.8
FOREARM = 14.8
HAND = 8.6
THIGH = 24.5
SHANK = 24.3
BALL = 8.9  # from the ankle to the ball of the foot

Joints = dict[str, complex]


def polar(length: float, degrees: float) -> complex:
    """The step of this length in this direction."""
    return cmath.rect(length, math.radians(degrees))


def bearing(step: complex) -> float:
    """The direction of a step in degrees, in (-180, 180]."""
    return math.degrees(cmath.phase(step))


def mix(start: float, end: float, share: float) -> float:
    """The value at this share of the way from start to end."""
    return start + (end - start) * share


def soft(value: float, start: float = 0.0, end: float = 1.0) -> float:
    """0 before start, 1 after end, and a smooth S between them."""
    share = min(1.0, max(0.0, (value - start) / (end - start)))
    return share * share * share * (share * (share * 6 - 15) + 10)


def two_bones(root: complex, target: complex, first: float, second: float, side: int) -> tuple[float, float]:
    """Angles of two bones that lead from root to target.

    `side` is +1 if the middle joint lies to the left of the way, -1 to the
    right. A target out of reach is approached with straight bones.
    """
    way = target - root
    distance = min(max(abs(way), abs(first - second) + 1e-9), first + second - 1e-9)
    cosine = (first**2 + distance**2 - second**2) / (2 * first * distance)
    opening = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    upper = bearing(way) + side * opening
    lower = bearing(target - root - polar(first, upper))
    return upper, lower


def third_corner(root: complex, target: complex, first: float, second: float, side: int) -> complex:
    """The middle joint that `two_bones` finds, as a point."""
    return root + polar(first, two_bones(root, target, first, second, side)[0])


@dataclass(frozen=True)
class Limb:
    """An arm or a leg: directions of its three parts, in degrees."""

    upper: float
    lower: float
    end: float
    upper_scale: float = 1.0  # below 1: this part points towards us
    lower_scale: float = 1.0
    foot: float = 1.0  # 0 pointed, 1 flat, 2 toes tucked under; legs only

    def joints(self, root: complex, upper: float, lower: float) -> tuple[complex, complex]:
        """Elbow and wrist, or knee and ankle."""
        middle = root + polar(upper * self.upper_scale, self.upper)
        return middle, middle + polar(lower * self.lower_scale, self.lower)


def blend(one: Limb, other: Limb, share: float) -> Limb:
    """The limb part of the way from one to the other; every angle moves evenly."""
    return Limb(
        mix(one.upper, other.upper, share),
        mix(one.lower, other.lower, share),
        mix(one.end, other.end, share),
        mix(one.upper_scale, other.upper_scale, share),
        mix(one.lower_scale, other.lower_scale, share),
        mix(one.foot, other.foot, share),
    )


@dataclass(frozen=True)
class Build:
    """What stays the same all through one exercise."""

    arm_over: bool = False  # the near arm lies in front of the shirt
    fists: bool = False
    thumb: int = 1  # +1: thumb to the left of the hand's direction
    hand_size: float = 1.0
    face_forward: float = 0.6  # how far the skull sits in front of the neck
    far_shoulder: complex = 0j  # far limbs start a little aside, so that they show
    far_hip: complex = 0j


@dataclass(frozen=True)
class SidePose:
    """Her body seen from the side."""

    hip: complex
    trunk: float  # direction from hip to shoulder
    neck: float
    head: float
    near_arm: Limb
    near_leg: Limb
    far_arm: Limb | None = None
    far_leg: Limb | None = None
    bow: float = 0.0  # how far the spine bows towards the front
    breath: float = 0.0  # how far the belly rises, in units
    build: Build = field(default_factory=Build)

    @property
    def shoulder(self) -> complex:
        """The joint that both arms hang from; the far arm may stand aside."""
        return self.hip + polar(TRUNK, self.trunk)

    def joints(self) -> Joints:
        """Every joint by name."""
        found = {"hip": self.hip, "shoulder": self.shoulder}
        found["atlas"] = self.shoulder + polar(NECK, self.neck)
        for name, limb, root in self.arms():
            elbow, wrist = limb.joints(root, UPPER_ARM, FOREARM)
            found |= {f"{name}_shoulder": root, f"{name}_elbow": elbow, f"{name}_wrist": wrist}
        for name, limb, root in self.legs():
            knee, ankle = limb.joints(root, THIGH, SHANK)
            found |= {f"{name}_hip": root, f"{name}_knee": knee, f"{name}_ankle": ankle}
            found[f"{name}_ball"] = ankle + polar(BALL, limb.end)
        return found

    def arms(self) -> list[tuple[str, Limb, complex]]:
        """Name, limb and root of the arms that are shown."""
        far = [("far", self.far_arm, self.shoulder + self.build.far_shoulder)]
        near: list[tuple[str, Limb | None, complex]] = [("near", self.near_arm, self.shoulder)]
        return [(name, limb, root) for name, limb, root in near + far if limb is not None]

    def legs(self) -> list[tuple[str, Limb, complex]]:
        """Name, limb and root of the legs that are shown."""
        far = [("far", self.far_leg, self.hip + self.build.far_hip)]
        near: list[tuple[str, Limb | None, complex]] = [("near", self.near_leg, self.hip)]
        return [(name, limb, root) for name, limb, root in near + far if limb is not None]

    def bones(self) -> dict[tuple[str, str], float]:
        """The length every bone has in this pose, shortening included."""
        lengths = {("hip", "shoulder"): TRUNK, ("shoulder", "atlas"): NECK}
        for name, limb, _ in self.arms():
            lengths[f"{name}_shoulder", f"{name}_elbow"] = UPPER_ARM * limb.upper_scale
            lengths[f"{name}_elbow", f"{name}_wrist"] = FOREARM * limb.lower_scale
        for name, limb, _ in self.legs():
            lengths[f"{name}_hip", f"{name}_knee"] = THIGH * limb.upper_scale
            lengths[f"{name}_knee", f"{name}_ankle"] = SHANK * limb.lower_scale
        return lengths
