"""Films: every frame drawn, then encoded as H.264 that phones play."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from .body import chair_layers, figure_layers
from .ink import palette
from .raster import Canvas
from .script import BREATH, FRAMES_PER_SECOND, TITLE_SECONDS, Exercise, Moment, Step
from .skeleton import mix, soft

WIDTH, HEIGHT = 1280, 720
MAT_TOP, MAT_THICKNESS = 536, 30
FLOOR = 540  # y = 0 of the figure: she sinks a little into the mat
FADE = 0.35  # seconds in which words and dots come and go
CAPTION_SIZE, CAPTION_X, CAPTION_BASELINE = 56, 150, 112
TITLE_SIZE, TITLE_X, TITLE_BASELINE = 68, 176, 138
# Where the numeral stands and how large: on the title, and beside the captions.
NUMERAL_TITLE = (72.0, 44.0, 1.42)
NUMERAL_SMALL = (72.0, 60.0, 0.8)
TITLE_LEAVES = 0.6  # seconds before the end of the title
ENCODING = {
    "crf": "23",
    "preset": "slow",
    "tune": "animation",
    "profile": "main",
    "level": "3.1",
    "threads": "2",
}
SECONDS_BETWEEN_KEYFRAMES = 5
ONE_FRAME = Fraction(1, FRAMES_PER_SECOND)


class Frames:
    """The pictures of one film, by number."""

    def __init__(self, exercise: Exercise) -> None:
        """Nothing is drawn yet."""
        self.exercise = exercise
        self.inks = palette(exercise.number)

    def place(self, point: complex) -> complex:
        """From units to pixels of the film."""
        across = WIDTH / 2 + (point.real - self.exercise.middle) * self.exercise.scale
        return complex(across, FLOOR - point.imag * self.exercise.scale)

    def draw(self, number: int) -> Canvas:
        """One frame."""
        seconds = number / FRAMES_PER_SECOND
        moment = self.exercise.moment(seconds)
        canvas = Canvas(WIDTH, HEIGHT, self.inks)
        canvas.ground()
        canvas.mat(MAT_TOP, MAT_THICKNESS)
        self._words(canvas, seconds, moment)
        if seconds >= TITLE_SECONDS:
            self._dots(canvas, moment)
        if self.exercise.chair:
            canvas.layers(chair_layers(), self.place)
        canvas.layers(figure_layers(self.exercise.pose(moment.channels)), self.place)
        return canvas

    def _words(self, canvas: Canvas, seconds: float, moment: Moment) -> None:
        leaving = soft(seconds, TITLE_SECONDS - TITLE_LEAVES, TITLE_SECONDS)
        x, y, scale = (mix(large, small, leaving) for large, small in zip(NUMERAL_TITLE, NUMERAL_SMALL, strict=True))
        number = self.exercise.number
        canvas.numeral(number, x, y, scale, written=soft(seconds, 0.2, 1.3))
        if seconds < TITLE_SECONDS:
            shown = soft(seconds, 0.5, 1.1) * (1 - soft(leaving, 0.0, 0.6))
            canvas.words(self.exercise.title, TITLE_X, TITLE_BASELINE, TITLE_SIZE, shown)
            return
        steps, index = self.exercise.steps, moment.step
        caption = steps[index].caption
        shown = 1.0
        if index == 0 or steps[index - 1].caption != caption:
            shown *= soft(moment.since, 0.0, FADE)
        if index + 1 < len(steps) and steps[index + 1].caption != caption:
            shown *= soft(moment.left, 0.0, FADE / 2)
        canvas.words(caption, CAPTION_X, CAPTION_BASELINE, CAPTION_SIZE, shown)

    def _dots(self, canvas: Canvas, moment: Moment) -> None:
        steps, index = self.exercise.steps, moment.step
        names = steps[index].dots
        for order, name in enumerate(names):
            strength = _dot_strength(steps, moment, name, order)
            if strength > 0:
                canvas.dots(self.exercise.dots[name], self.place, strength)


def _dot_strength(steps: tuple[Step, ...], moment: Moment, name: str, order: int) -> float:
    """How clearly a mark shows: breath arcs come one after the other."""
    step = steps[moment.step]
    before = steps[moment.step - 1].dots if moment.step else ()
    after = steps[moment.step + 1].dots if moment.step + 1 < len(steps) else ()
    strength = 1.0
    if step.to.get(BREATH) == 1.0 and len(step.dots) > 1 and "low" in step.dots:
        strength = soft(moment.channels[BREATH], 0.15 + 0.25 * order, 0.4 + 0.25 * order)
    elif name not in before:
        strength = soft(moment.since, 0.0, FADE)
    if name not in after:
        strength *= soft(moment.left, 0.0, FADE)
    return strength


def _open_stream(container: av.container.OutputContainer) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=ENCODING)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context = stream.codec_context
    context.time_base = ONE_FRAME
    context.gop_size = SECONDS_BETWEEN_KEYFRAMES * FRAMES_PER_SECOND
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries = context.color_trc = 1  # BT.709, like the pixels
    return stream


def _encodable(pixels: NDArray[np.uint8]) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")
    return frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)


def write_film(exercise: Exercise, path: Path) -> None:
    """Draw and encode one film; the index comes first, so that it starts at once."""
    frames = Frames(exercise)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = _open_stream(container)
        for number in range(exercise.frames):
            frame = _encodable(frames.draw(number).pixels())
            frame.pts, frame.time_base = number, ONE_FRAME
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
