"""5. Side plank, seen from the front: the forearm carries, the hips lift to a line."""

from __future__ import annotations

from ..front import CHEST, HALF_SHOULDERS, HIP_SOCKET, PELVIS, FrontPose
from ..marks import straight
from ..script import Channels, Exercise, Step
from ..skeleton import (
    FOREARM,
    SHANK,
    THIGH,
    UPPER_ARM,
    Limb,
    bearing,
    mix,
    polar,
    soft,
    two_bones,
)

ELBOW = complex(30.3, 2.3)
ANKLE_LOW, ANKLE_TOP = complex(-46.7, 2.5), complex(-47.0, 7.1)
LONG_LEG = 48.5  # hip to ankle: very nearly straight
THIGH_SHOWN = THIGH * LONG_LEG / (THIGH + SHANK)
PELVIS_DOWN, PELVIS_LONG, PELVIS_KNEES = 18.0, 18.5, 22.3  # degrees: at rest, and lifted
HEIGHT_DOWN, HEIGHT_LONG, HEIGHT_KNEES = 8.9, 18.6, 16.6  # of the pelvis, units
SHIN_SHOWN, SHIN_WAY = 0.42, 150.0  # a shin that points away from us: length, direction
FOREARM_SHOWN = 0.62  # the forearm points partly towards us


def _socket(pelvis: float, side: int) -> complex:
    """From the middle of the pelvis to a hip joint."""
    return polar(1, pelvis) * complex(HIP_SOCKET.real, HIP_SOCKET.imag * side)


def _across(root: complex, height: float, length: float) -> complex:
    """The point at this height and distance to the right of the root."""
    rise = height - root.imag
    return complex(root.real + (length**2 - rise**2) ** 0.5, height)


def _pelvis_at(anchor: complex, length: float, height: float, pelvis: float) -> complex:
    """Where the pelvis is, so that the lower leg neither stretches nor shrinks."""
    socket = _socket(pelvis, -1)
    return _across(anchor, height + socket.imag, length) - socket


REST = _pelvis_at(ANKLE_LOW, LONG_LEG, HEIGHT_DOWN, PELVIS_DOWN)
_WAY = ANKLE_LOW - (REST + _socket(PELVIS_DOWN, -1))
KNEE_LOW = ANKLE_LOW - _WAY * SHANK / (THIGH + SHANK)
KNEE_TOP = KNEE_LOW + complex(-0.2, 5.6)


def pose(channels: Channels) -> FrontPose:
    """Channels: lift; knees 0 long legs, 1 bent; arm 0 along the side, 1 up; breath."""
    lift, knees = channels["lift"], channels["knees"]
    pelvis = mix(PELVIS_DOWN, mix(PELVIS_LONG, PELVIS_KNEES, knees), lift)
    height = mix(HEIGHT_DOWN, mix(HEIGHT_LONG, HEIGHT_KNEES, knees), lift)
    long_legs = _pelvis_at(ANKLE_LOW, LONG_LEG, height, pelvis)
    on_knees = _pelvis_at(KNEE_LOW, THIGH_SHOWN, height, pelvis)
    place = long_legs + (on_knees - long_legs) * knees
    waist = place + polar(PELVIS, pelvis)
    chest, arm = _chest_and_arm(waist)
    return FrontPose(
        pelvis_at=place,
        pelvis=pelvis,
        chest=chest,
        head=chest + mix(2, -8, soft(chest, 22, 60)),
        low_arm=arm,
        top_arm=_top_arm(waist, chest, place + polar(1, pelvis) * complex(-2, 8.5), channels["arm"]),
        low_leg=_leg(place + _socket(pelvis, -1), KNEE_LOW, ANKLE_LOW, knees),
        top_leg=_leg(place + _socket(pelvis, 1), KNEE_TOP, ANKLE_TOP, knees),
        breath=0.6 * channels["breath"],
    )


def _chest_and_arm(waist: complex) -> tuple[float, Limb]:
    """The chest that brings the lower shoulder above the fixed elbow."""
    chest_side = complex(CHEST, -HALF_SHOULDERS)
    to_shoulder, upper = two_bones(waist, ELBOW, abs(chest_side), UPPER_ARM, side=1)
    return to_shoulder - bearing(chest_side), Limb(upper, 1, 1, lower_scale=FOREARM_SHOWN)


