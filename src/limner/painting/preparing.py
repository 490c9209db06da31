"""What is settled before the first stroke: arguments are checked, the picture is read, and a goal is set."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.models.build import Network
from limner.painting import arguments, brushes, colours, light, rendering, sides
from limner.painting.fit.fitting import Painted
from limner.painting.fit.goal import Goal, goal_and_ground, page
from limner.painting.fit.moves import Style
from limner.painting.painting import Painting
from limner.painting.palette import inks_of
from limner.painting.pictures import Picture, Source, fitted, read_picture, resized
from limner.painting.resume import Before, as_written, read_before
from limner.strokes import Strokes
from limner.templates import TemplateBank


@contextmanager
def in_float32_on_cpu() -> Iterator[None]:
    """New tensors are such inside, whatever torch's defaults are, since a photograph's kernels take no other."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        here = nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
        with here, torch.autocast("cpu", enabled=False):
            yield
    finally:
        torch.set_default_dtype(before)


@dataclass(frozen=True)
class Prepared:
    """A picture that is about to be painted, and all that `fit` is to know.

    goal_of: what to fit of a picture at some size, and the ground to start from.
    before: the strokes that lie under those to be painted.  clear: whether the background is transparent.
    """

    picture: Picture
    goal: Goal
    bank: TemplateBank
    count: int
    ground: Float[Tensor, "channel"]
    style: Style
    seed: int
    seconds: float | None
    stop_psnr: float
    start: Strokes | None
    judged: Goal | None
    before: Before | None
    clear: bool
    goal_of: Callable[[Picture], tuple[Goal, Tensor]]

    def following(self, picture: Picture) -> tuple[Goal, Tensor]:
        """The goal and the ground of another picture of the same proportions."""
        goal, ground = self.goal_of(fitted(picture, self.goal.size))
        return replace(goal, weight=self.goal.weight, saved=self.goal.saved), ground

    def painting(self, painted: Painted) -> Painting:
        """What was fitted, over what was there before."""
        strokes, ground, bank = painted
        if self.before:
            strokes, bank = self.before.then(strokes), self.before.bank
        return Painting(strokes, bank, None if self.clear else ground, self.goal.size, self.picture)


def prepare(
    image: Source,
    strokes: int | None,
    templates: TemplateBank | str | Path | Iterable[str | Path] | None,
    opacity: Literal["free", "opaque"] | float,
    fill: Literal["flat", "gradient"],
    background: str | Sequence | np.ndarray | Tensor,
    palette: int | str | Path | Sequence | np.ndarray | Tensor | None,
    min_size: float | None,
    max_size: float | None,
    keep_proportions: bool,
    upright: bool,
    keep_angles: bool,
    importance: Source | None,
    model: str | Path | Network | None,
    resume: str | Path | Painting | None,
    repaint: Source | None,
    seed: int,
    stop_psnr: float | None,
    time: float | None,
    size: int | None,
) -> Prepared:
    """Everything that `limner.paint` does before it fits strokes; its arguments but for progress."""
    strokes = arguments.whole("strokes", arguments.count(strokes, repaint))
    seed = arguments.whole("seed", seed)
    min_size, max_size = arguments.positive("min_size", min_size, 1.0), arguments.positive("max_size", max_size, 1.0)
    stop_psnr, time = arguments.positive("stop_psnr", stop_psnr), arguments.positive("time", time)
    size = None if size is None else arguments.whole("size", size, least=1)
    arguments.check_fill(fill)
    chosen = not (isinstance(background, str) and background in ("auto", "transparent"))
    given = colours.ground(background) if chosen else None
    fixed = arguments.fixed_opacity(opacity)
    palette = None if palette is None else colours.inks(palette)
    smallest, largest = min_size or 0.0, max_size or math.inf
    templates = brushes.listed(templates)
    looks = {"keep_proportions": keep_proportions, "upright": upright, "keep_angles": keep_angles}
    kept = {name: bool(value) for name, value in looks.items()}
    together = {
        "min_size": min_size,
        "max_size": max_size,
        "palette": palette,
        "fill": fill,
        "repaint": repaint,
        "resume": resume,
        "model": model,
        "templates": templates,
        **kept,
        "background": background,
    }
    arguments.check_together(together)
    picture = read_picture(image)
    masks = {"importance": importance, "repaint": repaint}
    masks = {name: read_picture(mask) for name, mask in masks.items() if mask is not None}
    for name, mask in masks.items():
        sides.check_shape(name, mask.size, "the picture", picture.size)
    before = None if resume is None else read_before(resume, templates)
    many = strokes + (len(before.strokes) if before else 0)
    small = resized(picture, sides.chosen_side(picture, size, many, stop_psnr))
    sides.check_seen(max_size, max(small.size))
    clear = not chosen and (background == "transparent" or picture.alpha is not None)
    if before:
        if before.size:
            sides.check_shape("resume", before.size, "the picture", picture.size)
            before = replace(before, bank=rendering.finer(before.bank, before.size, small.size))
        before = replace(before, bank=as_written(before.bank))
        clear, given = before.background is None, before.background
    if not (chosen or clear or before or palette is not None):
        given = page(small.pixels)
    coloured = colours.coloured(palette) or colours.coloured(given) or (before is not None and before.coloured)
    channels = 3 if coloured else len(picture.pixels)
    given = None if given is None else given.expand(3)[:channels]
    says = light.says(masks, picture.size) if isinstance(palette, int) else None
    inks = inks_of(palette, picture, given, channels, says)

    def goal_of(picture: Picture) -> tuple[Goal, Tensor]:
        pixels = picture.pixels.expand(channels, -1, -1)
        return goal_and_ground(pixels, picture.alpha, "clear" if clear else given, inks)

    goal, ground = goal_of(small)
    goal = replace(goal, weight=light.weights(masks.get("importance"), goal.size))
    large = sides.judged(picture) if stop_psnr else small
    judged = goal_of(large)[0] if large.size != small.size else None
    count, start = strokes, None
    if model is not None:
        from limner.painting import by_model

        painter = by_model.read_model(model)
        bank = by_model.brushes(painter)
        seen = goal.pixels if goal.alpha is None else goal.pixels + 1 - goal.alpha
        start = by_model.proposed(painter, seen, count)
    elif before:
        region, dropped = None, 0
        if repainted := masks.get("repaint"):
            region = light.lit("repaint", repainted, goal.size) if strokes else light.gray(repainted, goal.size)
            before, dropped = before.without(light.gray(repainted, repainted.size))
        under, cover = before.canvas(goal.size, ground, clear)
        goal = replace(goal, region=region, under=under, under_cover=cover)
        if judged:
            larger = replace(before, bank=rendering.finer(before.bank, goal.size, judged.size))
            under, cover = larger.canvas(judged.size, ground, clear)
            judged = replace(judged, under=under, under_cover=cover)
        bank, count = before.brushes, strokes + dropped
    else:
        bank = brushes.bank_of(templates)
    if count:
        brushes.check_visible(bank)
    goal = replace(goal, saved=rendering.samples(before.bank if before else bank))
    style = Style(
        opacity=fixed,
        gradient=fill == "gradient",
        palette=inks,
        smallest=smallest / 2,
        largest=largest / 2,
        learn_ground=not clear and given is None and inks is None,
        **kept,
    )
    stop = math.inf if stop_psnr is None else stop_psnr
    return Prepared(picture, goal, bank, count, ground, style, seed, time, stop, start, judged, before, clear, goal_of)
