"""Films as GIF, which has few colours and no alpha."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn.functional import max_pool2d

from limner.painting.films.animations import spans
from limner.painting.raster import Pixels, colours, has_alpha, picture

SAMPLE = 6  # pictures, about, that the palette is to suit
CLEAR = 255  # the palette entry that is transparent
EDGE = 15  # pixels in which a hard edge, blurred as the templates of large stamps are, goes from opaque to clear
BAYER = torch.tensor([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], device="cpu")
"""The order in which pixels of a 4 x 4 square become opaque with rising alpha (Bayer 1973)."""


def save_gif(path: Path, rate: Fraction, frames: Iterable[Pixels], sample: Iterable[Pixels], hold: int) -> None:
    """Write frames as a GIF that loops; all share the palette of the `sample`.

    hold: seconds for which it rests on the last one, if any: it then grows into that, the last of the sample.
    Of a square of 4 x 4 pixels as many are opaque as the alpha says, and those of a lower alpha are among those of a
    higher one; but hard edges (`_least`), in a film that grows those of its end, stay whole.
    """
    seen = list(sample)
    end = _least(seen[-1]) if hold else None
    palette = _palette(seen)
    nearest = _nearest(palette)
    images = [_indexed(frame, _least(frame) if end is None else end, palette, nearest) for frame in frames]
    durations = spans(len(images), rate, hold, 10)  # a GIF counts hundredths of a second
    clear = [np.asarray(image) == CLEAR for image in images]
    looks: dict[str, Any] = {"transparency": CLEAR} if any(map(np.any, clear)) else {}
    if any((after & ~before).any() for before, after in pairwise(clear)):
        looks["disposal"] = 2  # take each frame away before the next, which would show it where it is clear
    file = BytesIO()
    images[0].save(
        file, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=False, **looks
    )
    path.write_bytes(file.getvalue())


def _palette(sample: list[Pixels]) -> Image.Image:
    """A picture whose palette, of one colour less than a GIF may hold, suits all of the sample."""
    seen = torch.cat([colours(image)[::2, ::2][_shown(image, _least(image))[::2, ::2]] for image in sample])
    seen = seen if len(seen) else seen.new_zeros(1, 3)
    return picture(seen[None]).quantize(CLEAR, kmeans=1)


def _nearest(palette: Image.Image) -> Callable[[UInt8[Tensor, "height width 3"]], UInt8[Tensor, "height width"]]:
    """The palette's entries by colours; Pillow finds those of the darkest of 4 x 4 x 4, so that white would be gray."""
    entries = torch.tensor(palette.getpalette(), device="cpu").view(-1, 3)[:CLEAR].float()
    known = torch.full((2**24,), CLEAR, dtype=torch.uint8, device="cpu")
    base = torch.tensor([2**16, 2**8, 1], dtype=torch.int32, device="cpu")

    def nearest(wanted: UInt8[Tensor, "height width 3"]) -> UInt8[Tensor, "height width"]:
        packed = (wanted * base).sum(-1, dtype=torch.int32)
        for fresh in packed[known[packed] == CLEAR].unique().split(2**14):
            distances = entries.square().sum(1) - 2 * (fresh[:, None] // base % 2**8).float() @ entries.T
            known[fresh] = distances.argmin(1).to(torch.uint8)
        return known[packed]

    return nearest


def _indexed(
    image: Pixels,
    least: Float[Tensor, "height width"],
    palette: Image.Image,
    nearest: Callable[[UInt8[Tensor, "height width 3"]], UInt8[Tensor, "height width"]],
) -> Image.Image:
    """A frame in the palette's colours, clear where alpha is not above `least`."""
    indexed = Image.fromarray(torch.where(_shown(image, least), nearest(colours(image)), CLEAR).numpy(), "P")
    indexed.putpalette(palette.getpalette() or ())
    return indexed


def _shown(image: Pixels, least: Float[Tensor, "height width"]) -> Bool[Tensor, "height width"]:
    """Which pixels have more alpha than that, or none."""
    return image[..., -1] > least if has_alpha(image) else torch.ones_like(image[..., 0], dtype=torch.bool)


def _least(image: Pixels) -> Float[Tensor, "height width"]:
    """The alpha above which each pixel is shown: half, beside a hard edge between opaque and clear, or by `BAYER`."""
    height, width, _ = image.shape
    shares = (BAYER + 0.5) * 255 / 16
    dither = shares.repeat(-(-height // 4), -(-width // 4))[:height, :width]
    if not has_alpha(image):
        return dither
    alpha = image[None, ..., -1].float()
    hard = (_most(alpha) > shares.max()) & (-_most(-alpha) < shares.min())
    return torch.where(hard[0], 127.5, dither)


def _most(planes: Float[Tensor, "plane height width"]) -> Float[Tensor, "plane height width"]:
    """The largest in a square of `EDGE` x `EDGE` pixels around each."""
    return max_pool2d(max_pool2d(planes, (EDGE, 1), 1, (EDGE // 2, 0)), (1, EDGE), 1, (0, EDGE // 2))
