"""The kernels of a fit, compiled all at once where this machine has not compiled them yet."""

from collections.abc import Iterator
from functools import cache
from threading import Lock

import numpy as np

from limner.cpu import needed
from limner.kernels.ahead import Needed, compile_ahead
from limner.kernels.hiding import word_of
from limner.kernels.threads import allowed
from limner.painting.fit import steps
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Style

_readying = Lock()
"""Of several threads that paint, the first has kernels compiled, and the others find them."""


def make_ready(goal: Goal, style: Style) -> None:
    """Compile what fitting strokes of a style to a goal is going to call."""
    kinds = [(len(goal.pixels), style.gradient)]
    if goal.alpha is not None:
        kinds.append((1, False))
    with _readying:
        _made_ready(word_of(goal.size[1]), tuple(kinds), style.opacity is None, goal.saved, allowed())


@cache
def _made_ready(
    word: type[np.generic], kinds: tuple[tuple[int, bool], ...], seen_through: bool, samples: int, processes: int
) -> None:
    found = [*needed.laying(word)]
    for channels, tilted in kinds:
        found += needed.painting(channels, tilted, seen_through, samples)
    compile_ahead([*found, *stepping()], processes)


def stepping() -> Iterator[Needed]:
    """For the steps."""
    rows = np.empty((0, 0), np.float32)
    table, held = (rows,) * 5, ((0, 0), (0.0,) * 4, (True,) * 3, rows)
    yield Needed(steps.step, (*(table,) * 4, np.empty(0, np.float32), 0, (0.0,) * 5, *held))
    yield Needed(steps.hold, (table, *held))
