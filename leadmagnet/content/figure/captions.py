"""Captions: the cues of a film as WebVTT, timed by the script that moves her."""

from __future__ import annotations

from .script import TITLE_SECONDS, Exercise

Cue = tuple[float, float, str]  # begin, end, words

GAP = 0.1  # seconds between two cues, so that a repeated one is seen to change
READING_WIDTH = 38  # characters in a line, for phones
PAUSE_WORTH = 7  # a break at a comma may be this many characters further from the middle


def stamp(seconds: float) -> str:
    """Hours, minutes, seconds and milliseconds, as WebVTT writes them."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def cues(exercise: Exercise) -> list[Cue]:
    """The title, then one cue for each step."""
    found: list[Cue] = [(0.0, TITLE_SECONDS, f"{exercise.number} of 6. {exercise.title}.")]
    clock = TITLE_SECONDS
    for step in exercise.steps:
        found.append((clock, clock + step.seconds, step.cue))
        clock += step.seconds
    return [(begin, end - GAP, words) for begin, end, words in found]


def folded(words: str) -> str:
    """Two lines of similar length where one would be too long for a phone."""
    if len(words) <= READING_WIDTH:
        return words
    spaces = [place for place, letter in enumerate(words) if letter == " "]

    def awkward(place: int) -> float:
        pause = words[place - 1] in ".,:"
        return abs(place - len(words) / 2) - (PAUSE_WORTH if pause else 0)

    best = min(spaces, key=awkward)
    return f"{words[:best]}\n{words[best + 1 :]}"


def webvtt(exercise: Exercise) -> str:
    """The whole caption file."""
    blocks = [f"{stamp(begin)} --> {stamp(end)}\n{folded(words)}" for begin, end, words in cues(exercise)]
    return "WEBVTT\n\n" + "\n\n".join(blocks) + "\n"
