"""Films as WebP, a picture that moves: in all colours and with alpha, and a tenth of a GIF."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy
import torch

from limner.painting.films.animations import spans
from limner.painting.raster import Pixels, has_alpha, picture

QUALITY, EFFORT = 85, 2
ALIKE = 3
"""Steps of 255 by which a colour, seen through its alpha, may change without being encoded at this quality."""
KEYS = 90, 120
"""Frames from one that needs no other to the next, at least and at most; libwebp holds 30 at a time."""


def save_webp(path: Path, rate: Fraction, frames: Iterable[Pixels], hold: int) -> None:
    """Write frames as a WebP that loops, and rests on the last one for `hold` seconds, if any."""
    images = [picture(frame).convert("RGBA" if has_alpha(frame) else "RGB") for frame in _steady(frames)]
    file = BytesIO()
    images[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=spans(len(images), rate, hold, 1),
        loop=0,
        quality=QUALITY,
        method=EFFORT,
        kmin=KEYS[0],
        kmax=KEYS[1],
    )
    path.write_bytes(file.getvalue())


def _steady(frames: Iterable[Pixels]) -> Iterator[Pixels]:
    """The frames, whose pixels stay as they were shown until they change by more than `ALIKE`.

    libwebp compares each frame with the one before, and leaves out what is alike: what changes slowly, by a little in
    each, would not be seen until the next key frame.
    """
    shown = None
    for frame in frames:
        image = frame.numpy()
        if shown is not None:
            image = numpy.where(_alike(shown, image, has_alpha(frame))[..., None], shown, image)
        shown = image
        yield torch.from_numpy(image)


def _alike(before: numpy.ndarray, after: numpy.ndarray, clear: bool) -> numpy.ndarray:
    """Which pixels the encoder takes for the same."""
    change = numpy.maximum(before, after) - numpy.minimum(before, after)
    bands = [change[..., band] for band in range(change.shape[-1])]
    if not clear:
        return numpy.logical_and.reduce([band <= ALIKE for band in bands])
    most = 255 * ALIKE // numpy.maximum(after[..., -1], 1).astype(numpy.uint16)
    return numpy.logical_and.reduce([bands[-1] == 0, *(band <= most for band in bands[:-1])])
