"""What lies or stands on the mat: the figure in either view, and the chair."""

from __future__ import annotations

from shapely.geometry import box

from .flesh import Layer, side_layers
from .front import FrontPose, front_layers
from .script import Exercise, Pose
from .shapes import joined, rounded
from .skeleton import SidePose

SEAT_HEIGHT = 26.6


def figure_layers(pose: Pose) -> list[Layer]:
    """Her layers, whichever side we see her from."""
    if isinstance(pose, SidePose):
        return side_layers(pose)
    if isinstance(pose, FrontPose):
        return front_layers(pose)
    raise TypeError(f"no body for {type(pose).__name__}")


def chair_layers() -> list[Layer]:
    """A plain stool, seat last."""
    legs = [(x, 0.0, x + 2.2, SEAT_HEIGHT - 2) for x in (43.2, 57.8)]
    seat = (38.5, SEAT_HEIGHT - 3.4, 62.0, SEAT_HEIGHT)
    parts = [box(*edges).buffer(-0.9).buffer(0.9, 16) for edges in [*legs, seat]]
    return [Layer("chair", rounded(part, 0.1)) for part in parts]


def scene_layers(exercise: Exercise, pose: Pose) -> list[Layer]:
    """The figure with what she needs."""
    return [*(chair_layers() if exercise.chair else []), *figure_layers(pose)]


def bounds(layers: list[Layer]) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of all areas, in units."""
    areas = [layer.shape for layer in layers if hasattr(layer.shape, "bounds")]
    left, bottom, right, top = joined(areas).bounds
    return left, bottom, right, top
