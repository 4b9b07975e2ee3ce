"""The six exercises, in the order in which she meets them."""

from ..script import Exercise
from .bird_dog import BIRD_DOG
from .breathing_and_bracing import BREATHING_AND_BRACING
from .dead_bug import DEAD_BUG
from .front_plank import FRONT_PLANK
from .glute_bridge import GLUTE_BRIDGE
from .side_plank import SIDE_PLANK

__all__ = ["BIRD_DOG", "EXERCISES", "GLUTE_BRIDGE"]

EXERCISES: tuple[Exercise, ...] = (
    BREATHING_AND_BRACING,
    DEAD_BUG,
    GLUTE_BRIDGE,
    BIRD_DOG,
    SIDE_PLANK,
    FRONT_PLANK,
)