def _top_arm(waist: complex, chest: float, hip: complex, up: float) -> Limb:
    """The upper arm: hand on the thigh, or straight up."""
    shoulder = waist + polar(1, chest) * complex(CHEST, HALF_SHOULDERS)
    reach = UPPER_ARM + FOREARM
    way = hip - shoulder
    resting = bearing(way / abs(way) * -1) + 180
    bent = two_bones(0, polar(min(abs(way), reach - 0.2), resting), UPPER_ARM, FOREARM, side=-1)
    upper, lower = bent[0] % 360, bent[1] % 360
    return Limb(mix(upper, 92, up), mix(lower, 90.5, up), mix(lower, 88, up))


def _leg(socket: complex, knee: complex, ankle: complex, bent: float) -> Limb:
    """A long leg, or one whose shin goes back, away from us."""
    straight_way, thigh_way = ankle - socket, knee - socket
    shown = abs(straight_way) / (THIGH + SHANK)
    along = bearing(straight_way) % 360
    return Limb(
        upper=mix(along, bearing(thigh_way) % 360, bent),
        lower=mix(along, SHIN_WAY, bent),
        end=mix(along, SHIN_WAY + 8, bent),
        upper_scale=mix(shown, abs(thigh_way) / THIGH, bent),
        lower_scale=mix(shown, SHIN_SHOWN, bent),
    )


def planted(channels: Channels) -> frozenset[str]:
    """The joints that carry her weight at this moment."""
    carrying = {"low_elbow", "low_wrist"}
    if channels["knees"] == 0:
        carrying |= {"low_ankle", "top_ankle"}
    if channels["knees"] == 1:
        carrying |= {"low_knee", "top_knee"}
    return frozenset(carrying)


LOWER = Step("Lower slowly", "Lower your hips slowly.", move=3.0, hold=0.5, to={"lift": 0.0, "breath": 0.5})

SIDE_PLANK = Exercise(
    number=5,
    slug="side-plank",
    title="Side plank",
    about=(
        "The figure rests on one forearm and the side of her feet, facing us, body straight from "
        "head to feet, the upper arm pointing to the ceiling."
    ),
    start={"lift": 0.0, "knees": 0.0, "arm": 0.0, "breath": 0.0},
    pose=pose,
    steps=(
        Step(
            "Elbow under the shoulder",
            "Lie on your side, elbow under your shoulder, one foot on the other.",
            move=1.5,
            hold=2.5,
            to={"breath": 0.5},
        ),
        Step(
            "Breathe out, lift",
            "Breathe out and lift your hips.",
            move=3.0,
            to={"lift": 1.0, "breath": 0.0},
        ),
        Step(
            "Hold, and breathe",
            "Hold, and breathe. One line from head to feet.",
            hold=4.5,
            breaths=1,
            dots=("line",),
        ),
        LOWER,
        Step(
            "Lift again",
            "Lift again.",
            move=3.0,
            to={"lift": 1.0, "breath": 0.0},
        ),
        Step("Arm up, if it's easy", "If it's easy, raise the upper arm.", move=2.6, to={"arm": 1.0}),
        Step("Hold, and breathe", "Hold, and breathe.", hold=4.0, breaths=1, dots=("line",)),
        Step("Arm down", "Bring the arm down.", move=2.4, to={"arm": 0.0}),
        LOWER,
        Step(
            "Easier: bend your knees",
            "The easier way: bend your knees and lift from there.",
            move=2.4,
            hold=0.6,
            to={"knees": 1.0},
        ),
        Step(
            "Lift from the knees",
            "Breathe out and lift, knees down.",
            move=2.6,
            to={"lift": 1.0, "breath": 0.0},
        ),
        Step("Hold, and breathe", "Hold, and breathe.", hold=4.0, breaths=1),
        LOWER,
        Step(
            "Rest, then turn over",
            "Stretch your legs and rest. Then turn over and do the other side.",
            move=2.4,
            hold=1.6,
            to={"knees": 0.0, "breath": 0.0},
        ),
    ),
    poster={"lift": 1.0, "arm": 1.0},
    poster_dots=("line",),
    dots={"line": straight(-45 + 18j, -8 + 30.5j)},
    planted=planted,
    scale=6.5,
    middle=-15,
    poster_scale=7.0,
    poster_shift=18,
)
