"""Small PNG files: flat drawings need few colours, so a palette is enough."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

ROUNDS = 12  # of moving palette colours to the middle of what they stand for

Bytes = NDArray[np.uint8]


def encode(pixels: Bytes, colours: int) -> bytes:
    """A palette PNG of rows of red, green, blue; opacity is left out."""
    height, width = pixels.shape[:2]
    found, where, counts = np.unique(pixels[:, :, :3].reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    palette, nearest = _reduce(found.astype(float), counts.astype(float), colours)
    rows = nearest[where.ravel()].astype(np.uint8).reshape(height, width)
    unfiltered = np.hstack([np.zeros((height, 1), np.uint8), rows])  # filter 0 suits a palette
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"IDAT", zlib.compress(unfiltered.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _reduce(found: NDArray[np.float64], counts: NDArray[np.float64], colours: int) -> tuple[Bytes, NDArray[np.intp]]:
    """A palette for the colours found, and the palette entry of each.

    It begins with the commonest colour and adds the one that is missed most,
    then settles by averages weighted with the number of pixels.
    """
    chosen = [int(counts.argmax())]
    missed = _distances(found, found[chosen])[:, 0]
    while len(chosen) < min(colours, len(found)):
        chosen.append(int((missed * np.sqrt(counts)).argmax()))
        missed = np.minimum(missed, _distances(found, found[chosen[-1:]])[:, 0])
    palette = found[chosen]
    flat = counts > counts.sum() / 500  # the inks themselves stay exact
    for _ in range(ROUNDS):
        nearest = _distances(found, palette).argmin(axis=1)
        for entry in range(len(palette)):
            mine = nearest == entry
            if mine.any() and not flat[mine].any():
                palette[entry] = np.average(found[mine], axis=0, weights=counts[mine])
            elif (flat & mine).any():
                palette[entry] = found[np.where(mine, counts, 0).argmax()]
    nearest = _distances(found, palette).argmin(axis=1)
    return palette.round().astype(np.uint8), nearest


def _distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far every colour of one is from every colour of the other, squared."""
    return np.asarray(((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
