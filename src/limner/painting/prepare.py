"""What a painting starts from: sensible arguments, templates, palette, ground, goal, and the weights of its pixels."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.painting.colours import MOST
from limner.painting.goal import Goal
from limner.painting.pictures import Source, fitted, read_picture
from limner.templates import TemplateBank

TEXELS = 128
UNIMPORTANT = 0.02
"""Weight of a pixel where the importance mask is black; it is 1 where it is white."""
FILLS = ("flat", "gradient")


def check_whole(**values: Any) -> None:
    """UserError for those that are not whole numbers from 0 up."""
    for name, value in values.items():
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
            raise UserError(f"{name}: {value!r} is not a whole number from 0 up")


def check_positive(**values: Any) -> None:
    """UserError for those that are neither None nor finite numbers above 0."""
    for name, value in values.items():
        if value is not None and not (isinstance(value, int | float) and 0 < value < math.inf):
            raise UserError(f"{name}: {value!r} is not a number above 0")


def check_shares(**values: float | None) -> None:
    """UserError for those above 1."""
    for name, value in values.items():
        if value is not None and value > 1:
            raise UserError(f"{name}: {value} is more than the whole picture: give a share up to 1")


def check_fill(fill: Any) -> None:
    """UserError for an unknown one."""
    if fill not in FILLS:
        raise UserError(f"fill: {fill!r} is unknown: choose {' or '.join(FILLS)}")


def fixed_opacity(opacity: Any) -> float | None:
    """The opacity that all strokes have; None where each has its own. UserError outside (0, 1]."""
    if isinstance(opacity, str) and opacity in ("free", "opaque"):
        return None if opacity == "free" else 1.0
    if isinstance(opacity, str | bool) or not isinstance(opacity, int | float) or not 0 < opacity <= 1:
        raise UserError(f"opacity: {opacity!r} is neither free nor opaque nor a number above 0 and up to 1")
    return float(opacity)


def bank_of(templates: TemplateBank | Sequence[str] | None, texels: int = TEXELS) -> TemplateBank:
    """The bank itself, or that of shapes by name; circles by default. UserError for an unknown name."""
    if isinstance(templates, TemplateBank):
        return templates
    names = (templates,) if isinstance(templates, str) else tuple(templates or ("circle",))
    try:
        return TemplateBank.named(*names, size=texels)
    except ValueError as fault:
        raise UserError(str(fault)) from None


def coloured(colours: int | Tensor | None) -> bool:
    """Whether any of these colours (*, 3) is not gray; a number of colours to choose is not."""
    return isinstance(colours, Tensor) and bool((colours != colours[..., :1]).any())


def inks(
    palette: int | Tensor | None,
    pixels: Float[Tensor, "channel height width"],
    alpha: Float[Tensor, "height width"] | None,
) -> Float[Tensor, "colour channel"] | None:
    """The colours of a palette in the channels of the picture: those given, or so many that suit it (by k-means).

    Pixels that are mostly transparent have no say. Raises UserError for anything but 1 to 256 colours in [0, 1].
    """
    if palette is None:
        return None
    if isinstance(palette, Tensor):
        shaped = palette.ndim == 2 and palette.shape[1] == 3 and len(palette)
        if not shaped or not ((palette >= 0) & (palette <= 1)).all():
            raise UserError(f"palette: a tensor of shape {tuple(palette.shape)}: expected (colour, 3) from 0 to 1")
        return palette.float()[:, : len(pixels)].contiguous()
    if isinstance(palette, bool) or not isinstance(palette, int) or not 1 <= palette <= MOST:
        raise UserError(f"palette: {palette!r} is neither a tensor (colour, 3) nor a number from 1 to {MOST}")
    shown = (pixels if alpha is None or not (alpha > 0.5).any() else pixels[:, alpha > 0.5]).flatten(1)
    row = Image.fromarray((shown.expand(3, -1).mT[None] * 255).round().byte().contiguous().numpy())
    chosen = torch.tensor(np.asarray(row.quantize(palette, kmeans=3).convert("RGB"))[0])
    return chosen.unique(dim=0)[:, : len(pixels)] / 255


def goal_and_ground(
    pixels: Float[Tensor, "channel height width"],
    alpha: Float[Tensor, "height width"] | None,
    background: Float[Tensor, "channel"] | Literal["clear"] | None,
    palette: Float[Tensor, "colour channel"] | None,
) -> tuple[Goal, Float[Tensor, "channel"]]:
    """What to fit, and the ground to start from: the background, or without one the mean colour.

    On a clear background coverage is fitted too; on another a transparent picture is laid onto the ground.
    """
    if isinstance(background, str):
        alpha = torch.ones(pixels.shape[1:]) if alpha is None else alpha
        return Goal(pixels * alpha, alpha), torch.zeros(len(pixels))
    ground = background
    if ground is None:
        weight = torch.ones(pixels.shape[1:]) if alpha is None else alpha
        ground = (pixels * weight).sum((1, 2)) / weight.sum().clamp(min=1e-6)
        if palette is not None:
            ground = palette[(palette - ground).square().sum(1).argmin()]
    if alpha is not None:
        pixels = pixels * alpha + ground[:, None, None] * (1 - alpha)
    return Goal(pixels), ground


def gray(source: Source, size: tuple[int, int]) -> Float[Tensor, "height width"]:
    """How light a picture is at this (height, width), in [0, 1]; what is transparent counts as black."""
    mask = fitted(read_picture(source), size)
    return mask.pixels.mean(0) if mask.alpha is None else mask.pixels.mean(0) * mask.alpha


def weights(importance: Source | None, size: tuple[int, int]) -> Float[Tensor, "height width"] | None:
    """Weight of each pixel, of mean 1; None for equal ones."""
    if importance is None:
        return None
    weight = UNIMPORTANT + (1 - UNIMPORTANT) * gray(importance, size)
    return weight / weight.mean()
