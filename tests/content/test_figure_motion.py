"""The films obey anatomy: checked on every frame, without drawing anything."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from leadmagnet.content.figure.body import bounds, figure_layers
from leadmagnet.content.figure.exercises import EXERCISES
from leadmagnet.content.figure.script import FRAMES_PER_SECOND, Exercise, Pose
from leadmagnet.content.figure.skeleton import bearing, polar, two_bones

# Units are hundredths of her height; a film frame lasts a 25th of a second.
FASTEST_JOINT = 1.9  # units a frame
FASTEST_SHORTENING = 0.6  # units a frame, of a limb that turns towards us
STILL = 0.2  # units that a planted contact may wander
JOINT_ABOVE_MAT = 0.5  # the lowest a joint may be
FLESH_SINKS = 0.75  # flesh may press this far into the mat: about six pixels

# Bones that may look shorter because they point towards us or away from us.
SHORTENED = {
    "breathing-and-bracing": {"near_shoulder", "near_elbow"},
    "side-plank": {"low_elbow", "low_hip", "low_knee", "top_hip", "top_knee"},
}

every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda item: item.slug)


@cache
def poses(exercise_number: int) -> list[Pose]:
    """The pose in every frame of a film."""
    exercise = EXERCISES[exercise_number - 1]
    return [exercise.pose(exercise.moment(frame / FRAMES_PER_SECOND).channels) for frame in range(exercise.frames)]


@every_exercise
def test_bones_keep_their_length(exercise: Exercise) -> None:
    for pose in poses(exercise.number):
        joints = pose.joints()
        for (start, end), length in pose.bones().items():
            assert abs(abs(joints[end] - joints[start]) - length) < 1e-6, (start, end)


@every_exercise
def test_only_limbs_that_point_at_us_look_shorter_and_change_gently(exercise: Exercise) -> None:
    allowed = SHORTENED.get(exercise.slug, set())
    frames = [pose.bones() for pose in poses(exercise.number)]
    for before, after in pairwise(frames):
        for bone, length in after.items():
            limit = FASTEST_SHORTENING if bone[0] in allowed else 1e-9
            assert abs(length - before[bone]) <= limit, bone


@every_exercise
def test_no_joint_jumps(exercise: Exercise) -> None:
    frames = [pose.joints() for pose in poses(exercise.number)]
    for frame, (before, after) in enumerate(pairwise(frames)):
        assert before.keys() == after.keys()
        for name, place in after.items():
            assert abs(place - before[name]) < FASTEST_JOINT, (name, frame)


@every_exercise
def test_no_joint_starts_or_stops_with_a_jerk(exercise: Exercise) -> None:
    frames = [pose.joints() for pose in poses(exercise.number)]
    for frame, (first, second, third) in enumerate(zip(frames, frames[1:], frames[2:], strict=False)):
        for name in second:
            change = abs((third[name] - second[name]) - (second[name] - first[name]))
            assert change < 0.25, (name, frame)


@every_exercise
def test_no_joint_is_below_the_mat(exercise: Exercise) -> None:
    for frame, pose in enumerate(poses(exercise.number)):
        for name, place in pose.joints().items():
            assert place.imag >= JOINT_ABOVE_MAT, (name, frame)


@every_exercise
def test_flesh_presses_into_the_mat_but_does_not_pass_through(exercise: Exercise) -> None:
    for frame, pose in enumerate(poses(exercise.number)[::10]):
        _, lowest, _, _ = bounds(figure_layers(pose))
        assert -FLESH_SINKS <= lowest <= 0.6, frame * 10


@every_exercise
def test_every_layer_is_one_piece_in_every_pose(exercise: Exercise) -> None:
    for frame, pose in enumerate(poses(exercise.number)[::10]):
        for layer in figure_layers(pose):
            if layer.ink != "line":
                assert layer.shape.geom_type == "Polygon", (layer.ink, frame * 10)
                assert layer.shape.area > 1, (layer.ink, frame * 10)


@every_exercise
def test_what_carries_weight_stays_where_it_is(exercise: Exercise) -> None:
    since: dict[str, complex] = {}
    for frame, pose in enumerate(poses(exercise.number)):
        channels = exercise.moment(frame / FRAMES_PER_SECOND).channels
        joints, carrying = pose.joints(), exercise.planted(channels)
        assert carrying, "something carries her at all times"
        since = {name: since.get(name, joints[name]) for name in carrying}
        for name, place in since.items():
            assert abs(joints[name] - place) < STILL, (name, frame)


@every_exercise
def test_a_film_ends_at_rest_in_the_start_pose(exercise: Exercise) -> None:
    film = poses(exercise.number)
    first, last = film[0].joints(), film[-1].joints()
    assert all(abs(first[name] - last[name]) < 1e-6 for name in first)
    assert film[-1].joints() == film[-10].joints()


@every_exercise
def test_a_film_is_long_enough_to_follow_and_short_enough_to_watch(exercise: Exercise) -> None:
    assert 24 <= exercise.seconds <= 55
    assert all(step.seconds >= 1.5 for step in exercise.steps)


@every_exercise
def test_steps_name_channels_and_dots_that_exist(exercise: Exercise) -> None:
    for step in exercise.steps:
        assert step.to.keys() <= exercise.start.keys()
        assert set(step.dots) <= exercise.dots.keys()
    assert set(exercise.poster_dots) <= exercise.dots.keys()


def test_two_bones_reach_their_target() -> None:
    for target in (20 + 5j, -12 + 9j, 3 - 24j):
        for side in (1, -1):
            upper, lower = two_bones(0j, target, 17.0, 15.0, side)
            assert abs(polar(17.0, upper) + polar(15.0, lower) - target) < 1e-6


def at(slug: str, **channels: float) -> dict[str, complex]:
    """The joints of an exercise with these channels, the others at the start."""
    exercise = next(item for item in EXERCISES if item.slug == slug)
    return exercise.pose({**exercise.start, **channels}).joints()


def off_the_line(start: complex, point: complex, end: complex) -> float:
    """How far the point is from the straight line, in units."""
    way = end - start
    return abs(((point - start) * way.conjugate()).imag) / abs(way)


def test_breathing_hip_and_knee_are_right_angles() -> None:
    joints = at("breathing-and-bracing")
    thigh = bearing(joints["near_knee"] - joints["hip"])
    shank = bearing(joints["near_ankle"] - joints["near_knee"])
    trunk = bearing(joints["shoulder"] - joints["hip"])
    assert abs(trunk - thigh) == pytest.approx(90, abs=3)
    assert abs(thigh - shank) == pytest.approx(90, abs=3)


def test_dead_bug_moves_opposite_arm_and_leg() -> None:
    exercise = EXERCISES[1]
    moved = [{name for name in step.to if name != "breath"} for step in exercise.steps]
    pairs = [names for names in moved if names]
    assert pairs[::2] == [
        {"far_arm", "near_leg"},
        {"near_arm", "far_leg"},
        {"far_arm", "near_leg"},
        {"near_arm", "far_leg"},
    ]


def test_bridge_makes_one_line_over_upright_shins() -> None:
    joints = at("glute-bridge", lift=1.0)
    assert off_the_line(joints["shoulder"], joints["hip"], joints["near_knee"]) < 0.5
    assert bearing(joints["near_ankle"] - joints["near_knee"]) == pytest.approx(-90, abs=2)


def test_bird_dog_reaches_level_and_not_higher() -> None:
    joints = at("bird-dog", far_arm=1.0, near_leg=1.0)
    assert joints["near_wrist"].real == pytest.approx(joints["shoulder"].real, abs=1)
    assert joints["far_knee"].real == pytest.approx(joints["far_hip"].real, abs=1)
    trunk = bearing(joints["shoulder"] - joints["hip"])
    assert bearing(joints["far_wrist"] - joints["far_shoulder"]) <= trunk
    assert abs(joints["near_ankle"].imag - joints["hip"].imag) < 2


@pytest.mark.parametrize("knees", [0.0, 1.0])
def test_side_plank_is_one_line_above_the_elbow(knees: float) -> None:
    joints = at("side-plank", lift=1.0, knees=knees)
    end = joints["low_knee"] if knees else joints["low_ankle"]
    middle = (joints["low_shoulder"] + joints["top_shoulder"]) / 2
    assert off_the_line(end, joints["pelvis"], middle) < 4.5
    assert off_the_line(joints["pelvis"], joints["waist"], joints["chest"]) < 0.6
    assert joints["low_shoulder"].real == pytest.approx(joints["low_elbow"].real, abs=1)


def test_front_plank_is_one_line_from_shoulder_to_ankle() -> None:
    joints = at("front-plank", hips=1.0, knees=1.0)
    for name in ("hip", "near_knee"):
        assert off_the_line(joints["shoulder"], joints[name], joints["near_ankle"]) < 0.3
    assert joints["shoulder"].real == pytest.approx(joints["near_elbow"].real, abs=0.5)
    easier = at("front-plank", hips=1.0)
    assert off_the_line(easier["shoulder"], easier["hip"], easier["near_knee"]) < 0.3
