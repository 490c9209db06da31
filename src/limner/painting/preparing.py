"""What is settled before the first stroke: arguments are checked, the picture is read, and a goal is set."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from limner.painting import brushes, colours, light, rendering, sides
from limner.painting.asked import checked
from limner.painting.fit.goal import Goal, goal_and_ground, page
from limner.painting.fit.moves import Painted, Style
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


def prepare(image: Source, **arguments: Any) -> Prepared:
    """Everything that `limner.paint` does before it fits strokes; its other arguments but for progress."""
    asked = checked(**arguments)
    picture = read_picture(image)
    masks = {name: read_picture(mask) for name, mask in asked.masks.items()}
    for name, mask in masks.items():
        sides.check_shape(name, mask.size, "the picture", picture.size)
    before = None if asked.resume is None else read_before(asked.resume, asked.templates)
    many = asked.strokes + (len(before.strokes) if before else 0)
    small = resized(picture, sides.chosen_side(picture, asked.size, many, asked.stop_psnr, asked.pen))
    sides.check_seen(asked.largest, max(small.size))
    given, clear = asked.ground, asked.clear or (asked.ground is None and picture.alpha is not None)
    if before:
        if before.size:
            sides.check_shape("resume", before.size, "the picture", picture.size)
            before = replace(before, bank=rendering.finer(before.bank, before.size, small.size))
        before = replace(before, bank=as_written(before.bank))
        clear, given = before.background is None, before.background
    if given is None and not clear and not before:
        if asked.pen is not None:
            given = torch.ones(3)
        elif asked.palette is None:
            given = page(small.pixels)
    coloured = colours.coloured(asked.palette) or colours.coloured(given) or (before is not None and before.coloured)
    channels = 3 if coloured else len(picture.pixels)
    given = None if given is None else given.expand(3)[:channels]
    says = light.says(masks, picture.size) if isinstance(asked.palette, int) else None
    inks = inks_of(asked.palette, picture, given, channels, says)

    def goal_of(picture: Picture) -> tuple[Goal, Tensor]:
        pixels = picture.pixels.expand(channels, -1, -1)
        return goal_and_ground(pixels, picture.alpha, "clear" if clear else given, inks)

    goal, ground = goal_of(small)
    goal = replace(goal, weight=light.weights(masks.get("importance"), goal.size))
    large = sides.judged(picture) if asked.stop_psnr else small
    judged = goal_of(large)[0] if large.size != small.size else None
    count, start = asked.strokes, None
    if asked.model is not None:
        from limner.painting import by_model

        painter = by_model.read_model(asked.model)
        bank = by_model.brushes(painter)
        seen = goal.pixels if goal.alpha is None else goal.pixels + 1 - goal.alpha
        start = by_model.proposed(painter, seen, count)
    elif before:
        if repainted := masks.get("repaint"):
            region = light.lit("repaint", repainted, goal.size) if count else light.gray(repainted, goal.size)
            before, dropped = before.without(light.gray(repainted, repainted.size))
            goal, count = replace(goal, region=region), count + dropped
        goal = over(goal, before, goal.size, ground, clear)
        judged = judged and over(judged, before, goal.size, ground, clear)
        bank = before.brushes
    else:
        bank = brushes.bank_of(asked.templates or (["line"] if asked.pen else None))
    if count:
        brushes.check_visible(bank)
    goal = replace(goal, saved=rendering.samples(before.bank if before else bank))
    style = Style(
        opacity=asked.opacity,
        gradient=asked.gradient,
        palette=inks,
        smallest=asked.smallest / 2,
        largest=asked.largest / 2,
        pen=asked.pen and asked.pen / 2,
        learn_ground=not clear and given is None and inks is None,
        **asked.looks,
    )
    wanted = asked.seed, asked.time, math.inf if asked.stop_psnr is None else asked.stop_psnr
    return Prepared(picture, goal, bank, count, ground, style, *wanted, start, judged, before, clear, goal_of)


def over(goal: Goal, before: Before, size: tuple[int, int], ground: Tensor, clear: bool) -> Goal:
    """A goal of what is painted over strokes, which are as fine as suits a canvas of this size."""
    finer = replace(before, bank=rendering.finer(before.bank, size, goal.size))
    under, cover = finer.canvas(goal.size, ground, clear)
    return replace(goal, under=under, under_cover=cover)
