"""2. Dead bug: the opposite arm and leg move, the back stays down."""

from __future__ import annotations

from ..marks import arc
from ..script import Channels, Exercise, Step
from ..skeleton import Build, Limb, SidePose, blend

HIP = complex(30, 6.4)
ARM_UP = Limb(90, 91, 93)
ARM_BACK = Limb(161, 166, 170)
LEG_UP = Limb(92, 1, 86)
LEG_LONG = Limb(13, 6, 84)
# The far limbs wait a few degrees aside, so that both sides can be seen.
FAR_ARM_UP = Limb(85, 86, 88)
FAR_LEG_UP = Limb(97, 3, 88)
BUILD = Build(far_shoulder=1.2 + 0.4j, far_hip=0.4 + 0.6j)


def pose(channels: Channels) -> SidePose:
    """Channels: near/far arm and leg from 0 (above the joint) to 1 (long); breath."""
    return SidePose(
        hip=HIP,
        trunk=180,
        neck=181,
        head=173,
        near_arm=blend(ARM_UP, ARM_BACK, channels["near_arm"]),
        far_arm=blend(FAR_ARM_UP, ARM_BACK, channels["far_arm"]),
        near_leg=blend(LEG_UP, LEG_LONG, channels["near_leg"]),
        far_leg=blend(FAR_LEG_UP, LEG_LONG, channels["far_leg"]),
        bow=-0.5,
        breath=0.8 * channels["breath"],
        build=BUILD,
    )


def planted(_channels: Channels) -> frozenset[str]:
    """The joints that carry her weight, at every moment."""
    return frozenset({"hip", "shoulder", "atlas"})


def reach(arm: str, leg: str, cue: str) -> tuple[Step, Step]:
    """Out and back with one arm and the opposite leg."""
    out = Step(
        "Breathe out, reach",
        cue,
        move=3.2,
        hold=0.7,
        to={arm: 1.0, leg: 1.0, "breath": 0.0},
        dots=("arm", "leg"),
    )
    back = Step(
        "Breathe in, come back",
        "Breathe in and come back slowly.",
        move=3.2,
        hold=0.3,
        to={arm: 0.0, leg: 0.0, "breath": 1.0},
    )
    return out, back


LEFT_ARM = "far_arm", "near_leg", "Breathe out. Reach the left arm and the right leg."
RIGHT_ARM = "near_arm", "far_leg", "Breathe out. Reach the right arm and the left leg."

DEAD_BUG = Exercise(
    number=2,
    slug="dead-bug",
    title="Dead bug",
    about=(
        "The figure lies on her back on a mat. One arm points to the ceiling, the other reaches "
        "behind her head; one knee is bent above the hip, the other leg is stretched out low "
        "above the mat."
    ),
    start={"near_arm": 0.0, "far_arm": 0.0, "near_leg": 0.0, "far_leg": 0.0, "breath": 0.0},
    pose=pose,
    steps=(
        Step(
            "Knees above hips, arms up",
            "Lie on your back, knees above your hips, arms up. Your back rests on the mat.",
            move=1.5,
            hold=3.0,
            to={"breath": 1.0},
        ),
        *reach(*LEFT_ARM),
        *reach(*RIGHT_ARM),
        *reach(*LEFT_ARM),
        *reach(*RIGHT_ARM),
        Step("Rest", "Rest. Your back has stayed down.", move=2.0, hold=1.0, to={"breath": 0.0}),
    ),
    poster={"far_arm": 1.0, "near_leg": 1.0},
    poster_dots=("leg", "arm"),
    dots={
        "leg": arc(HIP, 50, 52, 18),
        "arm": arc(6.4j, 40, 103, 150),
    },
    planted=planted,
    scale=7.4,
    middle=22,
)
