"""Which kernels painting calls, and with arguments of which types: for compiling them ahead.

A kernel is compiled anew for other switches (`kernels.over`), for gradient fills, and for another number of channels.
Values here are as small as can be; only their types count.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from limner.cpu.passes import WEIGHED, passes_for
from limner.geometry import sharpness
from limner.kernels import coverage, depth, layout, over
from limner.kernels.ahead import Needed, compile_ahead
from limner.kernels.mixing import cell_desk
from limner.kernels.outlines import find_outlines
from limner.kernels.sums import sum_under
from limner.kernels.threads import allowed
from limner.kernels.worth import worth


@cache
def make_ready(
    wanted: frozenset[str], compositing: str, samples: int, channels: int, tilted: bool, word: type[np.generic]
) -> None:
    """Compile what a `rendering` is going to call."""
    compile_ahead(rendering(wanted, compositing, samples, channels, tilted, word), allowed())


def rendering(
    wanted: frozenset[str], compositing: str, samples: int, channels: int, tilted: bool, word: type[np.generic]
) -> Iterator[Needed]:
    """For `render`, and for the gradients that are wanted of it (`passes_for`).

    tilted: whether strokes have a gradient fill.  word: that of rows (`hiding.word_of`).
    """
    passes = passes_for(wanted, compositing, samples, channels)
    canvas, strokes, plan = _floats(4), _strokes(channels, tilted), _plan()
    placed, reach, spans, fine, _, begins, tally, _ = plan
    switches = passes.dense, passes.keep, passes.hides, samples, sharpness(samples)
    lines, desk = (placed, reach, spans, fine, tally), layout.lay_desk(1, word, samples, 1)
    yield Needed(layout.lay_out, (0, 0, 0, *strokes[:2], strokes[3], *_BANK[1:3], *switches, 1, 1, 1, *lines, desk))
    yield Needed(find_outlines, (_floats(2), *_BANK[2:4], True, _BANK[1], np.empty((0, 0), np.int32)))
    sizes, dense = ((channels, 1, 1), 1, 1), passes.dense or None
    there = 0, 0, 0, canvas, canvas, strokes, _BANK, passes.switches, plan
    back = 0, 0, 0, 0, canvas, True, strokes, _BANK, passes.switches, dense, plan
    gradients = tuple(map(_floats, (5, 4, 4, 3, 5, 2)))
    if compositing == "depth":
        kernel, desk, pulling = depth, depth.desk(*sizes, samples, 1), depth.desk(*sizes, samples, 1, dense)
        given, kept = (samples, _floats(4)), (canvas, gradients, _floats(3), _floats(1))
    elif samples > 1:
        kernel, desk, pulling = coverage, coverage.desk(*sizes, samples), coverage.desk(*sizes, samples, dense)
        given, kept = (samples, _floats(1)), (gradients, _floats(1))
    else:
        kernel, desk, pulling = over, over.desk(*sizes, None), over.desk(*sizes, dense)
        given, kept = (), (gradients,)
    yield Needed(kernel.forward, (*there, *given, desk))
    if wanted:
        yield Needed(kernel.backward, (*back, *given, *kept, pulling))
    yield Needed(layout.find_room, (begins, tally, True, 0))


def choosing(channels: int, tilted: bool) -> Iterator[Needed]:
    """For what is under stamps (`gains.sums_under`), and for what strokes are worth (`gains.changes_without`)."""
    canvas, strokes, plan = _floats(4), _strokes(channels, tilted), _plan()
    sums = _floats(3), _BANK, *plan[:3], _floats(2), cell_desk(1)[0], _floats(1)
    yield Needed(sum_under, (0, 0, _floats(1), 0, 0, *sums))
    switches, desk = passes_for(WEIGHED, "over", 1, channels).switches, over.desk((channels, 1, 1), 1, 1, None)
    yield Needed(over.forward, (0, 0, 0, canvas, canvas, strokes, _BANK, switches, plan, desk))
    yield Needed(worth, (0, 0, 0, 0, 0, _floats(1), strokes, _BANK, switches, plan, _floats(3), desk))


def _floats(dimensions: int) -> np.ndarray:
    return np.empty((0,) * dimensions, np.float32)


def _strokes(channels: int, tilted: bool) -> tuple[np.ndarray | None, ...]:
    return _floats(4), _floats(3), _floats(3), _floats(2), _floats(4) if tilted else None


def _plan() -> tuple[np.ndarray, ...]:
    placed, reach, spans, fine, begins, tally = layout.room(1, 1, 1, 1, 1, True)
    return placed, reach, spans, fine, _floats(1), begins, tally, np.empty(0, np.int32)


_BANK = _floats(1), np.empty((0,) * 4), np.empty(0, np.int64), np.empty((0, 0), np.int64), _floats(1)
