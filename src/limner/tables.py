"""Many small images as one picture, in rows and columns."""

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

Cells = Float[Tensor, "row column channel height width"]

GAP = 2
"""Pixels of the lines between images."""


def table(cells: Cells, scale: int = 1, lines: int = 128) -> Image.Image:
    """A picture of images of brightness in rows and columns, each pixel `scale` wide, with lines of a gray around."""
    rows, columns, channels, height, width = cells.shape
    height, width = height * scale, width * scale
    sheet = torch.full((channels, rows * (height + GAP) + GAP, columns * (width + GAP) + GAP), lines, dtype=torch.uint8)
    shown = (255 * cells.clamp(0, 1)).round().to("cpu", torch.uint8)
    shown = shown.repeat_interleave(scale, 3).repeat_interleave(scale, 4)
    for row in range(rows):
        for column in range(columns):
            top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
            sheet[:, top : top + height, left : left + width] = shown[row, column]
    pixels = sheet.permute(1, 2, 0).numpy()
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
