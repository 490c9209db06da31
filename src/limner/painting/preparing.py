"""What is settled before the first stroke: arguments are checked, the picture is read, and a goal is set."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from limner.painting import brushes, colours, light, rendering, sides
from limner.painting.asked import Asked, checked
from limner.painting.fit.fitting import Task
from limner.painting.fit.goal import Goal, goal_and_ground, page
from limner.painting.fit.moves import Painted, Style
from limner.painting.painting import Painting
from limner.painting.palette import inks_of
from limner.painting.pictures import Picture, Source, fitted, read_picture, resized
from limner.painting.resume import Before, as_written, read_before


@dataclass(frozen=True)
class Colouring:
    """What colours there are: of the ground, if that is settled, and of strokes, if not any; in so many channels.

    clear: whether the background is transparent.
    """

    clear: bool
    ground: Float[Tensor, "channel"] | None
    inks: Float[Tensor, "colour channel"] | None
    channels: int

    @property
    def learns_ground(self) -> bool:
        """Whether the colour of the ground is fitted, too."""
        return not self.clear and self.ground is None and self.inks is None

    def goal(self, picture: Picture) -> tuple[Goal, Tensor]:
        """What to fit of a picture at some size, and the ground to start from."""
        pixels = picture.pixels.expand(self.channels, -1, -1)
        return goal_and_ground(pixels, picture.alpha, "clear" if self.clear else self.ground, self.inks)


@dataclass(frozen=True)
class Prepared:
    """A picture that is about to be painted, and all that `fit` is to know.

    before: the strokes that lie under those to be painted.
    """

    picture: Picture
    task: Task
    before: Before | None
    colouring: Colouring

    def following(self, picture: Picture) -> tuple[Goal, Tensor]:
        """The goal and the ground of another picture of the same proportions."""
        goal, ground = self.colouring.goal(fitted(picture, self.task.goal.size))
        return replace(goal, weight=self.task.goal.weight, saved=self.task.goal.saved), ground

    def painting(self, painted: Painted) -> Painting:
        """What was fitted, over what was there before."""
        strokes, ground, bank = painted
        if self.before:
            strokes, bank = self.before.then(strokes), self.before.bank
        return Painting(strokes, bank, None if self.colouring.clear else ground, self.task.goal.size, self.picture)


def prepare(image: Source, **arguments: Any) -> Prepared:
    """Everything that `limner.paint` does before it fits strokes; its other arguments but for progress."""
    asked = checked(arguments)
    picture = read_picture(image)
    masks = {name: read_picture(mask) for name, mask in asked.masks.items()}
    for name, mask in masks.items():
        sides.check_shape(name, mask.size, "the picture", picture.size)
        light.check_scale(name, mask)
    before = None if asked.resume is None else read_before(asked.resume, asked.templates)
    many = asked.strokes + (len(before.strokes) if before else 0)
    small = resized(picture, sides.chosen_side(picture, asked.size, many, asked.stop_psnr, asked.pen))
    sides.check_seen(asked.largest, max(small.size))
    if before:
        if before.size:
            sides.check_shape("resume", before.size, "the picture", picture.size)
            before = replace(before, bank=rendering.finer(before.bank, before.size, small.size))
        before = replace(before, bank=as_written(before.bank))
    colouring = settled(asked, picture, small, masks, before)
    clear = colouring.clear
    goal, ground = colouring.goal(small)
    goal = replace(goal, weight=light.weights(masks.get("importance"), goal.size))
    large = sides.judged(picture) if asked.stop_psnr else small
    judged = colouring.goal(large)[0] if large.size != small.size else None
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
    task = Task(
        replace(goal, saved=rendering.samples(before.bank if before else bank)),
        bank,
        count,
        ground,
        style(asked, colouring),
        asked.seed,
        seconds=asked.time,
        stop_psnr=math.inf if asked.stop_psnr is None else asked.stop_psnr,
        start=start,
        judged=judged,
    )
    return Prepared(picture, task, before, colouring)


def settled(
    asked: Asked, picture: Picture, small: Picture, masks: dict[str, Picture], before: Before | None
) -> Colouring:
    """The colours that are asked for, or that suit a picture, which is worked at so `small`; or those from before."""
    if before:
        clear, ground = before.background is None, before.background
    else:
        clear, ground = asked.clear or (asked.ground is None and picture.alpha is not None), asked.ground
        if ground is None and not clear:
            if asked.pen is not None:
                ground = torch.ones(3)
            elif asked.palette is None:
                ground = page(small.pixels)
    coloured = colours.coloured(asked.palette) or colours.coloured(ground) or (before is not None and before.coloured)
    channels = 3 if coloured else len(picture.pixels)
    ground = None if ground is None else ground.expand(3)[:channels]
    says = light.says(masks, picture.size) if isinstance(asked.palette, int) else None
    return Colouring(clear, ground, inks_of(asked.palette, picture, ground, channels, says), channels)


def style(asked: Asked, colouring: Colouring) -> Style:
    """How strokes may look."""
    return Style(
        opacity=asked.opacity,
        gradient=asked.gradient,
        palette=colouring.inks,
        smallest=asked.smallest / 2,
        largest=asked.largest / 2,
        pen=asked.pen and asked.pen / 2,
        learn_ground=colouring.learns_ground,
        **asked.looks,
    )


def over(goal: Goal, before: Before, size: tuple[int, int], ground: Tensor, clear: bool) -> Goal:
    """A goal of what is painted over strokes, which are as fine as suits a canvas of this size."""
    finer = replace(before, bank=rendering.finer(before.bank, size, goal.size))
    under, cover = finer.canvas(goal.size, ground, clear)
    return replace(goal, under=under, under_cover=cover)
