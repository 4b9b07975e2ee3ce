"""1. 90/90 breathing and bracing: calves on a chair, a hand on the lower ribs."""

from __future__ import annotations

from dataclasses import replace

from ..marks import arc, straight
from ..script import Channels, Exercise, Step
from ..skeleton import FOREARM, UPPER_ARM, Build, Limb, SidePose, blend, two_bones

HIP = complex(30, 6.4)
ARM_ON_MAT = Limb(-7, -2, 0)
# The elbow points towards us, so both parts of the arm look shorter.
ARM_ON_RIBS = Limb(-14, 58, -6, upper_scale=0.56, lower_scale=0.64)
HAND_RISE = 1.0  # units the hand is carried up by a full breath
BELLY_RISE = 1.5
BRACE_FLATTENS = 0.35  # a braced belly is a little flatter, and stays so
BUILD = Build(arm_over=True, thumb=-1, hand_size=0.92)


def pose(channels: Channels) -> SidePose:
    """Channels: hand 0 on the mat, 1 on the ribs; breath 0 to 1; brace 0 to 1."""
    swell = channels["breath"] - BRACE_FLATTENS * channels["brace"]
    body = SidePose(
        hip=HIP,
        trunk=180,
        neck=181,
        head=173,
        near_leg=Limb(90, -1, 86),
        near_arm=blend(ARM_ON_MAT, ARM_ON_RIBS, channels["hand"]),
        bow=-0.6,
        breath=BELLY_RISE * swell,
        build=BUILD,
    )
    return replace(body, near_arm=_carried(body, HAND_RISE * swell * channels["hand"]))


def _carried(body: SidePose, rise: float) -> Limb:
    """The arm, its hand carried up with the ribs."""
    limb = body.near_arm
    wrist = body.joints()["near_wrist"] + 1j * rise
    lengths = UPPER_ARM * limb.upper_scale, FOREARM * limb.lower_scale
    upper, lower = two_bones(body.shoulder, wrist, *lengths, side=-1)
    return replace(limb, upper=upper, lower=lower)


def planted(_channels: Channels) -> frozenset[str]:
    """The joints that carry her weight, at every moment."""
    return frozenset({"hip", "shoulder", "atlas", "near_ankle"})


BREATHE_IN = Step(
    "Breathe in through the nose",
    "Breathe in through your nose. Belly and ribs rise into your hand.",
    move=4.0,
    to={"breath": 1.0},
    dots=("low", "mid", "high"),
)
BREATHE_OUT = Step(
    "Breathe out slowly",
    "Breathe out slowly, as if through a straw. The ribs sink.",
    move=5.0,
    to={"breath": 0.0},
)

BREATHING_AND_BRACING = Exercise(
    number=1,
    slug="breathing-and-bracing",
    title="90/90 breathing and bracing",
    about=(
        "The figure lies on her back on a mat with her calves resting on a chair, hips and knees "
        "at right angles, one hand on her lower ribs. Small arcs show the breath."
    ),
    start={"hand": 0.0, "breath": 0.0, "brace": 0.0},
    pose=pose,
    steps=(
        Step(
            "Calves on a chair",
            "Lie on your back, calves on a chair. Hips and knees at right angles.",
            hold=4.2,
        ),
        Step(
            "One hand on your ribs",
            "Rest one hand on your lower ribs.",
            move=2.2,
            hold=0.6,
            to={"hand": 1.0},
        ),
        BREATHE_IN,
        BREATHE_OUT,
        BREATHE_IN,
        BREATHE_OUT,
        replace(BREATHE_IN, caption="Breathe in"),
        Step(
            "Breathe out, firm the belly",
            "Breathe out and firm your belly gently, as before a small cough.",
            move=4.0,
            to={"breath": 0.0, "brace": 1.0},
            dots=("brace",),
        ),
        Step(
            "Keep it, and breathe",
            "Keep that gentle firmness, and breathe on.",
            hold=5.0,
            breaths=1,
            dots=("brace",),
        ),
        Step("Let go", "Let go.", move=2.0, to={"brace": 0.0}),
        Step("Rest", "Rest.", move=2.0, hold=1.2, to={"hand": 0.0}),
    ),
    poster={"hand": 1.0, "breath": 0.15},
    poster_dots=("low", "mid", "high"),
    dots={
        "low": arc(16.5 + 14.8j, 6.5, 58, 122),
        "mid": arc(16.5 + 14.8j, 10, 58, 122),
        "high": arc(16.5 + 14.8j, 13.5, 58, 122),
        "brace": straight(12 + 17.5j, 27 + 17.5j),
    },
    planted=planted,
    scale=8.6,
    middle=22,
    poster_shift=30,
    chair=True,
)
