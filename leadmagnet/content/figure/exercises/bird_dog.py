"""4. Bird dog: one hand and the opposite knee carry; the other two reach, level."""

from __future__ import annotations

import math

from ..marks import arc
from ..script import Channels, Exercise, Step
from ..skeleton import FOREARM, UPPER_ARM, Build, Limb, SidePose, mix, polar, soft, two_bones

HIP = complex(0, 27.7)
TRUNK_ANGLE = 12.0
SHOULDER = HIP + polar(30.0, TRUNK_ANGLE)
WRIST_HEIGHT = 1.5  # of a hand that lies flat
HAND_DOWN = 2.0
ARM_REACH = 11.0  # in line with the trunk, not higher
KNEEL = Limb(-90, 179, 178, foot=0.0)
LEG_REACH_THIGH, LEG_REACH_SHANK, LEG_REACH_FOOT = -183.0, 179.5, 254.0
BUILD = Build(hand_size=0.92, face_forward=1.2, far_shoulder=1.6 + 0j, far_hip=1.2 + 0j)


def pose(channels: Channels) -> SidePose:
    """Channels: near/far arm and leg from 0 (carrying) to 1 (reaching); breath."""
    return SidePose(
        hip=HIP,
        trunk=TRUNK_ANGLE,
        neck=8.0,
        head=-4,
        near_arm=arm(channels["near_arm"]),
        far_arm=arm(channels["far_arm"]),
        near_leg=leg(channels["near_leg"]),
        far_leg=leg(channels["far_leg"]),
        bow=0.5,
        breath=0.8 * channels["breath"],
        build=BUILD,
    )


def arm(reach: float) -> Limb:
    """From the hand under the shoulder to the arm in line with the trunk.

    The elbow bends a little on the way and the wrist straightens early, so that
    the fingers leave the mat without brushing it.
    """
    below = complex(SHOULDER.real, WRIST_HEIGHT)
    upper, lower = two_bones(SHOULDER, below, UPPER_ARM, FOREARM, side=-1)
    on_the_way = math.sin(math.pi * reach) ** 2
    forearm = mix(lower, ARM_REACH - 1, reach) + 26 * on_the_way
    wrist_bend = (HAND_DOWN - lower) * (1 - soft(reach, 0.0, 0.45)) - soft(reach, 0.3, 1.0)
    return Limb(mix(upper, ARM_REACH, reach), forearm, forearm + wrist_bend)


def leg(reach: float) -> Limb:
    """From the kneeling leg to the long one; the foot slides back, then rises."""
    turn = soft(reach, 0.4, 1.0)
    return Limb(
        upper=mix(KNEEL.upper, LEG_REACH_THIGH, reach),
        lower=mix(KNEEL.lower, LEG_REACH_SHANK, reach) - 4 * math.sin(math.pi * reach) ** 2,
        end=mix(KNEEL.end, LEG_REACH_FOOT, turn),
        foot=turn,
    )


def planted(channels: Channels) -> frozenset[str]:
    """The joints that carry her weight at this moment."""
    carrying = {"hip", "shoulder", "atlas"}
    for side in ("near", "far"):
        if channels[f"{side}_arm"] == 0:
            carrying.add(f"{side}_wrist")
        if channels[f"{side}_leg"] == 0:
            carrying |= {f"{side}_knee", f"{side}_ankle"}
    return frozenset(carrying)


def reach(arm_name: str, leg_name: str, cue: str) -> tuple[Step, ...]:
    """Out, a still moment, and back."""
    return (
        Step(
            "Breathe out, reach",
            cue,
            move=3.4,
            to={arm_name: 1.0, leg_name: 1.0, "breath": 0.0},
            dots=("arm", "leg"),
        ),
        Step("Level, and still", "Stay level, eyes to the mat.", hold=1.9),
        Step(
            "Come back slowly",
            "Breathe in and come back slowly.",
            move=3.4,
            hold=0.4,
            to={arm_name: 0.0, leg_name: 0.0, "breath": 0.7},
        ),
    )


LEFT_ARM = "far_arm", "near_leg", "Breathe out. Reach the left arm and the right leg."
RIGHT_ARM = "near_arm", "far_leg", "Breathe out. Reach the right arm and the left leg."

BIRD_DOG = Exercise(
    number=4,
    slug="bird-dog",
    title="Bird dog",
    about=(
        "The figure kneels on one knee and one hand on a mat and stretches the opposite arm "
        "forward and the opposite leg back, level with her trunk."
    ),
    start={"near_arm": 0.0, "far_arm": 0.0, "near_leg": 0.0, "far_leg": 0.0, "breath": 0.0},
    pose=pose,
    steps=(
        Step(
            "Hands under shoulders",
            "Kneel on all fours: hands under your shoulders, knees under your hips.",
            move=1.5,
            hold=2.8,
            to={"breath": 0.7},
        ),
        *reach(*LEFT_ARM),
        *reach(*RIGHT_ARM),
        *reach(*LEFT_ARM),
        *reach(*RIGHT_ARM),
        Step("Rest", "Rest.", move=1.5, hold=1.2, to={"breath": 0.0}),
    ),
    poster={"far_arm": 1.0, "near_leg": 1.0},
    poster_dots=("leg", "arm"),
    dots={"leg": arc(HIP, 52, -152, -166), "arm": arc(SHOULDER, 44, -34, -3)},
    planted=planted,
    scale=8.2,
    middle=12,
)
