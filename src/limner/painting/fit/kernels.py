"""The kernels of a fit, compiled all at once where this machine has not compiled them yet."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from limner.cpu.needed import choosing, rendering
from limner.kernels.ahead import Needed, compile_ahead
from limner.kernels.hiding import word_of
from limner.kernels.threads import allowed
from limner.painting.fit import steps
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Style


def make_ready(goal: Goal, style: Style) -> None:
    """Compile what fitting strokes of a style to a goal is going to call."""
    canvases = [(len(goal.pixels), style.gradient)]
    if goal.alpha is not None:
        canvases.append((1, False))
    _made_ready(tuple(canvases), style.opacity is None, goal.saved, word_of(goal.size[1]))


@cache
def _made_ready(canvases: tuple[tuple[int, bool], ...], seen_through: bool, saved: int, word: type[np.generic]) -> None:
    learnt = frozenset({"where", "opacity"} if seen_through else {"where"})
    found = []
    for channels, tilted in canvases:
        for samples in {1, saved}:
            for wanted in (learnt, frozenset()):
                found += rendering(wanted, "over", samples, channels, tilted, word)
        found += choosing(channels, tilted)
    compile_ahead([*found, *stepping()], allowed())


def stepping() -> Iterator[Needed]:
    """For the steps."""
    rows = np.empty((0, 0), np.float32)
    table, held = (rows,) * 5, ((0, 0), (0.0,) * 4, (True,) * 3, rows)
    yield Needed(steps.step, (*(table,) * 4, np.empty(0, np.float32), 0, (0.0,) * 5, *held))
    yield Needed(steps.hold, (table, *held))
