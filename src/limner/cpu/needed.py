"""Which kernels painting calls, and with arguments of which types: for compiling them ahead.

A kernel is compiled anew for other switches (`kernels.over`), for gradient fills, and for another number of channels.
Values here are as small as can be; only their types count.
"""

from collections.abc import Iterator

import numpy as np

from limner.kernels import coverage, layout, over
from limner.kernels.ahead import Needed
from limner.kernels.bank import find_outlines
from limner.kernels.stamp import cell_desk
from limner.kernels.sums import sum_under
from limner.kernels.worth import worth


def laying(word: type[np.generic]) -> Iterator[Needed]:
    """For where stamps lie, with rows of such words (`hiding.word_of`), and what is under each (`gains.sums_under`)."""
    placed, reach, spans, fine, begins, tally = layout.room(1, 1, 1, 1, 1, True)
    given, lines = (_floats(4), _floats(3), _floats(2), *_BANK[1:3]), (placed, reach, spans, fine, tally)
    switches, sizes = (True, 0, True, 1, 1), (1, 1, 1)
    desk = layout.lay_desk(1, word, 1, 1)
    yield Needed(layout.lay_out, (0, 0, 0, *given, *switches, *sizes, *lines, desk))
    yield Needed(find_outlines, (_floats(2), *_BANK[2:4], True, _BANK[1], np.empty((0, 0), np.int32)))
    sums = _floats(3), _BANK, placed, reach, spans, _floats(2), cell_desk(1)[0], _floats(1)
    yield Needed(sum_under, (0, 0, _floats(1), 0, 0, *sums))
    yield Needed(layout.find_room, (begins, tally, True, 0))


def painting(channels: int, tilted: bool, seen_through: bool, samples: int) -> Iterator[Needed]:
    """For fitting strokes, `over` a canvas of so many channels.

    tilted: whether they have a gradient fill.  seen_through: whether the gradient to their opacity is wanted.
    samples: those of the canvas that is saved, along each axis of a pixel.
    """
    strokes = (_floats(4), _floats(3), _floats(3), _floats(2), _floats(4) if tilted else None)
    placed, reach, spans, fine, begins, tally = layout.room(1, 1, 1, 1, 1, True)
    plan = placed, reach, spans, fine, _floats(1), begins, tally, np.empty(0, np.int32)
    flat, every, learning = ((None, edges, pixels, (None,) * channels) for edges, pixels in _kept(seen_through))
    canvas, size, gradients = _floats(4), (channels, 1, 1), tuple(map(_floats, (5, 4, 4, 3, 5, 2)))
    desk, sampled = over.desk(size, 1, 1, None), coverage.desk(size, 1, 1, 1)
    for switches in (flat, every, learning):
        yield Needed(over.forward, (0, 0, 0, canvas, canvas, strokes, _BANK, switches, plan, desk))
    yield Needed(over.backward, (0, 0, 0, 0, canvas, True, strokes, _BANK, learning, None, plan, gradients, desk))
    if samples > 1:
        given = strokes, _BANK, flat
        yield Needed(coverage.forward, (0, 0, 0, canvas, canvas, *given, plan, 1, _floats(1), sampled))
        rest = gradients, _floats(1), sampled
        yield Needed(coverage.backward, (0, 0, 0, 0, canvas, True, *given, None, plan, 1, _floats(1), *rest))
    yield Needed(worth, (0, 0, 0, 0, 0, _floats(1), strokes, _BANK, every, plan, _floats(3), desk))


def _kept(seen_through: bool) -> tuple[tuple[bool | None, bool | None], ...]:
    """What passes keep of edges and of all pixels: those without a gradient, `worth`, and steps."""
    return (None, None), (True, True), (True, True if seen_through else None)


def _floats(dimensions: int) -> np.ndarray:
    return np.empty((0,) * dimensions, np.float32)


_BANK = _floats(1), np.empty((0,) * 4), np.empty(0, np.int64), np.empty((0, 0), np.int64), _floats(1)
