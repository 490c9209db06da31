"""How large a canvas to work at, and what fits it."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import UserError
from limner.painting.pictures import Picture, fitted, resized

LEAST_SIDE, MOST_SIDE, JUDGED = 128, 1024, 2048
SEEN = 0.5
"""Pixels of the canvas worked at that a stroke has to measure to be seen."""
PEN = 0.5
"""Pixels of the canvas worked at that a pen is wide."""
STRETCH = 0.05
"""How much the proportions of what belongs to one picture may differ, by the logarithm of their ratio."""


def check_shape(name: str, size: tuple[int, int], picture: str, full: tuple[int, int]) -> None:
    """UserError for a mask or a canvas whose proportions, apart from rounded pixels, are not those of the picture."""
    (rows, columns), (height, width) = size, full
    scale = max(size) / max(full)
    rounded = abs(rows - scale * height) < 1 and abs(columns - scale * width) < 1
    if not rounded and abs(math.log(width / height * rows / columns)) > STRETCH:
        held = f"is {columns} x {rows} pixels, {picture} {width} x {height}"
        raise UserError(f"{name}: {held}: they must have the same proportions")


def working_side(size: tuple[int, int], strokes: int) -> int:
    """Longer side of the canvas to work at: 256 px for few strokes, 480 for 500, up to 1024 for more.

    From 500 strokes on it grows so slowly that time grows no faster than strokes. A picture narrower than 2 to 3
    is worked at in as many pixels as one of 2 to 3.
    """
    share = strokes / 500
    side = min(MOST_SIDE, max(256, 480 * min(share**0.7, share**0.375)))
    return round(side * math.sqrt(max(1, max(size) / (1.5 * min(size)))))


def judged(picture: Picture) -> Picture:
    """The picture as `stop_psnr` is measured on it: as it is, or at most 2048 pixels long."""
    return resized(picture, JUDGED)


def chosen_side(picture: Picture, size: int | None, strokes: int, stop_psnr: float | None, pen: float | None) -> int:
    """Longer side of the canvas to work at: `size` if given, else what suits the strokes, and the quality if any.

    A pen is half a pixel wide there, so that lines beside each other make a gray, unless that were too few pixels or
    too many.
    """
    side = size or working_side(picture.size, strokes)
    if pen and size is None:
        return min(MOST_SIDE, max(LEAST_SIDE, round(PEN / pen)))
    return detailed_side(picture, side, stop_psnr) if stop_psnr and size is None else side


def detailed_side(picture: Picture, side: int, psnr: float) -> int:
    """At least `side`, up to 1024: where shrinking loses no more than half of what a PSNR lets a painting be off."""
    picture = judged(picture)
    off = 10 ** (-psnr / 10)
    while side < min(MOST_SIDE, max(picture.size)):
        lost = _seen(fitted(resized(picture, side), picture.size)) - _seen(picture)
        if lost.square().mean() <= off / 2:
            break
        side = min(MOST_SIDE, math.ceil(side * math.sqrt(2)))
    return side


def _seen(picture: Picture) -> Float[Tensor, "band height width"]:
    """Colours, premultiplied where there is alpha, and that."""
    if picture.alpha is None:
        return picture.pixels
    return torch.cat([picture.pixels * picture.alpha, picture.alpha[None]])


def check_seen(max_size: float, side: int) -> None:
    """UserError for a largest stroke that cannot be seen on a canvas worked at, `side` pixels long."""
    if max_size * side < SEEN:
        digits = 1 + math.ceil(math.log10(side / SEEN))
        least = math.ceil(SEEN / side * 10**digits) / 10**digits
        raise UserError(f"max_size: {max_size} is too small to be seen here: choose at least {least:g}")
