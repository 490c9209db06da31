"""How strokes are rendered where they are saved: samples of a pixel, and templates as fine as a canvas asks for."""

import math
from collections.abc import Sized

from jaxtyping import Float
from torch import Tensor

from limner.shapes import FINEST
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

SAMPLES = 4
"""Along each axis of a pixel: as many as resvg takes of an outline."""
ROWS = 2**22
"""Rows of strokes that are rendered together, for each of which kernels need up to 80 bytes."""
ROUNDED = 0.1
"""Growth, in doublings, that is not worth drawing a bank anew for."""


def samples(bank: TemplateBank) -> int:
    """Samples along each axis of a pixel in what is saved: those that renderers of SVG take of these templates.

    Masks without an outline are pictures in an SVG, and are looked up once a pixel.
    """
    return SAMPLES if any(bank.outlines.values()) else 1


def rendered(
    strokes: Strokes, bank: TemplateBank, size: tuple[int, int], below: Float[Tensor, "..."] | float
) -> Float[Tensor, "1 channel height width"]:
    """The canvas of strokes on what is below, as it is saved; some after the others, which takes less memory."""
    together, canvas = max(1, ROWS // size[0]), below
    for first in range(0, len(strokes) or 1, together):
        canvas = render(strokes[:, first : first + together], bank, size, canvas, samples=samples(bank))
    assert isinstance(canvas, Tensor)
    return canvas


def finer(bank: TemplateBank, fitted: tuple[int, int], size: tuple[int, int]) -> TemplateBank:
    """A bank of strokes fitted on one canvas, for a larger one: outlines are redrawn, so that edges stay as sharp.

    One outline has at most `FINEST` texels a side, several so many that they take no more memory.
    The bank itself where the canvas is not larger, or where no template has an outline.
    """
    texels, growth = bank.masks.shape[-1], max(size) / max(fitted)
    wanted = min(texels * 2 ** max(0, math.ceil(math.log2(growth) - ROUNDED)), most_texels(bank))
    return redrawn(bank, wanted) if wanted > texels and bank.outlines else bank


def most_texels(bank: Sized) -> int:
    """Texels a side with which a bank may be drawn anew: one template has `FINEST`, several as much memory."""
    return 2 ** math.floor(math.log2(FINEST / math.sqrt(len(bank))))


def redrawn(bank: TemplateBank, texels: int) -> TemplateBank:
    """A bank with so many texels a side, which it keeps."""
    return bank.kept(f"{texels} texels", lambda: bank.redrawn(texels))
