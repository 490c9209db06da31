"""Films as WebP, a picture that moves: in all colours and with alpha, and a tenth of a GIF."""

from collections.abc import Iterable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

from limner.painting.films.animations import spans
from limner.painting.raster import Pixels, has_alpha, picture

QUALITY, EFFORT = 85, 2
CLIP_RATE = 50
"""Frames of a clip a second, at most: browsers show those that are shorter for longer."""
LARGEST = 2**27
"""Pixels of all frames, which are in memory together."""
KEYS = 60, 120
"""Frames from one that needs no other to the next, at least and at most."""


def save_webp(path: Path, rate: Fraction, frames: Iterable[Pixels], hold: int) -> None:
    """Write frames as a WebP that loops, and rests on the last one for `hold` seconds, if any."""
    images = [picture(frame).convert("RGBA" if has_alpha(frame) else "RGB") for frame in frames]
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
