"""The rounds of a fit: add too many strokes where the error is, refine all together, drop, move, settle.

Rounds of greedy adding, coarse to fine: each proposes strokes (`propose`) and takes a few steps with all strokes. Then
rounds that drop those that matter least, until there are as many as wanted; rounds that drop as many as they propose
anew; and at last steps with a falling rate.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from limner.cpu.gains import changes_without
from limner.geometry import invert
from limner.painting.fit.goal import Goal
from limner.painting.fit.kernels import make_ready
from limner.painting.fit.moves import Moves, Style
from limner.painting.fit.pace import Clock, Pace
from limner.painting.fit.propose import PLACES, propose
from limner.painting.rendering import most_texels, redrawn
from limner.strokes import Strokes
from limner.templates import TemplateBank

RATE, SETTLING_RATE = 0.08, 0.04
"""Of steps while strokes are added, dropped and moved, and of the first with which they settle."""
PIXELS_A_STROKE, LEAST_PIXELS_A_STROKE, ENOUGH_PIXELS = 150, 45, 30_000
"""Of a canvas for adding and moving strokes: the first, but no more than is enough, and never less than the second."""
NOTICED = 0.02
"""Share of the error by which it has to change for templates of twice as many texels."""
AT_ONCE = 100
"""Strokes that can be added together before any step is taken."""


@dataclass(frozen=True)
class Plan:
    """How much work to do: rounds of adding, of dropping and of moving, steps after each, and steps to settle.

    extra: strokes added for each that is wanted.  share: of the strokes that a round moves.  tries: random stamps a
    round chooses from.  fine: the rate, as a share of the first, below which the canvas is seen as it will be saved.
    """

    adding: int = 33
    steps: int = 10
    extra: float = 2.0
    dropping: int = 8
    moving: int = 8
    moving_steps: int = 20
    share: float = 0.06
    settling: int = 200
    fine: float = 0.5
    tries: int = 2000

    def again(self) -> "Plan":
        """For another number of strokes than have been fitted: about as good, in two fifths of the time."""
        return replace(self, extra=1.0, adding=-(-self.adding // 8), dropping=0, moving=-(-self.moving // 4))


USUAL = Plan()


def work(
    moves: Moves, goal: Goal, count: int, seed: int, plan: Plan, clock: Clock | None
) -> Iterator[tuple[float, float]]:
    """The rounds of fitting; yields the share of the work done and the error, now and then."""
    make_ready(goal, moves.style)
    generator = torch.Generator().manual_seed(seed)
    goals = goal.sizes()
    many, adding = math.ceil(plan.extra * count), min(plan.adding, count)
    added = adding * plan.steps
    moved = added + (plan.dropping + plan.moving) * plan.moving_steps
    pace = Pace(moved + plan.settling, clock)

    def at_most() -> int:
        """Strokes to add at once: where time may be short, more and more, and fewer than wanted in the end."""
        return AT_ONCE + len(moves) // 2 if clock else many

    for r in range(adding):
        late = len(moves) > 0 and pace.done() >= added / pace.steps
        due = count if late else min(many, math.ceil(many * max((r + 1) / adding, pace.done() * pace.steps / added)))
        new = min(due - len(moves), at_most())
        if new <= 0:
            continue
        near = goals[coarse(goals, detail(len(moves) + new))]
        propose(moves, near, new, max(plan.tries, 4 * new), radii(near, many, moves.style), generator)
        error = refine(moves, near, pace.until((r + 1) * plan.steps, plan.steps))
        yield pace.done(), error
        if late:
            break
    near = goals[coarse(goals, detail(count))]
    wasted = math.ceil(plan.share * count)

    def drop(left: int) -> None:
        moves.keep(worthiest(moves.strokes(), moves.ground, near, moves.bank, left))

    for r in range(plan.dropping + plan.moving):
        end = added + (r + 1) * plan.moving_steps
        if pace.done() < end / pace.steps:
            if r < plan.dropping:
                drop(math.ceil(many - (many - count) * (r + 1) / plan.dropping))
            else:
                drop(count - wasted)
                new = min(count - len(moves), at_most())
                propose(moves, near, new, max(plan.tries, 4 * new), radii(near, count, moves.style), generator)
            yield pace.done(), refine(moves, near, pace.until(end, plan.moving_steps))
    drop(count)
    share, saved = moved / pace.steps, replace(goal, samples=goal.saved)
    for i, done in enumerate(pace.until(pace.steps)):
        fall = falling((done - share) / (1 - share))
        if fall <= plan.fine and goal is not saved:
            goal, moves.bank = saved, sharpened(moves, saved)
        error = moves.step(goal, SETTLING_RATE * (0.02 + 0.98 * fall))
        if i % 10 == 0:
            yield done, error
    yield 1.0, moves.error(replace(saved, holes=False))


def again(moves: Moves) -> Moves:
    """The same moves to go on with, so that these stay as they are; of the same bank."""
    return copy.deepcopy(moves, {id(moves.bank): moves.bank})


def sharpened(moves: Moves, goal: Goal) -> TemplateBank:
    """The moves' templates with as many texels as show: twice as many, and again, as long as the error notices.

    Edges of a stamp that is drawn large are blurred over its texels, which flat pictures show and an SVG does not.
    No stamp needs more than it is wide, in pixels. Masks without a path stay: traced anew they would be others.
    """
    strokes, bank = moves.strokes(), moves.bank
    if goal.under is not None or not bank.outlines or not bank.scalable:
        return bank
    most, error = min(most_texels(bank), widest(strokes, goal.size)), moves.error(goal)
    while bank.masks.shape[-1] < most:
        more = redrawn(bank, 2 * bank.masks.shape[-1])
        before, error = error, goal.error(strokes, more, moves.ground)
        if abs(error - before) <= NOTICED * before:
            break
        bank = more
    return bank


def widest(strokes: Strokes, size: tuple[int, int]) -> float:
    """The longest side of a stamp's box, in pixels of a canvas of (height, width); 0 where there is none."""
    height, width = size
    sides = (invert(strokes.where)[..., :2] * torch.tensor([[width], [height]])).norm(dim=-2)
    return sides.max().item() if sides.numel() else 0.0


