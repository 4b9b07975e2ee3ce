"""3. Glute bridge: the hips rise, shoulders and feet stay where they are."""

from __future__ import annotations

from ..marks import straight
from ..script import Channels, Exercise, Step
from ..skeleton import SHANK, THIGH, TRUNK, Build, Limb, SidePose, mix, polar, two_bones

SHOULDER = complex(0, 6.5)
# At the top shoulder, hip and knee are one line and the shin is upright.
ANKLE = complex(50.1, 3.8)
TRUNK_TOP = 203.4  # direction from hip to shoulder
ARM = Limb(-5, -2, -1)
FAR_SIDE = 3.0  # units the far foot stands further on, so that it shows
BUILD = Build(arm_over=True, thumb=-1, face_forward=0.4, far_hip=complex(FAR_SIDE, 0.1))


def pose(channels: Channels) -> SidePose:
    """Channels: lift 0 (seat on the mat) to 1 (one line); breath."""
    trunk = mix(180, TRUNK_TOP, channels["lift"])
    hip = SHOULDER - polar(TRUNK, trunk)
    thigh, shank = two_bones(hip, ANKLE, THIGH, SHANK, side=1)
    near = Limb(thigh, shank, 0)
    far_hip = hip + BUILD.far_hip
    far_thigh, far_shank = two_bones(far_hip, ANKLE + FAR_SIDE, THIGH, SHANK, side=1)
    return SidePose(
        hip=hip,
        trunk=trunk,
        neck=180.8,
        head=172,
        near_arm=ARM,
        near_leg=near,
        far_leg=Limb(far_thigh, far_shank, 0),
        bow=mix(-0.4, 0.9, channels["lift"]),
        breath=0.8 * channels["breath"],
        build=BUILD,
    )


def planted(_channels: Channels) -> frozenset[str]:
    """The joints that carry her weight, at every moment."""
    return frozenset({"shoulder", "atlas", "near_wrist", "near_ankle", "far_ankle"})


def lift(first: bool) -> tuple[Step, ...]:
    """Up, a breath at the top, and down."""
    return (
        Step(
            "Breathe out, lift",
            "Breathe out. Press through both feet and lift your hips.",
            move=3.3,
            to={"lift": 1.0, "breath": 0.0},
            dots=("way",),
        ),
        Step(
            "One long line",
            "Shoulders, hips and knees make one line. Breathe." if first else "Stay a moment, and breathe.",
            hold=3.0,
            breaths=1,
        ),
        Step(
            "Come down slowly",
            "Come down slowly.",
            move=3.5,
            hold=0.7,
            to={"lift": 0.0, "breath": 0.6},
        ),
    )


GLUTE_BRIDGE = Exercise(
    number=3,
    slug="glute-bridge",
    title="Glute bridge",
    about=(
        "The figure lies on her shoulders with her feet flat on the mat and her hips lifted, so "
        "that shoulders, hips and knees make one straight line."
    ),
    start={"lift": 0.0, "breath": 0.0},
    pose=pose,
    steps=(
        Step(
            "Feet flat, knees bent",
            "Lie on your back, knees bent, feet flat and hip-wide.",
            move=1.5,
            hold=2.0,
            to={"breath": 0.6},
        ),
        *lift(first=True),
        *lift(first=False),
        *lift(first=False),
        Step("Rest", "Rest.", move=1.5, hold=1.2, to={"breath": 0.0}),
    ),
    poster={"lift": 1.0},
    poster_dots=("way",),
    dots={"way": straight(22 + 25j, 22 + 37j)},
    planted=planted,
    scale=10.2,
    middle=22,
    poster_shift=30,
)
