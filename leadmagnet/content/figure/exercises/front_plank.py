"""6. Front plank: forearms and knees, then forearms and toes."""

from __future__ import annotations

from ..marks import straight
from ..script import Channels, Exercise, Step
from ..skeleton import (
    BALL,
    SHANK,
    THIGH,
    TRUNK,
    UPPER_ARM,
    Build,
    Limb,
    SidePose,
    bearing,
    mix,
    polar,
    third_corner,
    two_bones,
)

ELBOW = complex(0, 2.4)
SHOULDER_UP = ELBOW + 1j * UPPER_ARM  # elbow under the shoulder
KNEE_HEIGHT = 3.1
HIP_DOWN = 6.0
BALL_HEIGHT = 1.0  # the ball of the foot, toes tucked
KNEEL_TOE = -97.0  # direction from ankle to toes with the knees down
FAR_SHOULDER, FAR_HIP = complex(2.2, 0), complex(1.4, 0)
BUILD = Build(fists=True, face_forward=1.2, far_shoulder=FAR_SHOULDER, far_hip=FAR_HIP)

_LINE = THIGH + TRUNK
_RISE = SHOULDER_UP.imag - KNEE_HEIGHT
KNEE = complex(SHOULDER_UP.real - (_LINE**2 - _RISE**2) ** 0.5, KNEE_HEIGHT)
HIP_IN_LINE = KNEE + (SHOULDER_UP - KNEE) * THIGH / _LINE
_ANKLE_HEIGHT = BALL_HEIGHT - polar(BALL, KNEEL_TOE).imag
ANKLE = complex(KNEE.real - (SHANK**2 - (_ANKLE_HEIGHT - KNEE_HEIGHT) ** 2) ** 0.5, _ANKLE_HEIGHT)
TOES = ANKLE + polar(BALL, KNEEL_TOE)
# The angle in the knee: this many degrees short of straight.
KNEE_BENT = bearing((SHOULDER_UP - KNEE) / (KNEE - ANKLE))


def pose(channels: Channels) -> SidePose:
    """Channels: hips 0 on the mat, 1 in line; knees 0 down, 1 lifted; breath."""
    if channels["knees"] > 0:
        hip, knee, ankle, shoulder = _toes_carry(channels["knees"])
    else:
        hip, shoulder = _knees_carry(channels["hips"])
        knee, ankle = KNEE, ANKLE
    trunk = bearing(shoulder - hip)
    toe = bearing(TOES - ankle)
    leg = Limb(bearing(knee - hip) % 360, bearing(ankle - knee) % 360, toe, foot=2.0)
    arm = Limb(bearing(ELBOW - shoulder), 2, 2)
    return SidePose(
        hip=hip,
        trunk=trunk,
        neck=3.4 + 0.72 * trunk,
        head=0.4 * trunk - 2.8,
        near_arm=arm,
        far_arm=arm,
        near_leg=leg,
        bow=0.3 * channels["hips"],
        breath=0.8 * channels["breath"],
        build=BUILD,
    )


def _knees_carry(hips: float) -> tuple[complex, complex]:
    """Hip and shoulder while knees and elbows stay where they are."""
    height = mix(HIP_DOWN, HIP_IN_LINE.imag, hips)
    across = (THIGH**2 - (height - KNEE_HEIGHT) ** 2) ** 0.5
    hip = complex(KNEE.real + across, height)
    return hip, third_corner(hip, ELBOW, TRUNK, UPPER_ARM, side=1)


def _toes_carry(lifted: float) -> tuple[complex, complex, complex, complex]:
    """Hip, knee, ankle and shoulder while toes and elbows stay where they are.

    Trunk and thigh keep one line; the knee opens evenly, and the foot turns on
    its ball by as much as that needs.
    """
    bent = mix(KNEE_BENT, 0.0, lifted)
    span = abs(_LINE + polar(SHANK, bent))
    ankle = third_corner(SHOULDER_UP, TOES, span, BALL, side=-1)
    along = two_bones(SHOULDER_UP, ankle, _LINE, SHANK, side=1)[0]
    knee = SHOULDER_UP + polar(_LINE, along)
    return SHOULDER_UP + polar(TRUNK, along), knee, ankle, SHOULDER_UP


def planted(channels: Channels) -> frozenset[str]:
    """The joints that carry her weight at this moment."""
    carrying = {"near_elbow", "near_wrist", "far_elbow", "far_wrist", "near_ball"}
    return frozenset(carrying | ({"near_knee"} if channels["knees"] == 0 else set()))


HIPS_UP = Step(
    "Hips up, knees stay",
    "Breathe out and lift your hips. The knees stay down.",
    move=2.8,
    to={"hips": 1.0, "breath": 0.0},
)
KNEES_UP = Step(
    "Now lift the knees",
    "Now lift your knees, if you like.",
    move=2.6,
    to={"knees": 1.0},
)
KNEES_DOWN = Step("Knees down", "Put the knees down.", move=2.6, to={"knees": 0.0})
HIPS_DOWN = Step(
    "Lower slowly",
    "Lower your hips slowly.",
    move=2.8,
    hold=0.6,
    to={"hips": 0.0, "breath": 0.5},
)

FRONT_PLANK = Exercise(
    number=6,
    slug="front-plank",
    title="Front plank",
    about=(
        "The figure rests on her forearms and toes on a mat, body in one straight line from head "
        "to heels, looking down."
    ),
    start={"hips": 0.0, "knees": 0.0, "breath": 0.0},
    pose=pose,
    steps=(
        Step(
            "Elbows under shoulders",
            "Lie on your front, on your forearms, elbows under your shoulders, toes tucked.",
            move=1.5,
            hold=3.0,
            to={"breath": 0.5},
        ),
        HIPS_UP,
        Step(
            "Hold here, and breathe",
            "Hold here and breathe. This is a good plank too.",
            hold=4.5,
            breaths=1,
        ),
        KNEES_UP,
        Step(
            "One line, head to heels",
            "One line from head to heels. Breathe on.",
            hold=6.0,
            breaths=2,
            dots=("line",),
        ),
        KNEES_DOWN,
        HIPS_DOWN,
        HIPS_UP,
        KNEES_UP,
        Step("Hold, and breathe", "Hold, and breathe.", hold=5.0, breaths=1, dots=("line",)),
        KNEES_DOWN,
        HIPS_DOWN,
        Step("Rest", "Rest.", move=1.5, hold=1.2, to={"breath": 0.0}),
    ),
    poster={"hips": 1.0, "knees": 1.0},
    poster_dots=("line",),
    dots={"line": straight(-76 + 21j, 2 + 33j)},
    planted=planted,
    scale=8.2,
    middle=-30,
)
