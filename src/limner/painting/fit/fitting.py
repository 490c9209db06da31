"""Fitting strokes to a picture: so many, or as few as are good enough; for as long as it takes, or as there is time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Task:
    """What is to be fitted: `count` strokes of some templates to a goal, from a ground.

    seconds: time to take instead of the plan's steps, and fewer strokes where it is too short for so many.
    stop_psnr: at most `count` strokes, as few as meet the goal this well, in dB; with start, the first that do.
    start: at most `count` strokes to begin with, a batch of one; the others are added to them.
    judged: the same goal at another size, which is to be met; left out, it is the goal itself.
    """

    goal: Goal
    bank: TemplateBank
    count: int
    ground: Float[Tensor, "channel"]
    style: Style
    seed: int = 0
    seconds: float | None = None
    stop_psnr: float = math.inf
    start: Strokes | None = None
    judged: Goal | None = None

    def begun(self) -> Moves:
        """The moves to begin with."""
        moves = Moves.none(self.bank, self.ground, self.style)
        if self.start is not None:
            moves.begin(self.start)
            moves.limit(self.goal.size)
        return moves

    def quality(self, painted: Painted) -> float:
        """The PSNR that counts, in dB."""
        return self._quality(painted, self.judged or self.goal)

    def enough(self, painted: Painted) -> bool:
        """Whether that is reached: by the goal itself, which is soon told, and then by the judged one, a larger one."""
        if self.stop_psnr == math.inf or len(painted[0]) > self.count:
            return False
        return all(self._quality(painted, each) >= self.stop_psnr for each in (self.goal, self.judged) if each)

    def _quality(self, painted: Painted, on: Goal) -> float:
        strokes, ground, bank = painted
        on = replace(on, weight=None, samples=self.goal.saved, holes=False)
        return decibels(on.error(strokes, finer(bank, self.goal.size, on.size), ground))


def fit(
    task: Task,
    plan: Plan = USUAL,
    watch: Callable[[Progress], None] = lambda progress: None,
    shown: Callable[[Painted], Painting] | None = None,
    interrupted: Callable[[], None] = lambda: None,
) -> Painted:
    """Strokes that do a task, the colour of the ground under them, and their templates (`sharpened`).

    watch: called after every round.  shown: makes what it may look at.
    Ctrl-C stops too, and `interrupted` is called: what there was after the last round is returned, since a round may
    end in the middle of a change; KeyboardInterrupt where there was nothing.
    """
    clock = Clock(task.seconds) if task.seconds else None

    def rounds(moves: Moves, many: int, plan: Plan, clock: Clock | None = None) -> Iterator[Painted]:
        yield moves.copied()
        for done, error in work(moves, task.goal, many, task.seed, plan, clock) if many else ():
            yield (painted := moves.copied())
            watch(Progress(done, error, len(moves), shown and partial(shown, painted)))

    def whole(many: int, before: Moves | None) -> tuple[Moves, float] | None:
        """A fit of so many strokes, and how good it is; None where time is up."""
        fresh = before is None
        moves = Moves.none(task.bank, task.ground, task.style) if fresh else again(before)
        for _ in rounds(moves, many, plan if fresh else plan.again()):
            if clock and clock.done() == 1:
                return None
        return moves, task.quality(moves.copied())

    moves = task.begun()
    painted = moves.copied()
    with compiling(lambda: None, clock.wait) if clock else nullcontext():
        try:
            for painted in rounds(moves, task.count, plan, clock):
                if task.enough(painted):
                    for fewer in fewest(whole, len(painted[0]), task.stop_psnr) if task.start is None else ():
                        painted = fewer.copied()
                    break
        except KeyboardInterrupt:
            if not len(painted[0]):
                raise
            interrupted()
    strokes, ground, bank = painted
    if len(strokes) > task.count:
        strokes = strokes[:, worthiest(strokes, ground, task.goal, bank, task.count)]
    return strokes, ground, bank
