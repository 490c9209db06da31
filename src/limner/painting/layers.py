"""A painting in layers: the background and every stroke as a picture of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.geometry import cropped, invert
from limner.painting import raster
from limner.painting.raster import Pixels
from limner.painting.rendering import finer, rendered
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order

if TYPE_CHECKING:
    from limner.painting.painting import Painting

MOST = 8000
"""Layers that Photoshop opens."""
REACH = 2.0
"""Half sides of a template within which its mask ends, blurred as it may be."""
SHOWN = 1 / 510
"""Half a step of an 8-bit opacity."""


class Layer(NamedTuple):
    """A picture on the page: its left and upper corner in pixels, and its opacity from 0 to 255."""

    name: str
    image: Image.Image
    left: int = 0
    top: int = 0
    opacity: int = 255


def is_layered(path: Path) -> bool:
    """Whether a file is to have layers."""
    return path.suffix.lower() == ".psd"


def check_layers(path: Path, strokes: int) -> None:
    """UserError for more strokes than Photoshop has room for."""
    if strokes >= MOST:
        raise UserError(f"{path}: {strokes} strokes are too many for Photoshop, which has {MOST} layers: choose .svg")


@torch.no_grad()
def layers(painting: Painting, size: tuple[int, int]) -> Iterator[Layer]:
    """The background, if any, and each stroke that shows, named by its place from below and template; the lowest first.

    size: (height, width) of the page.  Laid one over the other they are the painting, within the rounding of 8 bits.
    """
    height, width = size
    strokes, bank = in_depth_order(painting.strokes).map(Tensor.float), finer(painting.bank, painting.size, size)
    if painting.background is not None:
        ground = raster.picture(raster.pixels(painting.background.float()[:, None, None], None)).convert("RGB")
        yield Layer("background", ground.resize((width, height)))
    opacities = [1.0] * len(strokes) if strokes.opacity is None else strokes.opacity[0].tolist()
    for t, opacity in enumerate(opacities):
        stroke = strokes[:, t : t + 1]
        window = _window(stroke, size)
        if opacity < SHOWN or window is None:
            continue
        image = raster.picture(_cut(stroke, bank, window, size)).convert("RGBA")
        if box := image.getbbox():
            name = f"{t + 1} {bank.names[int(stroke.which.argmax())]}"
            yield Layer(name, image.crop(box), window[0] + box[0], window[1] + box[1], round(255 * opacity))


def _window(stroke: Strokes, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the pixels that a stroke can reach; None where it reaches none."""
    corners = stroke.where.new_tensor([[x, y, 1] for x in (-REACH, REACH) for y in (-REACH, REACH)]).double()
    canvas = invert(stroke.where[0, 0].double()) @ corners.T
    height, width = size
    if not canvas.isfinite().all():
        return 0, 0, width, height
    x, y = ((canvas + 1) / 2 * canvas.new_tensor([[width], [height]])).tolist()
    left, top = max(0, math.floor(min(x))), max(0, math.floor(min(y)))
    right, bottom = min(width, math.ceil(max(x))), min(height, math.ceil(max(y)))
    return (left, top, right, bottom) if left < right and top < bottom else None


def _cut(stroke: Strokes, bank: TemplateBank, window: tuple[int, int, int, int], size: tuple[int, int]) -> Pixels:
    """A stroke within its window, as if it were opaque: its colours, and its mask as alpha."""
    left, top, right, bottom = window
    alone = Strokes(cropped(stroke.where, window, size), stroke.which, stroke.what, slope=stroke.slope)
    small = bottom - top, right - left
    cover = rendered(alone.white(), bank, small, 0.0)
    colour = alone.what.mT[..., None] * cover if alone.slope is None else rendered(alone, bank, small, 0.0)
    return raster.pixels(colour[0], cover[0])
