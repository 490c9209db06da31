"""Painting a picture with strokes: reading it, fitting the strokes, and writing what was painted."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import UserError
from limner.kernels.threads import for_kernels_only
from limner.painting import colours
from limner.painting.fit import Progress, fit
from limner.painting.goal import Goal
from limner.painting.moves import Style
from limner.painting.painting import Painting
from limner.painting.pictures import Picture, Source, fitted, read_picture, resized
from limner.painting.resume import Before, read_before
from limner.templates import TemplateBank

__all__ = ["Painting", "paint"]

TEXELS = 128
UNIMPORTANT = 0.02
"""Weight of a pixel where the importance mask is black; it is 1 where it is white."""


def paint(
    image: Source,
    strokes: int = 500,
    *,
    templates: TemplateBank | tuple[str, ...] | None = None,
    opacity: Literal["free", "opaque"] | float = "free",
    fill: Literal["flat", "gradient"] = "flat",
    background: str = "auto",
    palette: int | Float[Tensor, "colour 3"] | None = None,
    min_size: float | None = None,
    max_size: float | None = None,
    importance: Source | None = None,
    resume: str | Path | Painting | None = None,
    repaint: Source | None = None,
    seed: int = 0,
    stop_psnr: float | None = None,
    time: float | None = None,
    size: int | None = None,
    progress: bool = False,
) -> Painting:
    """Paint a picture with exactly so many strokes.

    image: a path, "-" for standard input, bytes, a PIL image, an array or a tensor (`pictures.read_picture`).
    templates: names or a bank; the default is the circle, or the templates of what is resumed.
    opacity: "free" (chosen for each stroke), "opaque", or one number in (0, 1].  fill: one colour or a linear gradient.
    background: "auto" (the colour that suits best; a transparent image stays transparent), "transparent", or a colour.
    palette: strokes take only these colours, or so many chosen from the image.
    min_size, max_size: of a stroke, as a share of the image's longer side.
    importance: a gray picture, light where the image matters.
    resume: strokes to paint on, which stay as they are; repaint: a gray picture, light where they are replaced.
    seed: the same seed gives the same strokes on the same machine, unless `time` is set.
    stop_psnr: stop early at this quality, in dB.  time: seconds to take.  size: longer side of the canvas worked at.
    Raises UserError for arguments that make no sense. Ctrl-C ends the fit and returns what there is.
    """
    picture = read_picture(image)
    if strokes < 0:
        raise UserError(f"strokes: {strokes} is not a number from 0 up")
    side = size or min(1024, max(256, round(256 * math.sqrt(strokes / 500))))
    before = None if resume is None else read_before(resume, templates)
    bank = before.bank if before else _bank(templates)
    small = resized(picture, side)
    clear = background == "transparent" or (background == "auto" and picture.alpha is not None)
    if before:
        clear = before.background is None
    given = (
        before.background if before else None if background in ("auto", "transparent") else colours.colour(background)
    )
    coloured = len(small.pixels) == 3 or isinstance(palette, Tensor) or _coloured(given) or (before and before.coloured)
    pixels = small.pixels.expand(3, -1, -1) if coloured else small.pixels
    given = None if given is None else given.expand(3) if coloured else given[:1]
    inks = _palette(palette, pixels)
    goal, ground = _goal(pixels, small.alpha, clear, given, inks)
    goal = replace(goal, weight=_weight(importance, goal.size))
    count = strokes
    if before:
        region = None if repaint is None else _gray(repaint, goal.size)
        before, dropped = before.without(region)
        count += dropped
        under, cover = before.canvas(goal.size, ground, clear)
        goal = replace(goal, region=region, under=under, under_cover=cover)
    longer = max(goal.size)
    style = Style(
        opacity={"free": None, "opaque": 1.0}.get(opacity, opacity) if isinstance(opacity, str) else float(opacity),
        gradient=fill == "gradient",
        palette=inks,
        smallest=max(0.5, (min_size or 0) * longer / 2),
        largest=(max_size or math.inf) * longer / 2,
        learn_ground=not clear and given is None and inks is None,
    )
    with for_kernels_only(), _bar(progress) as watch:
        stop = math.inf if stop_psnr is None else stop_psnr
        painted, ground = fit(goal, bank, count, ground, style, seed, seconds=time, watch=watch, stop_psnr=stop)
    if before:
        painted = before.then(painted)
    return Painting(painted, bank, None if clear else ground, goal.size, picture, seed)


def _bank(templates: TemplateBank | tuple[str, ...] | None) -> TemplateBank:
    if isinstance(templates, TemplateBank):
        return templates
    try:
        return TemplateBank.named(*(templates or ("circle",)), size=TEXELS)
    except ValueError as fault:
        raise UserError(str(fault)) from None


def _coloured(colour: Tensor | None) -> bool:
    return colour is not None and bool((colour != colour[0]).any())


def _palette(palette: int | Tensor | None, pixels: Tensor) -> Tensor | None:
    """Colours by channel: those given, or the means of so many clusters of the picture's (Pillow's k-means)."""
    if palette is None or isinstance(palette, Tensor):
        return palette
    if not 1 <= palette <= 256:
        raise UserError(f"palette: {palette} is not a number of colours from 1 to 256")
    from PIL import Image

    bytes_ = (pixels.expand(3, -1, -1).permute(1, 2, 0) * 255).round().byte().numpy()
    reduced = Image.fromarray(bytes_).quantize(palette, kmeans=3)
    found = torch.tensor(reduced.getpalette()).view(-1, 3)[: len(reduced.getcolors())] / 255
    return found[:, : len(pixels)].contiguous()


def _goal(
    pixels: Tensor, alpha: Tensor | None, clear: bool, given: Tensor | None, inks: Tensor | None
) -> tuple[Goal, Tensor]:
    """What to fit and the ground to start from: with alpha if the background is clear, else flattened onto it."""
    if clear:
        alpha = torch.ones(pixels.shape[1:]) if alpha is None else alpha
        return Goal(pixels * alpha, alpha), torch.zeros(len(pixels))
    weight = torch.ones(pixels.shape[1:]) if alpha is None else alpha
    ground = (pixels * weight).sum((1, 2)) / weight.sum().clamp(min=1e-6) if given is None else given
    if given is None and inks is not None:
        ground = inks[(inks - ground).square().sum(1).argmin()]
    if alpha is not None:
        pixels = pixels * alpha + ground[:, None, None] * (1 - alpha)
    return Goal(pixels), ground


def _gray(source: Source, size: tuple[int, int]) -> Tensor:
    mask = fitted(read_picture(source), size)
    gray = mask.pixels.mean(0)
    return gray if mask.alpha is None else gray * mask.alpha


def _weight(importance: Source | None, size: tuple[int, int]) -> Tensor | None:
    if importance is None:
        return None
    weight = UNIMPORTANT + (1 - UNIMPORTANT) * _gray(importance, size)
    return weight / weight.mean()


class _bar:
    """A progress bar on standard error, with the PSNR so far and the time left, for the duration of a fit."""

    def __init__(self, shown: bool) -> None:
        from tqdm import tqdm

        layout = "{desc} {percentage:3.0f}%|{bar:30}| {postfix} [{elapsed}<{remaining}]"
        self.bar = tqdm(total=1.0, desc="painting", bar_format=layout, disable=not shown, leave=False)

    def __enter__(self):
        return self.watch

    def watch(self, progress: Progress) -> None:
        self.bar.set_postfix_str(f"{progress.strokes} strokes, {progress.psnr:.1f} dB", refresh=False)
        self.bar.update(min(progress.done, 1.0) - self.bar.n)

    def __exit__(self, *_) -> None:
        self.bar.close()
