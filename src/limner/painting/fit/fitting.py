"""Fitting strokes to a picture: so many, or as few as are good enough; for as long as it takes, or as there is time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from limner.painting.fit.fewest import fewest
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Moves, Painted, Style
from limner.painting.fit.pace import Clock
from limner.painting.fit.rounds import USUAL, Plan, again, work, worthiest
from limner.painting.progress import Progress
from limner.painting.rendering import finer
from limner.painting.scoring import decibels
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.waiting import compiling

if TYPE_CHECKING:
    from limner.painting.painting import Painting


def fit(
    goal: Goal,
    bank: TemplateBank,
    count: int,
    ground: Float[Tensor, "channel"],
    style: Style,
    seed: int = 0,
    plan: Plan = USUAL,
    seconds: float | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
    stop_psnr: float = math.inf,
    start: Strokes | None = None,
    judged: Goal | None = None,
    shown: Callable[[Painted], Painting] | None = None,
    interrupted: Callable[[], None] = lambda: None,
) -> Painted:
    """`count` strokes that rebuild a goal, the colour of the ground under them, and their templates (`sharpened`).

    seconds: time to take instead of the plan's steps, and fewer strokes where it is too short for so many.
    watch: called after every round.  shown: makes what it may look at.
    stop_psnr: at most `count` strokes, as few as meet the goal this well, in dB; with start, the first that do.
    judged: the same goal at another size, which is to be met; left out, it is the goal itself.
    start: at most `count` strokes to begin with, a batch of one; the others are added to them.
    Ctrl-C stops too, and `interrupted` is called: what there was after the last round is returned, since a round may
    end in the middle of a change; KeyboardInterrupt where there was nothing.
    """
    judges = [replace(each, weight=None, samples=goal.saved, holes=False) for each in (goal, judged) if each]
    clock = Clock(seconds) if seconds else None

    def quality(painted: Painted, on: Goal) -> float:
        strokes, ground, bank = painted
        return decibels(on.error(strokes, finer(bank, goal.size, on.size), ground))

    def enough(painted: Painted) -> bool:
        """By the goal itself, which is soon told, and then by the judged one, which is larger and has more to meet."""
        wanted = stop_psnr < math.inf and len(painted[0]) <= count
        return wanted and all(quality(painted, each) >= stop_psnr for each in judges)

    def rounds(moves: Moves, many: int, plan: Plan, clock: Clock | None = None) -> Iterator[Painted]:
        yield moves.copied()
        for done, error in work(moves, goal, many, seed, plan, clock) if many else ():
            yield (painted := moves.copied())
            watch(Progress(done, error, len(moves), shown and partial(shown, painted)))

    def whole(many: int, before: Moves | None) -> tuple[Moves, float] | None:
        """A fit of so many strokes, and how good it is; None where time is up."""
        moves, planned = (Moves.none(bank, ground, style), plan) if before is None else (again(before), plan.again())
        for _ in rounds(moves, many, planned):
            if clock and clock.done() == 1:
                return None
        return moves, quality(moves.copied(), judges[-1])

    moves = Moves.none(bank, ground, style)
    if start is not None:
        moves.begin(start)
        moves.limit(goal.size)
    painted = moves.copied()
    with compiling(lambda: None, clock.wait) if clock else nullcontext():
        try:
            for painted in rounds(moves, count, plan, clock):
                if enough(painted):
                    for fewer in fewest(whole, len(painted[0]), stop_psnr) if start is None else ():
                        painted = fewer.copied()
                    break
        except KeyboardInterrupt:
            if not len(painted[0]):
                raise
            interrupted()
    strokes, ground, bank = painted
    if len(strokes) > count:
        strokes = strokes[:, worthiest(strokes, ground, goal, bank, count)]
    return strokes, ground, bank
