"""How close a painting comes to its picture."""

import math

from jaxtyping import Float
from torch import Tensor

from limner.painting.pictures import Picture, fitted, laid
from limner.painting.raster import Pixels, premultiplied, strips


def decibels(error: float) -> float:
    """PSNR in dB of a mean squared difference of values in [0, 1]."""
    return 10 * math.log10(1 / error) if error else math.inf


def psnr(a: Float[Tensor, "*shape"], b: Float[Tensor, "*shape"]) -> float:
    """Peak signal-to-noise ratio in dB of values in [0, 1]: 10 log10(1 / mean squared difference)."""
    return decibels((a.double() - b.double()).square().mean().item())


def score(image: Pixels, target: Picture, background: Float[Tensor, "channel"] | None) -> float:
    """PSNR in dB of pixels against a target at their size, with the background, if any, behind both."""
    truth = fitted(target, (image.shape[0], image.shape[1]))
    squares, values = 0.0, 0
    for rows in strips(*image.shape[:2]):
        alpha = None if truth.alpha is None else truth.alpha[rows]
        shown, wanted = _compared(image[rows], truth.pixels[:, rows], alpha, background)
        squares += (shown.double() - wanted).square().sum().item()
        values += shown.numel()
    return decibels(squares / values)


def _compared(image: Pixels, pixels: Tensor, alpha: Tensor | None, background: Tensor | None) -> tuple[Tensor, Tensor]:
    """What is scored of some rows of an image and of its target: colours, or premultiplied ones and alpha."""
    shown, pixels = premultiplied(image), pixels.expand(3, -1, -1)
    if len(shown) == 4 and background is None:
        return shown, laid(pixels, alpha, None)
    ground = pixels.new_ones(1) if background is None else background.to(pixels)
    paper = 0 if len(shown) == 3 else (1 - shown[3:]) * ground[:, None, None]
    return shown[:3] + paper, laid(pixels, alpha, ground)
