"""What a painting starts from: sensible arguments, templates, canvas, goal, ground, and the weights of its pixels."""

import math
import operator
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, SupportsFloat

import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import UserError
from limner.masks import mask_files, read_mask
from limner.painting.goal import Goal
from limner.painting.pictures import Picture, fitted, resized
from limner.templates import SHAPES, TemplateBank, draw

TEXELS = 128
FINE = {"line": 512, "curve": 256}
"""Texels a side of shapes so thin that they are drawn large: with fewer their edges are blurred, unlike in an SVG."""
UNIMPORTANT = 0.02
"""Weight of a pixel where the importance mask is black; it is 1 where it is white."""
FILLS = ("flat", "gradient")
WHOLE = 2**63 - 1
MOST_SIDE, JUDGED = 1024, 2048
SEEN = 0.5
"""Pixels of the canvas worked at that a stroke has to measure to be seen."""
STRETCH = 0.05
"""How much the proportions of what belongs to one picture may differ, by the logarithm of their ratio."""


def whole(name: str, value: Any, least: int = 0) -> int:
    """A whole number from `least` to what 64 bits hold, of any kind; UserError for anything else."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except (TypeError, ValueError):
        number = -1
    if not least <= number <= WHOLE:
        raise UserError(f"{name}: {value!r} is not a whole number from {least} to {WHOLE}")
    return number


def positive(name: str, value: Any, most: float = math.inf) -> float | None:
    """A finite number above 0 and up to `most`, of any kind, or None; UserError for anything else."""
    if value is None:
        return None
    number = _number(value)
    if not (0 < number <= most and number < math.inf):
        upper = f" and up to {most:g}" if most < math.inf else ""
        raise UserError(f"{name}: {value!r} is not a number above 0{upper}")
    return number


def _number(value: Any) -> float:
    """NaN for what is none."""
    try:
        return float(value) if isinstance(value, SupportsFloat) and not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, RuntimeError):
        return math.nan


def check_shape(name: str, size: tuple[int, int], picture: str, full: tuple[int, int]) -> None:
    """UserError for a mask or a canvas whose proportions, apart from rounded pixels, are not those of the picture."""
    (rows, columns), (height, width) = size, full
    scale = max(size) / max(full)
    rounded = abs(rows - scale * height) < 1 and abs(columns - scale * width) < 1
    if not rounded and abs(math.log(width / height * rows / columns)) > STRETCH:
        held = f"is {columns} x {rows} pixels, {picture} {width} x {height}"
        raise UserError(f"{name}: {held}: they must have the same proportions")


def check_fill(fill: Any) -> None:
    """UserError for an unknown one."""
    if fill not in FILLS:
        raise UserError(f"fill: {fill!r} is unknown: choose {' or '.join(FILLS)}")


def fixed_opacity(opacity: Any) -> float | None:
    """The opacity that all strokes have; None where each has its own. UserError outside (0, 1]."""
    if isinstance(opacity, str) and opacity in ("free", "opaque"):
        return None if opacity == "free" else 1.0
    if not 0 < _number(opacity) <= 1:
        raise UserError(f"opacity: {opacity!r} is neither free nor opaque nor a number above 0 and up to 1")
    return _number(opacity)


def listed(templates: TemplateBank | str | Path | Iterable[str | Path] | None) -> TemplateBank | list[Any] | None:
    """A bank itself, or names of shapes and paths in a list; None for none. UserError for what is no list of them."""
    if templates is None or isinstance(templates, TemplateBank):
        return templates
    items = [templates] if isinstance(templates, str | Path) else templates
    if not isinstance(items, Iterable):
        raise UserError(f"templates: {items!r} is neither the name of a shape nor a path, and no list of them")
    return list(items) or None


def bank_of(
    templates: TemplateBank | str | Path | Iterable[str | Path] | None, texels: int | None = None
) -> TemplateBank:
    """The bank itself, or that of shapes by name, of mask files and of those in folders; circles by default.

    texels: a side; the default suits the shapes.  Raises UserError for what is none of these.
    """
    items = listed(templates) or ["circle"]
    if isinstance(items, TemplateBank):
        return items.detach().to("cpu")
    texels = texels or texels_of(items)
    names, masks = zip(*(brush for item in items for brush in _brushes(item, texels)), strict=True)
    return TemplateBank(torch.stack(masks), names)


def texels_of(items: TemplateBank | list[Any]) -> int:
    """Texels a side of a bank, or those that suit what is `listed`."""
    if isinstance(items, TemplateBank):
        return items.masks.shape[-1]
    shapes = all(isinstance(item, str) and item in SHAPES for item in items)
    return max(FINE.get(item, TEXELS) for item in items) if shapes else TEXELS


def _brushes(item: Any, texels: int) -> list[tuple[str, Float[Tensor, "S S"]]]:
    """Names and masks of a shape, a mask file, or a folder of them."""
    if not isinstance(item, str | Path):
        raise UserError(f"templates: {item!r} is neither the name of a shape nor a path")
    if item in SHAPES:
        return [(str(item), draw(SHAPES[str(item)], texels))]
    if not os.path.exists(item):
        known = ", ".join(name for name in SHAPES if name != "transparent")
        raise UserError(f"{item}: is no template: expected {known}, or a file or folder of masks")
    return [(path.stem, read_mask(path, texels)) for path in mask_files(item)]


def coloured(colours: int | Tensor | None) -> bool:
    """Whether any of these colours (*, 3) is not gray; a number of colours to choose is not."""
    return isinstance(colours, Tensor) and bool((colours != colours[..., :1]).any())


def working_side(size: tuple[int, int], strokes: int) -> int:
    """Longer side of the canvas to work at: 256 px for few strokes, 480 for 500, up to 1024 for more.

    From 500 strokes on it grows so slowly that time grows no faster than strokes. A picture narrower than 2 to 3 is
    worked at in as many pixels as one of these proportions.
    """
    share = strokes / 500
    side = min(MOST_SIDE, max(256, 480 * min(share**0.7, share**0.375)))
    return round(side * math.sqrt(max(1, max(size) / (1.5 * min(size)))))


def judged(picture: Picture) -> Picture:
    """The picture as `stop_psnr` is measured on it: as it is, or at most 2048 pixels long."""
    return resized(picture, JUDGED)


def chosen_side(picture: Picture, size: int | None, strokes: int, stop_psnr: float | None) -> int:
    """Longer side of the canvas to work at: `size` if given, else what suits the strokes, and the quality if any."""
    side = size or working_side(picture.size, strokes)
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


def check_seen(max_size: float | None, side: int) -> None:
    """UserError for a largest stroke that cannot be seen on a canvas worked at, `side` pixels long."""
    if max_size is not None and max_size * side < SEEN:
        raise UserError(f"max_size: {max_size} is too small to be seen here: choose at least {SEEN / side:.2g}")


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


def gray(picture: Picture, size: tuple[int, int]) -> Float[Tensor, "height width"]:
    """How light a picture is at this (height, width), in [0, 1]; what is transparent counts as black."""
    mask = fitted(picture, size)
    return mask.pixels.mean(0) if mask.alpha is None else mask.pixels.mean(0) * mask.alpha


def lit(name: str, picture: Picture, size: tuple[int, int], dark: float = 0.0) -> Float[Tensor, "height width"]:
    """`gray` of a picture that says where something holds; UserError if it says nowhere, being as dark as `dark`."""
    light = gray(picture, size)
    if light.max() <= dark:
        held = "nowhere lighter than half gray, so that nothing is replaced" if dark else "black everywhere"
        raise UserError(f"{name}: is {held}: make it light where it should count")
    return light


def weights(importance: Picture | None, size: tuple[int, int]) -> Float[Tensor, "height width"] | None:
    """Weight of each pixel, of mean 1; None for equal ones. UserError where nothing matters."""
    if importance is None:
        return None
    light = lit("importance", importance, size)
    weight = UNIMPORTANT + (1 - UNIMPORTANT) * light
    return weight / weight.mean()
