"""What simulated people do after an email of a kind, how likely and how soon. Must not know: how a deed is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """One deed that may follow an email. `keen`: its chance is multiplied by the person's keenness."""

    deed: str
    chance: float
    soonest: float  #: hours after the email
    latest: float
    keen: bool = False


_STEERING = (
    Habit("pause", 0.008, 0.2, 70),
    Habit("snooze", 0.006, 0.2, 70),
    Habit("rhythm", 0.012, 0.2, 50),
)
HABITS: dict[str, tuple[Habit, ...]] = {
    "confirmation": (
        Habit("confirm", 0.84, 0.02, 20),
        Habit("confirm", 0.05, 1, 40),  # for some a second time, for others the first
        Habit("confirm", 0.15, 170, 400),  # when the link is old
        Habit("sign_up", 0.03, 0.1, 80),
    ),
    "already_subscribed": (Habit("rhythm", 0.05, 0.1, 5),),
    "video": (
        Habit("watch", 0.7, 0.1, 30, keen=True),
        Habit("check_in", 0.7, 0.3, 60, keen=True),
        Habit("next_now", 0.015, 1, 40),
        Habit("leave", 0.008, 0.05, 30),
        Habit("sign_up", 0.004, 1, 60),
        *_STEERING,
    ),
    "reminder": (
        Habit("check_in", 0.5, 0.1, 40, keen=True),
        Habit("watch", 0.1, 0.1, 20, keen=True),
        Habit("leave", 0.006, 0.05, 30),
        Habit("keep_reminding", 0.01, 0.1, 30),
        *_STEERING,
    ),
    "finished": (
        Habit("restart", 0.08, 1, 200),
        Habit("leave", 0.01, 0.1, 30),
        Habit("rhythm", 0.02, 0.1, 60),
    ),
}
#: How often a check-in hurt, and how each other one felt.
HURT = 0.02
#: Keenness of people: up to this share of them, so keen.
KEENNESS = ((0.5, 0.02), (0.8, 0.3), (0.95, 0.65), (1.0, 0.95))
#: Who has left comes back, after so many days at most.
COMES_BACK, LONGEST_AWAY = 0.12, 25.0
#: Who was hurt says go on; the clinic says it for some of the others.
GOES_ON, CLINIC_HELPS, LONGEST_HURT = 0.7, 0.1, 12.0
#: Who paused without an end comes back; after so many days at most.
RESUMES, LONGEST_PAUSE = 0.75, 20.0


def keenness(draw: float) -> float:
    """Return how keen a person is, from 0 to 1, for a draw from 0 up to 1."""
    return next(keen for share, keen in KEENNESS if draw < share)