def refine(moves: Moves, goal: Goal, steps: Iterator[float]) -> float:
    """Steps at the full rate, at least one; returns the last error."""
    error = moves.step(goal, RATE)
    next(steps, None)
    for _ in steps:
        error = moves.step(goal, RATE)
    return error


def falling(done: float) -> float:
    """The rate of settling, as a share of the first, along half a cosine."""
    return 0.5 + 0.5 * math.cos(math.pi * done)


def detail(strokes: int) -> int:
    """Least pixels of the size worked at, while strokes are added and moved."""
    return max(min(PIXELS_A_STROKE * strokes, ENOUGH_PIXELS), LEAST_PIXELS_A_STROKE * strokes)


def coarse(goals: list[Goal], pixels: int) -> int:
    """The smallest size of goal that still has so many pixels, or has as many as `propose` can choose places from."""
    fits = [level for level, goal in enumerate(goals) if math.prod(goal.size) >= pixels]
    small = [level for level, goal in enumerate(goals) if math.prod(goal.size) <= PLACES]
    return max(max(fits, default=0), min(small))


def radii(near: Goal, count: int, style: Style) -> tuple[float, float]:
    """Smallest and largest mean half size to try, in pixels: from a speck to most of the picture, within the style."""
    least, most = style.half_sizes(near.size)
    side = math.sqrt(math.prod(near.size))
    low = min(max(0.1 * side / math.sqrt(count), least), most)
    return low, max(min(0.3 * side, most), low)


def worthiest(strokes: Strokes, ground: Tensor, goal: Goal, bank: TemplateBank, count: int) -> Tensor:
    """Indices of the `count` strokes of most `importance`, in painting order."""
    if len(strokes) <= count:
        return torch.arange(len(strokes))
    value = importance(strokes, ground, goal, bank)
    return value.argsort(descending=True, stable=True)[:count].sort().values


def importance(strokes: Strokes, ground: Tensor, goal: Goal, bank: TemplateBank) -> Tensor:
    """How much the weighed squared error would grow without each stroke, all others as they are.

    In holes that of the coverage alone counts, since what they are to be there changes with it.
    """
    weight = torch.ones(goal.size) if goal.weight is None else goal.weight

    def without(strokes: Strokes, below: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return changes_without(strokes, bank, below.expand_as(target), target, weight[None])[0]

    if goal.alpha is None:
        return without(strokes, goal.below(ground), goal.pixels[None], weight)
    colours = goal.colour_share * without(strokes, goal.below(ground), goal.pixels[None], weight * (1 - goal.hollow))
    return colours + without(strokes.white(), goal.below_cover(), goal.alpha[None, None], weight * goal.cover_weight)
