"""Pictures that move: GIF, WebP, PNG and AVIF of several frames, by Pillow."""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageSequence

from limner.errors import UserError
from limner.images import decoding, opened

KINDS = (".gif", ".webp", ".png", ".apng", ".avif")
HASTY, USUAL = 20, 100
"""Milliseconds: browsers show frames that last less than the first for so long as the second says."""


def spans(count: int, rate: Fraction, hold: int, step: int) -> list[int]:
    """How long each of `count` frames is shown, in milliseconds, of which `step` are counted as one.

    hold: seconds for which the last one is, if any.
    """
    times = [step * round(1000 * k / (rate * step)) for k in range(count + 1)]
    each = [after - before for before, after in pairwise(times)]
    return [*each[:-1], 1000 * hold or each[-1]]


def thinned(count: int, rate: Fraction, fastest: int, pixels: int, room: int) -> int:
    """Of how many pictures of a clip one is shown.

    fastest: as many a second may be shown.  room: for the pixels of as many there is.
    """
    return max(1, math.ceil(rate / fastest), math.ceil(count * pixels / room))


def is_animated(path: Path) -> bool:
    """Whether a file is a picture of several frames."""
    if path.suffix.lower() not in KINDS:
        return False
    try:
        with decoding(str(path)), Image.open(path) as image:  # which reads no more than it must
            return getattr(image, "is_animated", False)
    except UserError:
        return False


def durations(path: Path) -> list[int]:
    """How long each frame is shown, in milliseconds; UserError for what cannot be read."""
    return [held for _, held in frames(path)]


def frames(path: Path) -> Iterator[tuple[Image.Image, int]]:
    """Each frame and how long it is shown, in milliseconds; UserError for what cannot be read."""
    with opened(path, str(path)) as image:
        for frame in ImageSequence.Iterator(image):
            whole = frame.convert("RGBA")  # which reads it, and how long it lasts
            held = round(frame.info.get("duration") or 0)
            yield whole, held if held >= HASTY else USUAL
